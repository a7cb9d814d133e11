/**
 * Waveform peaks: the .dat file of audiowaveform, version 2, 8 bit, one level, read once and thinned for the screen.
 * https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
 */

export class Peaks {
  /**
   * @param {Int8Array} values minimum, maximum, minimum, …
   * @param {number} perSecond pairs in a second
   */
  constructor(values, perSecond) {
    this.values = values;
    this.perSecond = perSecond;
    this.length = values.length / 2;
    this.loudest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 128;
  }

  /** @param {ArrayBuffer} buffer @returns {Peaks} */
  static read(buffer) {
    const header = new DataView(buffer);
    const version = header.getInt32(0, true);
    const eightBit = header.getUint32(4, true) & 1;
    if (version !== 2 || !eightBit) throw new Error(`peaks of version ${version} cannot be read`);
    const perSecond = header.getInt32(8, true) / header.getInt32(12, true);
    const channels = header.getInt32(20, true);
    const all = new Int8Array(buffer, 24, header.getUint32(16, true) * channels * 2);
    return new Peaks(channels === 1 ? all : widest(all, channels), perSecond);
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
export const readPeaks = (url) => fetched(url, async (answer) => Peaks.read(await answer.arrayBuffer()));

/** The analysis document, or a part of it. @param {string} url @returns {Promise<any>} */
export const readDocument = (url) => fetched(url, (answer) => answer.json());
