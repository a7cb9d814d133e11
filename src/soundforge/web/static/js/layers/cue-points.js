/** Cue points of the user: flags along the upper edge of the waveform, hot cues with the number of their pad. They can be dragged. */

import { Grid } from "../beats.js";

const FLAG = 16;
const REACH = 24; // pixels: as much as a finger needs

/** @param {import("../timeline.js").Scene} scene @param {import("../cue-points.js").Cue} cue */
const width = (scene, { slot }) => (slot ? FLAG : FLAG / 2);

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    pen.font = `700 11px ${getComputedStyle(pen.canvas).fontFamily}`;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    for (const cue of scene.cues) {
      if (cue.t_s < scene.start_s || cue.t_s > scene.end_s) continue;
      const x = Math.round(scene.x(cue.t_s));
      const wide = width(scene, cue);
      const left = Math.min(x, scene.width - wide);
      pen.fillStyle = scene.colour(`--cue-${cue.colour}`);
      pen.fillRect(x, band.y, cue.slot ? 2 : 1, band.height);
      if (cue.slot) {
        pen.fillRect(left, band.y, wide, FLAG);
        pen.fillStyle = scene.colour("--ground");
        pen.fillText(String(cue.slot), left + wide / 2, band.y + FLAG / 2 + 0.5);
      } else {
        pen.beginPath();
        pen.moveTo(left, band.y);
        pen.lineTo(left + wide, band.y);
        pen.lineTo(left, band.y + wide);
        pen.fill();
      }
    }
    pen.textAlign = "start";
  },

  grip(scene, band, at) {
    if (at.y < band.y || at.y > band.y + REACH) return null;
    const near = (/** @type {import("../cue-points.js").Cue} */ cue) => {
      const left = Math.min(scene.x(cue.t_s), scene.width - width(scene, cue));
      return Math.max(left - at.x, at.x - left - width(scene, cue), 0);
    };
    const closest = scene.cues.reduce((best, cue) => (!best || near(cue) <= near(best) ? cue : best), scene.cues[0]);
    if (!closest || near(closest) > (REACH - FLAG) / 2) return null;
    const grid = new Grid(scene.document);
    return { id: closest.id, t_s: closest.t_s, place: (seconds, free) => (free ? seconds : grid.snap(seconds)) };
  },
};
