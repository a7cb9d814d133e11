/** Cue points that the analysis found: flags along the lower edge, fainter the less sure. Sections have plates of their own. */

const FLAG = 14;
/** @type {Record<string, [string, string]>} name and colour */
const KINDS = {
  first_downbeat: ["1", "--muted"],
  mix_in: ["In", "--good"],
  drop: ["Drop", "--warn"],
  mix_out: ["Out", "--bad"],
  vocals_in: ["Vox", "--stem-vocals"],
  vocals_out: ["Vox out", "--stem-vocals"],
  fade_out: ["Fade", "--muted"],
};

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    /** @type {{ t_s: number, kind: string, confidence?: number }[]} */
    const cues = scene.document?.cues ?? [];
    pen.font = `600 10px ${getComputedStyle(pen.canvas).fontFamily}`;
    pen.textBaseline = "middle";
    let free = -Infinity;
    for (const { t_s, kind, confidence = 1 } of cues) {
      const [name, colour] = KINDS[kind] ?? [];
      if (!name || !colour || t_s < scene.start_s || t_s > scene.end_s) continue;
      const x = Math.round(scene.x(t_s));
      const width = pen.measureText(name).width + 8;
      pen.globalAlpha = 0.5 + 0.5 * Math.min(1, Math.max(0, confidence));
      pen.fillStyle = scene.colour(colour);
      pen.fillRect(x, band.y, 1, band.height);
      const left = Math.min(x, scene.width - width);
      if (left >= free) {
        pen.fillRect(left, band.y + band.height - FLAG, width, FLAG);
        pen.fillStyle = scene.colour("--ground");
        pen.fillText(name, left + 4, band.y + band.height - FLAG / 2);
        free = left + width + 2;
      }
    }
    pen.globalAlpha = 1;
  },
};
