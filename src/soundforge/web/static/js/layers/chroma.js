/** Which tones sound: twelve rows from C at the bottom, the fuller the stronger. */

import { heat } from "../heat.js";

const TONES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    const { chroma, steps, column_s } = scene.document?.pictures ?? {};
    if (!chroma) return;
    const colour = scene.colour("--accent");
    heat(pen, scene, band, chroma, column_s, (value) => [colour, (value / steps) ** 1.6]);
    pen.font = `600 10px ${getComputedStyle(pen.canvas).fontFamily}`;
    pen.textBaseline = "middle";
    const height = band.height / TONES.length;
    const plate = scene.colour("--panel");
    const ink = scene.colour("--text");
    for (const [row, tone] of TONES.entries()) {
      if (height < 11 && row % 2) continue;
      const middle = band.y + band.height - (row + 0.5) * height;
      pen.globalAlpha = 0.85;
      pen.fillStyle = plate;
      pen.fillRect(0, middle - height / 2, 22, height);
      pen.globalAlpha = 1;
      pen.fillStyle = ink;
      pen.fillText(tone, 4, middle);
    }
  },
};
