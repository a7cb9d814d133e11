/** How bright it sounds: the middle of the spectrum as a line, on octaves of a kilohertz. */

import { line, marks } from "../heat.js";

const LOW = 250;
const HIGH = 10_000;

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    const { centroid_hz: values, column_s } = scene.document?.pictures ?? {};
    if (!values) return;
    const y = (/** @type {number} */ hertz) => {
      const share = Math.log(Math.min(HIGH, Math.max(LOW, hertz)) / LOW) / Math.log(HIGH / LOW);
      return band.y + band.height * (1 - share);
    };
    marks(pen, scene, [1, 4].map((kilo) => ({ y: y(1000 * kilo), text: `${kilo} kHz` })));
    pen.strokeStyle = scene.colour("--warn");
    pen.lineWidth = 2;
    line(pen, scene, values.map((/** @type {number} */ hertz) => hertz || null), column_s, y);
  },
};
