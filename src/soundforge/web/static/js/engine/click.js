/** The click: two short tones, higher on the first beat of a bar, laid onto what is heard. */

const TONES = { accent: 1760, beat: 1174.66 };
const LENGTH_S = 0.05;
const DECAY_S = 0.012;

/** @param {number} hz @param {number} rate */
function tone(hz, rate) {
  const made = new Float32Array(Math.round(LENGTH_S * rate));
  for (let i = 0; i < made.length; i++) {
    const time = i / rate;
    made[i] = 0.5 * Math.sin(2 * Math.PI * hz * time) * Math.exp(-time / DECAY_S);
  }
  return made;
}

export class Click {
  /** @param {number} rate */
  constructor(rate) {
    this.accent = tone(TONES.accent, rate);
    this.beat = tone(TONES.beat, rate);
    this.gain = 0;
    /** @type {number[]} frames, in order */
    this.frames = [];
    /** @type {boolean[]} */
    this.accents = [];
    /** @type {Float32Array | null} what sounds now */
    this.sounding = null;
    this.played = 0;
  }

  /**
   * Adds the clicks of a block whose frames lie in `spans`, `ratio` frames to each sample of the block.
   * @param {Float32Array} left @param {Float32Array} right @param {import("./playhead.js").Span[]} spans
   * @param {number} ratio
   */
  render(left, right, spans, ratio) {
    if (this.gain === 0) return void (this.sounding = null);
    let done = 0;
    for (const { frame, count, at } of spans) {
      for (let i = this.#first(frame); i < this.frames.length; i++) {
        const beat = /** @type {number} */ (this.frames[i]);
        if (beat >= frame + count) break;
        const index = Math.min(left.length - 1, Math.round((at + beat - frame) / ratio));
        this.#play(left, right, done, index);
        done = index;
        this.#strike(this.accents[i] ?? false);
      }
    }
    this.#play(left, right, done, left.length);
  }

  /**
   * Adds clicks at given samples of the block.
   * @param {Float32Array} left @param {Float32Array} right @param {{ index: number, accent: boolean }[]} strokes
   */
  count(left, right, strokes) {
    let done = 0;
    for (const { index, accent } of strokes) {
      this.#play(left, right, done, index);
      done = index;
      this.#strike(accent);
    }
    this.#play(left, right, done, left.length);
  }

  /** @param {boolean} accent */
  #strike(accent) {
    this.sounding = accent ? this.accent : this.beat;
    this.played = 0;
  }

  /** @param {Float32Array} left @param {Float32Array} right @param {number} from @param {number} to */
  #play(left, right, from, to) {
    const tone = this.sounding;
    if (!tone) return;
    const gain = this.gain || 1; // a count-in is heard also when the click is off
    for (let i = from; i < to && this.played < tone.length; i++, this.played++) {
      const sample = /** @type {number} */ (tone[this.played]) * gain;
      left[i] = /** @type {number} */ (left[i]) + sample;
      if (right !== left) right[i] = /** @type {number} */ (right[i]) + sample;
    }
    if (this.played >= tone.length) this.sounding = null;
  }

  /** The first click at or after a frame. @param {number} frame */
  #first(frame) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {number} */ (this.frames[middle]) < frame) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
