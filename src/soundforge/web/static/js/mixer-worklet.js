/**
 * The mixer's sound: one processor for all sources of a track, so that no source can drift from another.
 *
 * There is one play-head, an integer frame. A block is rendered only when *every* source has its chunk for this block
 * and the next; otherwise all of them hold. Starts, stops, seeks and holds are ramps of one block (about 3 ms), never
 * clicks. A new set of sources (stems in place of the mix) is faded over at the running position.
 *
 * In:  open {id, at, length, chunkFrames, gains}   at null: take over at the running position
 *      chunk {set, source, index, channels, data}  data: interleaved int16
 *      evict {set, first, last}                    keep only these chunks
 *      length {set, frames} · play · pause · seek {frame, generation} · gain {set, source, gain}
 * Out: report {generation, set, frame, time, playing, held, ended, peaks}
 */

const FADE_FRAMES = 1024;
const REPORT_BLOCKS = 12;
const SMOOTHING = 0.3;

/** @typedef {{ samples: Int16Array, channels: number }} Chunk */

class Source {
  /** @param {number} gain linear */
  constructor(gain) {
    /** @type {Map<number, Chunk>} */
    this.chunks = new Map();
    this.gain = gain;
    this.target = gain;
    this.peak = 0;
  }

  /** One block's way from the gain it has towards the gain it shall have. */
  nextGain() {
    const distance = this.target - this.gain;
    return Math.abs(distance) < 1e-4 ? this.target : this.gain + distance * SMOOTHING;
  }

  /**
   * Adds `count` frames from `frame` on into left and right, its gain sliding to the next.
   * @param {Float32Array} left @param {Float32Array} right @param {number} frame @param {number} count
   * @param {number} chunkFrames
   */
  add(left, right, frame, count, chunkFrames) {
    const from = this.gain;
    const step = (this.nextGain() - from) / count;
    let peak = this.peak;
    for (let done = 0; done < count; ) {
      const index = Math.floor((frame + done) / chunkFrames);
      const offset = frame + done - index * chunkFrames;
      const run = Math.min(count - done, chunkFrames - offset);
      const chunk = this.chunks.get(index);
      if (chunk) {
        const { samples, channels } = chunk;
        const second = channels > 1 ? 1 : 0;
        const frames = Math.min(run, samples.length / channels - offset);
        for (let i = 0; i < frames; i++) {
          const gain = (from + step * (done + i)) / 32768;
          const at = (offset + i) * channels;
          const l = /** @type {number} */ (samples[at]) * gain;
          const r = /** @type {number} */ (samples[at + second]) * gain;
          left[done + i] = /** @type {number} */ (left[done + i]) + l;
          right[done + i] = /** @type {number} */ (right[done + i]) + r;
          const loudest = Math.max(Math.abs(l), Math.abs(r));
          if (loudest > peak) peak = loudest;
        }
      }
      done += run;
    }
    this.gain = from + step * count;
    this.peak = peak;
  }
}

