/** Beats and bars, as far apart as the eye can tell: bars first, beats only when there is room. */

const BEAT_ROOM = 7;
const BAR_ROOM = 5;

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    /** @type {number[]} */
    const beats = scene.document?.beats?.times_s ?? [];
    if (beats.length < 2) return;
    /** @type {number[]} */
    const downbeats = scene.document?.downbeats?.beat_indices ?? [];
    const bars = new Set(downbeats.length ? downbeats : [...beats.keys()].filter((i) => i % 4 === 0));
    const first = /** @type {number} */ (beats[0]);
    const last = /** @type {number} */ (beats[beats.length - 1]);
    const beatRoom = (scene.x(last) - scene.x(first)) / (beats.length - 1);
    const barRoom = beatRoom * (beats.length / Math.max(1, bars.size));
    const every = Math.max(1, 2 ** Math.ceil(Math.log2(BAR_ROOM / barRoom)));
    if (beatRoom >= BEAT_ROOM) lines(pen, scene, band, beats.filter((_, i) => !bars.has(i)), "--beat");
    lines(pen, scene, band, [...bars].filter((_, i) => i % every === 0).map((i) => beats[i] ?? -1), "--bar");
  },
};

/**
 * @param {CanvasRenderingContext2D} pen @param {import("../timeline.js").Scene} scene
 * @param {import("../timeline.js").Band} band @param {number[]} times @param {string} colour
 */
function lines(pen, scene, band, times, colour) {
  pen.fillStyle = scene.colour(colour);
  for (const time of times) {
    if (time >= scene.start_s && time <= scene.end_s) pen.fillRect(Math.round(scene.x(time)), band.y, 1, band.height);
  }
}
