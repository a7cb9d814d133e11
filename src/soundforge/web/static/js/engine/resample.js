/**
 * Plays a stream of stereo samples faster or slower by a steady factor: a windowed sinc, low enough to fold nothing
 * back. Tuning is exact: a tone of f Hz comes out at factor × f Hz.
 */

const HALF = 16;
const PHASES = 256;
const ROOM = 8192;

export class Resampler {
  constructor() {
    this.left = new Float32Array(ROOM);
    this.right = new Float32Array(ROOM);
    this.factor = 1;
    this.filled = HALF;
    this.position = HALF;
    /** @type {Float32Array} PHASES + 1 kernels of 2 HALF taps */
    this.kernel = new Float32Array(0);
  }

  /** Forgets all: the next sample out is the next sample in. */
  reset() {
    this.left.fill(0, 0, HALF);
    this.right.fill(0, 0, HALF);
    this.filled = HALF;
    this.position = HALF;
  }

  /** @param {number} factor 0.5 to 2 */
  set(factor) {
    if (factor === this.factor) return;
    this.factor = factor;
    if (factor === 1) this.position = Math.round(this.position);
    else this.kernel = kernels(Math.min(1, 1 / factor));
  }

  /** How many samples must come in before `count` can go out. @param {number} count */
  lacks(count) {
    return Math.max(0, Math.floor(this.position + (count - 1) * this.factor) + HALF + 1 - this.filled);
  }

  /** @param {Float32Array} left @param {Float32Array} right */
  push(left, right) {
    this.left.set(left, this.filled);
    this.right.set(right, this.filled);
    this.filled += left.length;
  }

  /** @param {Float32Array} left @param {Float32Array} right */
  pull(left, right) {
    if (this.factor === 1) this.#copy(left, right);
    else this.#filter(left, right);
    this.position += left.length * this.factor;
    const past = Math.floor(this.position) - HALF;
    this.left.copyWithin(0, past, this.filled);
    this.right.copyWithin(0, past, this.filled);
    this.filled -= past;
    this.position -= past;
  }

  /** @param {Float32Array} left @param {Float32Array} right */
  #copy(left, right) {
    left.set(this.left.subarray(this.position, this.position + left.length));
    right.set(this.right.subarray(this.position, this.position + left.length));
  }

  /** @param {Float32Array} left @param {Float32Array} right */
  #filter(left, right) {
    for (let i = 0; i < left.length; i++) {
      const position = this.position + i * this.factor;
      const whole = Math.floor(position);
      const phase = (position - whole) * PHASES;
      const row = Math.floor(phase);
      const share = phase - row;
      const first = whole - HALF + 1;
      let [l, r] = [0, 0];
      for (let tap = 0; tap < 2 * HALF; tap++) {
        const one = /** @type {number} */ (this.kernel[row * 2 * HALF + tap]);
        const two = /** @type {number} */ (this.kernel[(row + 1) * 2 * HALF + tap]);
        const weight = one + (two - one) * share;
        l += weight * /** @type {number} */ (this.left[first + tap]);
        r += weight * /** @type {number} */ (this.right[first + tap]);
      }
      left[i] = l;
      right[i] = r;
    }
  }
}

/** Sincs under a Blackman window, each with sum 1. @param {number} cutoff of half the sample rate */
function kernels(cutoff) {
  const made = new Float32Array((PHASES + 1) * 2 * HALF);
  for (let row = 0; row <= PHASES; row++) {
    const taps = made.subarray(row * 2 * HALF, (row + 1) * 2 * HALF);
    let sum = 0;
    for (let tap = 0; tap < taps.length; tap++) {
      const x = tap - HALF + 1 - row / PHASES;
      const turn = (Math.PI * x) / HALF;
      const window = Math.abs(x) >= HALF ? 0 : 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      sum += taps[tap] = sinc * window;
    }
    for (let tap = 0; tap < taps.length; tap++) taps[tap] = /** @type {number} */ (taps[tap]) / sum;
  }
  return made;
}