class SourceSet {
  /** @param {{ id: number, length: number, chunkFrames: number, gains: number[] }} description */
  constructor({ id, length, chunkFrames, gains }) {
    this.id = id;
    this.length = length;
    this.chunkFrames = chunkFrames;
    this.sources = gains.map((gain) => new Source(gain));
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

  /** @param {number} first @param {number} last */
  keep(first, last) {
    for (const source of this.sources) {
      for (const index of source.chunks.keys()) if (index < first || index > last) source.chunks.delete(index);
    }
  }

  /** @param {Float32Array} left @param {Float32Array} right @param {number} frame */
  render(left, right, frame) {
    for (const source of this.sources) source.add(left, right, frame, left.length, this.chunkFrames);
  }
}

class MixerProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @type {Map<number, SourceSet>} */
    this.sets = new Map();
    /** @type {SourceSet | null} what sounds */
    this.set = null;
    /** @type {SourceSet | null} what takes over */
    this.coming = null;
    this.faded = 0;
    this.frame = 0;
    this.generation = 0;
    /** @type {{ frame: number, generation: number, set: SourceSet | null } | null} */
    this.jump = null;
    this.playing = false;
    this.held = false;
    this.ended = false;
    this.level = 0;
    this.blocks = 0;
    this.other = { left: new Float32Array(128), right: new Float32Array(128) };
    this.port.onmessage = (event) => this.receive(event.data);
  }

  /** @param {any} message */
  receive(message) {
    switch (message.type) {
      case "open":
        return this.open(message);
      case "chunk":
        return this.sets
          .get(message.set)
          ?.sources[message.source]?.chunks.set(message.index, {
            samples: new Int16Array(message.data),
            channels: message.channels,
          });
      case "evict":
        return this.sets.get(message.set)?.keep(message.first, message.last);
      case "length": {
        const set = this.sets.get(message.set);
        if (set) set.length = message.frames;
        return;
      }
      case "play":
        this.playing = true;
        this.ended = false;
        return;
      case "pause":
        this.playing = false;
        return;
      case "seek":
        this.jump = { frame: message.frame, generation: message.generation, set: this.jump?.set ?? null };
        this.ended = false;
        return;
      case "gain": {
        const source = this.sets.get(message.set)?.sources[message.source];
        if (source) source.target = message.gain;
      }
    }
  }

  /** @param {any} message */
  open(message) {
    const set = new SourceSet(message);
    this.sets.set(set.id, set);
    if (message.at === null) {
      this.drop(this.coming);
      this.coming = set;
      this.faded = 0;
    } else {
      this.drop(this.jump?.set ?? null);
      this.jump = { frame: message.at, generation: message.generation, set };
      this.ended = false;
    }
  }

  /** @param {SourceSet | null} set */
  drop(set) {
    if (set) this.sets.delete(set.id);
  }

  /** A seek takes effect in silence: the ramp down came first. */
  land() {
    if (!this.jump || this.level > 0) return;
    const { frame, generation, set } = this.jump;
    this.jump = null;
    this.frame = frame;
    this.generation = generation;
    if (set) {
      this.drop(this.set);
      this.drop(this.coming);
      this.set = set;
      this.coming = null;
    }
    this.report();
  }

  /** In silence the coming set takes over at once; in sound, by a fade that starts when all it needs is there. */
  takeOver() {
    if (!this.coming || this.level > 0) return;
    this.drop(this.set);
    this.set = this.coming;
    this.coming = null;
    this.faded = 0;
    this.report();
  }

  /** @param {SourceSet} set @param {number} count whether all that sounds is there */
  ready(set, count) {
    return set.has(this.frame, count) && (this.faded === 0 || !this.coming || this.coming.has(this.frame, count));
  }

  /** @override @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    const output = outputs[0];
    const left = output?.[0];
    if (!left) return true;
    const right = output[1] ?? left;
    this.land();
    this.takeOver();
    const set = this.set;
    if (!set) return true;
    if (this.playing && this.frame >= set.length && !this.jump) this.end();
    const go = this.playing && !this.jump && this.ready(set, 2 * left.length);
    this.hold(this.playing && !this.jump && !go);
    if (++this.blocks >= REPORT_BLOCKS && this.level > 0) this.report();
    if (go || this.level > 0) this.render(set, left, right, go ? 1 : 0);
    return true;
  }

  /** @param {SourceSet} set @param {Float32Array} left @param {Float32Array} right @param {number} target */
  render(set, left, right, target) {
    const count = left.length;
    set.render(left, right, this.frame);
    if (this.coming && (this.faded > 0 || this.coming.has(this.frame, 4 * count))) this.fade(this.coming, left, right);
    const step = (target - this.level) / count;
    if (step !== 0) {
      for (let i = 0; i < count; i++) {
        const level = this.level + step * i;
        left[i] = /** @type {number} */ (left[i]) * level;
        if (right !== left) right[i] = /** @type {number} */ (right[i]) * level;
      }
    }
    this.level = target;
    this.frame += count;
    if (target === 0) this.report();
  }

  /** Both sets play the same frames; a straight cross-fade of equal signals changes nothing that is heard.
   * @param {SourceSet} coming @param {Float32Array} left @param {Float32Array} right */
  fade(coming, left, right) {
    const other = this.other;
    other.left.fill(0);
    other.right.fill(0);
    coming.render(other.left, other.right, this.frame);
    for (let i = 0; i < left.length; i++) {
      const share = Math.min(1, (this.faded + i) / FADE_FRAMES);
      const l = /** @type {number} */ (left[i]);
      const r = /** @type {number} */ (right[i]);
      left[i] = l + (/** @type {number} */ (other.left[i]) - l) * share;
      right[i] = r + (/** @type {number} */ (other.right[i]) - r) * share;
    }
    this.faded += left.length;
    if (this.faded < FADE_FRAMES) return;
    this.drop(this.set);
    this.set = coming;
    this.coming = null;
    this.faded = 0;
    this.report();
  }

  end() {
    this.playing = false;
    this.ended = true;
    this.report();
  }

  /** @param {boolean} held */
  hold(held) {
    if (held === this.held) return;
    this.held = held;
    this.report();
  }

  report() {
    this.blocks = 0;
    const sources = this.set?.sources ?? [];
    this.port.postMessage({
      type: "report",
      generation: this.generation,
      set: this.set?.id ?? 0,
      frame: this.frame,
      time: currentTime,
      playing: this.playing,
      held: this.held,
      ended: this.ended,
      peaks: sources.map((source) => source.peak),
    });
    for (const source of sources) source.peak = 0;
  }
}

registerProcessor("soundforge-mixer", MixerProcessor);
