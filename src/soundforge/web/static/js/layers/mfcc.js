/** How the timbre changes: a row for each coefficient, warm above its mean over the song, cool below. */

import { heat } from "../heat.js";

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    const { mfcc, steps, column_s } = scene.document?.pictures ?? {};
    if (!mfcc) return;
    const warm = scene.colour("--stem-drums");
    const cool = scene.colour("--stem-bass");
    heat(pen, scene, band, mfcc.values, column_s, (value) => {
      const from = (2 * value) / steps - 1;
      return [from > 0 ? warm : cool, Math.min(1, 1.4 * Math.abs(from))];
    });
  },
};
