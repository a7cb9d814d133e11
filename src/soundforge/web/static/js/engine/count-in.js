/** A bar of clicks before the sound begins; the sound begins on the very sample where the next click would stand. */

export class CountIn {
  /** @param {{ interval: number, beats: number }} description interval: samples from beat to beat; the first is accented */
  constructor({ interval, beats }) {
    this.interval = interval;
    this.beats = beats;
    this.played = 0;
    this.length = 0;
    this.fresh = true;
  }

  get done() {
    return this.played >= this.length && !this.fresh;
  }

  /** The clicks of the next block, as samples in it. The whole lasts full blocks: silence comes first to fill them up.
   * @param {number} block @returns {{ index: number, accent: boolean }[]} */
  strokes(block) {
    const total = this.beats * this.interval;
    this.length = Math.ceil(total / block) * block;
    const found = [];
    for (let beat = 0; beat < this.beats; beat++) {
      const index = Math.round(this.length - total + beat * this.interval) - this.played;
      if (index >= 0 && index < block) found.push({ index, accent: beat === 0 });
    }
    this.played += block;
    this.fresh = false;
    return found;
  }
}
