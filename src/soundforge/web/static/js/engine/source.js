/** What sounds: one source (a stem, or the mix) as chunks of int16, and the set of them that a track is. */

const SMOOTHING = 0.3;

/** @typedef {{ samples: Int16Array, channels: number }} Chunk */
/** @typedef {{ left: number, right: number }} Gains linear, full scale is 1 */
/** @typedef {[start: number, end: number][]} Regions in frames, in order, apart from each other */

/** One block's way from the gain it has towards the gain it shall have. @param {number} gain @param {number} target */
const next = (gain, target) => (Math.abs(target - gain) < 1e-4 ? target : gain + (target - gain) * SMOOTHING);

export class Source {
  /** @param {Gains} gains @param {Regions} mutes where it is silent */
  constructor({ left, right }, mutes) {
    /** @type {Map<number, Chunk>} */
    this.chunks = new Map();
    this.left = this.targetLeft = left;
    this.right = this.targetRight = right;
    this.stepLeft = this.stepRight = 0;
    this.mutes = mutes;
    this.peak = 0;
  }

  /** @param {Gains} gains */
  aim({ left, right }) {
    this.targetLeft = left;
    this.targetRight = right;
  }

  /** A block of `count` frames begins: the gains slide evenly through it. @param {number} count */
  begin(count) {
    this.stepLeft = (next(this.left, this.targetLeft) - this.left) / count;
    this.stepRight = (next(this.right, this.targetRight) - this.right) / count;
  }

  /** @param {number} count */
  end(count) {
    this.left += this.stepLeft * count;
    this.right += this.stepRight * count;
  }

  /**
   * Adds the frames from `frame` on into left and right, from index `at` of the block on.
   * @param {Float32Array} left @param {Float32Array} right @param {number} at @param {number} frame
   * @param {number} count @param {number} chunkFrames @param {number} fadeFrames
   */
  add(left, right, at, frame, count, chunkFrames, fadeFrames) {
    const muted = this.mutes.some(([start, end]) => start < frame + count && end > frame);
    for (let done = 0; done < count; ) {
      const index = Math.floor((frame + done) / chunkFrames);
      const offset = frame + done - index * chunkFrames;
      const run = Math.min(count - done, chunkFrames - offset);
      const chunk = this.chunks.get(index);
      if (chunk) this.#run(chunk, left, right, at + done, offset, run, muted ? frame + done : -1, fadeFrames);
      done += run;
    }
  }

  /**
   * @param {Chunk} chunk @param {Float32Array} left @param {Float32Array} right @param {number} at @param {number} offset
   * @param {number} count @param {number} mutedFrom the first frame's number if some of them are muted, else -1
   * @param {number} fadeFrames
   */
  #run({ samples, channels }, left, right, at, offset, count, mutedFrom, fadeFrames) {
    const second = channels > 1 ? 1 : 0;
    const frames = Math.min(count, samples.length / channels - offset);
    let peak = this.peak;
    for (let i = 0; i < frames; i++) {
      const share = (mutedFrom < 0 ? 1 : openness(this.mutes, mutedFrom + i, fadeFrames)) / 32768;
      const from = (offset + i) * channels;
      const l = /** @type {number} */ (samples[from]) * share * (this.left + this.stepLeft * (at + i));
      const r = /** @type {number} */ (samples[from + second]) * share * (this.right + this.stepRight * (at + i));
      left[at + i] = /** @type {number} */ (left[at + i]) + l;
      right[at + i] = /** @type {number} */ (right[at + i]) + r;
      const loudest = Math.max(Math.abs(l), Math.abs(r));
      if (loudest > peak) peak = loudest;
    }
    this.peak = peak;
  }
}

/**
 * How much of a source is let through at a frame: 1 outside its muted regions, 0 inside, with straight ramps of
 * `fadeFrames` just inside their edges. The rendered file uses the same formula (`soundforge_runners/render.py`).
 * @param {Regions} mutes @param {number} frame @param {number} fadeFrames
 */
export function openness(mutes, frame, fadeFrames) {
  for (const [start, end] of mutes) {
    if (frame < start || frame >= end) continue;
    return 1 - Math.min(1, Math.min(frame - start + 1, end - frame) / fadeFrames);
  }
  return 1;
}

export class SourceSet {
  /**
   * @param {{ id: number, length: number, chunkFrames: number, gains: Gains[], mutes?: Regions[] }} description
   * @param {number} rate Hz
   */
  constructor({ id, length, chunkFrames, gains, mutes }, rate) {
    this.id = id;
    this.length = length;
    this.chunkFrames = chunkFrames;
    this.fadeFrames = Math.max(1, Math.round(rate / 200)); // 5 ms
    this.sources = gains.map((pair, i) => new Source(pair, mutes?.[i] ?? []));
  }

  /**
   * Takes a run of chunks of one source: views of the same samples, the last ones short or empty where the file ends.
   * @param {{ source: number, index: number, count: number, channels: number, data: ArrayBuffer }} run
   */
  bring({ source, index, count, channels, data }) {
    const samples = new Int16Array(data);
    const size = this.chunkFrames * channels;
    for (let i = 0; i < count; i++) {
      const chunk = { samples: samples.subarray(i * size, (i + 1) * size), channels };
      this.sources[source]?.chunks.set(index + i, chunk);
    }
  }

  /** Whether every source has what `count` frames from `frame` on need. @param {number} frame @param {number} count */
  has(frame, count) {
    if (frame >= this.length) return true;
    const first = Math.floor(frame / this.chunkFrames);
    const last = Math.floor((Math.min(frame + count, this.length) - 1) / this.chunkFrames);
    for (let index = first; index <= last; index++) {
      for (const source of this.sources) if (!source.chunks.has(index)) return false;
    }
    return true;
  }

  /** @param {number[]} indexes the chunks that stay */
  keep(indexes) {
    const kept = new Set(indexes);
    for (const source of this.sources) {
      for (const index of source.chunks.keys()) if (!kept.has(index)) source.chunks.delete(index);
    }
  }

  /**
   * Adds one block, given as runs of frames.
   * @param {Float32Array} left @param {Float32Array} right @param {import("./playhead.js").Span[]} spans
   */
  render(left, right, spans) {
    const count = spans.reduce((sum, span) => sum + span.count, 0);
    if (!count) return;
    for (const source of this.sources) {
      source.begin(count);
      for (const span of spans) {
        source.add(left, right, span.at, span.frame, span.count, this.chunkFrames, this.fadeFrames);
      }
      source.end(count);
    }
  }
}
