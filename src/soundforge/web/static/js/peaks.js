/**
 * Waveform peaks: .dat files of audiowaveform, version 2, 8 bit; of four levels the one that fits what is shown.
 * https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
 */

export class Peaks {
  /**
   * @param {Int8Array} values minimum, maximum, minimum, …
   * @param {number} perSecond pairs in a second
   * @param {number} samplesPerPair
   */
  constructor(values, perSecond, samplesPerPair) {
    this.values = values;
    this.perSecond = perSecond;
    this.samplesPerPair = samplesPerPair;
    this.length = values.length / 2;
    this.loudest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 128;
  }

  /** @param {ArrayBuffer} buffer @returns {Peaks} */
  static read(buffer) {
    const header = new DataView(buffer);
    const version = header.getInt32(0, true);
    const eightBit = header.getUint32(4, true) & 1;
    if (version !== 2 || !eightBit) throw new Error(`peaks of version ${version} cannot be read`);
    const samplesPerPair = header.getInt32(12, true);
    const perSecond = header.getInt32(8, true) / samplesPerPair;
    const channels = header.getInt32(20, true);
    const all = new Int8Array(buffer, 24, header.getUint32(16, true) * channels * 2);
    return new Peaks(channels === 1 ? all : widest(all, channels), perSecond, samplesPerPair);
  }

  /**
   * Minimum and maximum for each of `columns` equal parts of a span, −1 to 1. Between two values it draws a line.
   * @param {number} start_s @param {number} end_s @param {number} columns @returns {Float32Array} min, max, min, …
   */
  span(start_s, end_s, columns) {
    const out = new Float32Array(columns * 2);
    const per = ((end_s - start_s) * this.perSecond) / columns;
    const { values, length } = this;
    for (let column = 0; column < columns; column++) {
      const from = start_s * this.perSecond + column * per;
      const first = Math.floor(from);
      const last = Math.max(first + 1, Math.ceil(from + per));
      let low = 127;
      let high = -128;
      for (let i = Math.max(0, first); i < Math.min(last, length); i++) {
        const a = /** @type {number} */ (values[2 * i]);
        const b = /** @type {number} */ (values[2 * i + 1]);
        if (a < low) low = a;
        if (b > high) high = b;
      }
      if (high < low) continue;
      out[2 * column] = low / 128;
      out[2 * column + 1] = high / 128;
    }
    return out;
  }
}

const FINEST = 256; // samples in a pair; each further level has four times as many
const COARSEST = 16384;
const USUAL_RATE = 44100; // until a level has told the file's own

/** A waveform: draws what has come, and fetches the level that fits. Extremes are the same at every level. */
export class Waveform {
  /** @type {Peaks[]} the finest first */
  #levels = [];
  /** @type {Set<number>} */
  #asked = new Set();
  #url;
  #come;

  /** @param {string} url @param {() => void} come called when another level has come */
  constructor(url, come) {
    this.#url = url;
    this.#come = come;
  }

  /** With the level that fits columns of so many seconds. @param {string} url @param {number} column_s @param {() => void} come */
  static async open(url, column_s, come) {
    const waveform = new Waveform(url, come);
    await waveform.#fetch(fitting(column_s * USUAL_RATE));
    return waveform;
  }

  get loudest() {
    return this.#levels[0]?.loudest ?? 0;
  }

  /** @param {number} start_s @param {number} end_s @param {number} columns @returns {Float32Array} as of `Peaks` */
  span(start_s, end_s, columns) {
    const [first] = this.#levels;
    if (!first) return new Float32Array(columns * 2);
    const rate = first.perSecond * first.samplesPerPair;
    const wanted = fitting((rate * (end_s - start_s)) / columns);
    if (!this.#asked.has(wanted)) this.#fetch(wanted).then(this.#come, (error) => console.warn(`waveform: ${error}`));
    const level = this.#levels.findLast(({ samplesPerPair }) => samplesPerPair <= wanted) ?? first;
    return level.span(start_s, end_s, columns);
  }

  /** @param {number} samplesPerPair */
  async #fetch(samplesPerPair) {
    this.#asked.add(samplesPerPair);
    const level = await readPeaks(`${this.#url}?samples_per_pixel=${samplesPerPair}`);
    if (!this.#levels.some((one) => one.samplesPerPair === level.samplesPerPair)) this.#levels.push(level);
    this.#levels.sort((a, b) => a.samplesPerPair - b.samplesPerPair);
  }
}

/** The coarsest level with a pair or more for each column. @param {number} samples in a column */
function fitting(samples) {
  let level = FINEST;
  while (level < COARSEST && level * 4 <= samples) level *= 4;
  return level;
}

/** The outer hull of several channels. @param {Int8Array} all @param {number} channels */
function widest(all, channels) {
  const values = new Int8Array(all.length / channels);
  for (let i = 0; i < values.length; i += 2) {
    let low = 127;
    let high = -128;
    for (let c = 0; c < channels; c++) {
      low = Math.min(low, /** @type {number} */ (all[(i / 2) * channels * 2 + 2 * c]));
      high = Math.max(high, /** @type {number} */ (all[(i / 2) * channels * 2 + 2 * c + 1]));
    }
    values[i] = low;
    values[i + 1] = high;
  }
  return values;
}

/** @type {Map<string, Promise<any>>} the last few files, so that a page that comes back draws at once */
const kept = new Map();

/** @template T @param {string} url @param {(answer: Response) => Promise<T>} read @returns {Promise<T>} */
export function fetched(url, read) {
  const held = kept.get(url);
  if (held) return held;
  const coming = fetch(url).then((answer) => {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return read(answer);
  });
  kept.set(url, coming);
  coming.catch(() => kept.delete(url));
  for (const old of kept.keys()) if (kept.size > 24) kept.delete(old);
  return coming;
}

/** @param {string} url */
const readPeaks = (url) => fetched(url, async (answer) => Peaks.read(await answer.arrayBuffer()));

/** The analysis document, or a part of it. @param {string} url @returns {Promise<any>} */
export const readDocument = (url) => fetched(url, (answer) => answer.json());
