/** Short-term loudness as a line, on a scale of LUFS. */

import { line, marks } from "../heat.js";

const TOP = 0;
const BOTTOM = -36;

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    const { loudness_lufs: values, column_s } = scene.document?.pictures ?? {};
    if (!values) return;
    const y = (/** @type {number} */ lufs) =>
      band.y + (band.height * (TOP - Math.min(TOP, Math.max(BOTTOM, lufs)))) / (TOP - BOTTOM);
    marks(pen, scene, [-12, -24].map((lufs) => ({ y: y(lufs), text: `${-lufs === 12 ? "−12 LUFS" : "−24"}` })));
    pen.strokeStyle = scene.colour("--accent");
    pen.lineWidth = 2;
    line(pen, scene, values, column_s, y);
  },
};
