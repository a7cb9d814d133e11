/**
 * Time and pitch: signalsmith-stretch plays the sum of all sources slower or faster without changing its pitch, and a
 * resampler behind it changes the pitch by playing that faster or slower. The library's own transposition is not used:
 * it is up to 20 cents off in the bass, whereas its time is exact.
 *
 * The library is used as its WebAssembly alone (`vendor/`), called here directly, so that input and output are counted
 * in frames by us: there is no clock but the play-head's.
 */

import { Resampler } from "./resample.js";

const BLOCK_S = 0.12;
const INTERVAL_S = 0.03;
const ROOM = 32768; // frames of the library's buffers: over 3 times its delay

/** @typedef {(left: Float32Array, right: Float32Array) => void} Pull fills both with the next frames of the sources */

export class Stretch {
  /** @param {WebAssembly.Module} module @param {number} rate */
  constructor(module, rate) {
    this.wasm = start(module);
    const { configure, setBuffers, inputLatency, outputLatency } = this.wasm;
    configure(2, Math.round(BLOCK_S * rate), Math.round(INTERVAL_S * rate), 1);
    this.buffers = setBuffers(2, ROOM);
    this.before = inputLatency();
    this.after = outputLatency();
    this.resampler = new Resampler();
    this.tempo = 1;
    this.owed = 0;
  }

  /** @param {number} tempo 0.5 to 1.5 @param {number} semitones -12 to 12 */
  set(tempo, semitones) {
    this.tempo = tempo;
    this.resampler.set(2 ** (semitones / 12));
  }

  /** Frames of the sources to one stretched frame. */
  get ratio() {
    return this.tempo / this.resampler.factor;
  }

  /** How many frames beyond the one that is heard first must be there to begin. */
  get needs() {
    return Math.ceil(this.before + this.ratio * (this.after + 600));
  }

  /** After how many samples a change of tempo is heard. */
  get lag() {
    return this.after / this.resampler.factor;
  }

  /**
   * Begins anew, so that the next sample rendered is the first frame that `pull` gives.
   * @param {Pull} past fills both with the frames that lie right before that one
   * @param {Pull} pull
   */
  prime(past, pull) {
    const { reset, seek, process } = this.wasm;
    reset();
    this.resampler.reset();
    this.owed = 0;
    past(this.#input(0, 0, this.after), this.#input(1, 0, this.after));
    pull(this.#input(0, this.after, this.before), this.#input(1, this.after, this.before));
    seek(this.after + this.before, this.ratio);
    const count = Math.round(this.ratio * this.after);
    pull(this.#input(0, 0, count), this.#input(1, 0, count));
    process(count, this.after);
  }

  /** @param {Pull} pull @param {Float32Array} left @param {Float32Array} right */
  render(pull, left, right) {
    const stretched = this.resampler.lacks(left.length);
    this.owed += stretched * this.ratio;
    const count = Math.floor(this.owed);
    this.owed -= count;
    if (count) pull(this.#input(0, 0, count), this.#input(1, 0, count));
    this.wasm.process(count, stretched);
    this.resampler.push(this.#channel(2, 0, stretched), this.#channel(3, 0, stretched));
    this.resampler.pull(left, right);
  }

  /** A cleared part of an input buffer. @param {0 | 1} channel @param {number} from @param {number} count */
  #input(channel, from, count) {
    return this.#channel(channel, from, count).fill(0);
  }

  /** Buffers lie one after the other: two in, two out. @param {number} number @param {number} from @param {number} count */
  #channel(number, from, count) {
    return new Float32Array(this.wasm.memory.buffer, this.buffers + 4 * (number * ROOM + from), count);
  }
}

/**
 * The library's functions by their names; its build gives them one letter each.
 * @param {WebAssembly.Module} module
 */
function start(module) {
  /** @type {any} */
  let calls = null;
  const memory = () => /** @type {WebAssembly.Memory} */ (calls.e);
  const bytes = () => new Uint8Array(memory().buffer);
  const abort = () => {
    throw new Error("signalsmith-stretch ran out of memory");
  };
  calls = new WebAssembly.Instance(module, {
    a: {
      a: (/** @type {number} */ at, /** @type {number} */ count) => {
        for (let i = 0; i < count; i++) bytes()[at + i] = Math.random() * 256;
        return 0;
      },
      b: (/** @type {number} */ size) => {
        memory().grow(Math.ceil((size - memory().buffer.byteLength) / 65536));
        return 1;
      },
      c: (/** @type {number} */ to, /** @type {number} */ from, /** @type {number} */ count) =>
        void bytes().copyWithin(to, from, from + count),
      d: abort,
    },
  }).exports;
  calls.f(); // global constructors
  calls.y(0, 0); // main
  return {
    memory: memory(),
    setBuffers: /** @type {(channels: number, length: number) => number} */ (calls.h),
    inputLatency: /** @type {() => number} */ (calls.k),
    outputLatency: /** @type {() => number} */ (calls.l),
    reset: /** @type {() => void} */ (calls.m),
    configure: /** @type {(channels: number, block: number, interval: number, split: number) => void} */ (calls.p),
    seek: /** @type {(count: number, ratio: number) => void} */ (calls.v),
    process: /** @type {(input: number, output: number) => void} */ (calls.w),
  };
}
