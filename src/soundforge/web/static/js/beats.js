/** The grid of a song, out of its analysis document: beats, bars, and the nearest of them. */

const LOOK_S = 1e-3; // a position this close to a beat is on it

export class Grid {
  /** @param {any} document the analysis document, or null */
  constructor(document) {
    /** @type {number[]} seconds */
    this.beats = document?.beats?.times_s ?? [];
    /** @type {number[]} */
    const found = document?.downbeats?.beat_indices ?? [];
    const known = found.length ? found : this.beats.map((_, i) => i).filter((i) => i % 4 === 0);
    /** Indexes of the beats that begin a bar. */
    this.downbeats = new Set(known);
    /** @type {number[]} seconds */
    this.bars = known.map((i) => this.beats[i]).filter((time) => time !== undefined);
    /** @type {{ start_s: number, end_s: number }[]} */
    this.sections = document?.sections ?? [];
  }

  /** The nearest beat, as far as beats are known there; else the same. @param {number} seconds */
  snap(seconds) {
    const nearest = this.beats.reduce((best, beat) => (Math.abs(beat - seconds) < Math.abs(best - seconds) ? beat : best), Infinity);
    const reach = this.beat_s(seconds);
    return Math.abs(nearest - seconds) <= reach ? nearest : seconds;
  }

  /** How long a beat lasts here. @param {number} seconds */
  beat_s(seconds) {
    const index = Math.max(1, Math.min(this.beats.length - 1, this.beats.findIndex((beat) => beat > seconds)));
    return (this.beats[index] ?? 0) - (this.beats[index - 1] ?? 0) || 0.5;
  }

  /** How many beats the bar here has. @param {number} seconds */
  meter(seconds) {
    const bar = this.bars.findLastIndex((time) => time <= seconds + LOOK_S);
    const [from, to] = [this.bars[Math.max(0, bar)], this.bars[Math.max(0, bar) + 1]];
    return from === undefined || to === undefined ? 4 : this.beats.filter((beat) => beat >= from && beat < to).length;
  }

  /** So many bars from the one at a position on. @param {number} seconds @param {number} count */
  barsFrom(seconds, count) {
    const first = Math.max(0, this.bars.findLastIndex((time) => time <= seconds + LOOK_S));
    const start_s = this.bars[first];
    if (start_s === undefined) return null;
    const last = this.bars.length - 1;
    const end_s = this.bars[first + count] ?? (this.bars[last] ?? 0) + (first + count - last) * this.beat_s(start_s) * this.meter(start_s);
    return { start_s, end_s };
  }

  /** The section at a position, its edges moved onto the grid. @param {number} seconds */
  section(seconds) {
    const found = this.sections.find(({ start_s, end_s }) => seconds >= start_s - LOOK_S && seconds < end_s - LOOK_S);
    return found ? { start_s: this.snap(found.start_s), end_s: this.snap(found.end_s) } : null;
  }
}
