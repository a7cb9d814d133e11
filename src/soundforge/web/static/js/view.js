/** What part of a track a group of timelines shows; all of a group zoom and scroll together. */

const MOST_ZOOM_S = 2;
const MOST_SCALE = 8;

export class View extends EventTarget {
  /** @param {number} duration_s */
  constructor(duration_s) {
    super();
    this.duration_s = duration_s;
    this.start_s = 0;
    this.end_s = duration_s;
    this.scale = 1;
  }

  /** Quiet music is drawn larger, all of a group alike, so that stems still compare. @param {number} loudest 0 to 1 */
  fit(loudest) {
    const scale = Math.min(MOST_SCALE, 1 / Math.max(loudest, 1e-3));
    if (scale === this.scale) return;
    this.scale = scale;
    this.dispatchEvent(new Event("change"));
  }

  get whole() {
    return this.end_s - this.start_s >= this.duration_s - 1e-6;
  }

  /** @param {number} start_s @param {number} end_s */
  show(start_s, end_s) {
    const span = Math.min(this.duration_s, Math.max(Math.min(MOST_ZOOM_S, this.duration_s), end_s - start_s));
    const start = Math.min(Math.max(0, start_s), this.duration_s - span);
    if (start === this.start_s && start + span === this.end_s) return;
    this.start_s = start;
    this.end_s = start + span;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} factor over 1: closer @param {number} around_s stays where it is */
  zoom(factor, around_s) {
    const span = (this.end_s - this.start_s) / factor;
    const share = (around_s - this.start_s) / (this.end_s - this.start_s);
    this.show(around_s - share * span, around_s + (1 - share) * span);
  }

  /** @param {number} seconds */
  scroll(seconds) {
    this.show(this.start_s + seconds, this.end_s + seconds);
  }

  /** Turns the page when the play-head leaves it. @param {number} position_s */
  follow(position_s) {
    if (this.whole || (position_s >= this.start_s && position_s < this.end_s)) return;
    const span = this.end_s - this.start_s;
    this.show(position_s - span * 0.05, position_s + span * 0.95);
  }
}

/** @type {Map<string, View>} */
const views = new Map();

/** @param {string} group @param {number} duration_s */
export function viewOf(group, duration_s) {
  const held = views.get(group);
  if (held?.duration_s === duration_s) return held;
  const view = new View(duration_s);
  views.set(group, view);
  for (const old of views.keys()) if (views.size > 16) views.delete(old);
  return view;
}
