/** Where somebody likely sings, as a line of its own below the chords; nothing before a vocal stem was heard. */

const HEIGHT = 5;
const LIKELY = 0.5; // a guess is not drawn: the basic separation gives no more (soundforge/formats/_vocals.py)

/** @type {import("../timeline.js").Layer} */
export default {
  top: HEIGHT,
  draw(pen, scene, band) {
    /** @type {{ start_s: number, end_s: number, confidence?: number }[]} */
    const spans = scene.document?.vocals?.spans ?? [];
    pen.fillStyle = scene.colour("--stem-vocals");
    for (const { start_s, end_s, confidence = 1 } of spans) {
      if (confidence <= LIKELY || end_s <= scene.start_s || start_s >= scene.end_s) continue;
      const left = Math.max(0, scene.x(start_s));
      pen.globalAlpha = 0.4 + 0.6 * Math.min(1, Math.max(0, confidence));
      pen.fillRect(left, band.y + 1, Math.max(1, Math.min(scene.width, scene.x(end_s)) - left), HEIGHT - 2);
    }
    pen.globalAlpha = 1;
  },
};
