/** The sections as named plates along the upper edge; those of one group share a shade. */

const HEIGHT = 20;

/** @type {import("../timeline.js").Layer} */
export default {
  top: HEIGHT,
  draw(pen, scene, band) {
    /** @type {{ start_s: number, end_s: number, label?: string | null, group?: string }[]} */
    const sections = scene.document?.sections ?? [];
    const groups = [...new Set(sections.map(({ group, label }) => group ?? label))];
    pen.font = `600 11px ${getComputedStyle(pen.canvas).fontFamily}`;
    pen.textBaseline = "middle";
    for (const { start_s, end_s, label, group } of sections) {
      const left = Math.round(scene.x(Math.max(start_s, scene.start_s)));
      const width = Math.round(scene.x(Math.min(end_s, scene.end_s))) - left - 1;
      if (width < 2) continue;
      pen.fillStyle = scene.colour(groups.indexOf(group ?? label) % 2 ? "--accent-wash" : "--raised");
      pen.fillRect(left, band.y, width, band.height - 1);
      pen.fillStyle = scene.colour("--text");
      const name = label ? label.charAt(0).toUpperCase() + label.slice(1) : (group ?? "");
      const shown = fitting(pen, name, width - 10);
      if (shown) pen.fillText(shown, left + 5, band.y + band.height / 2);
    }
  },
};

/** @param {CanvasRenderingContext2D} pen @param {string} name @param {number} width as much of a name as has room */
function fitting(pen, name, width) {
  if (pen.measureText(name).width <= width) return name;
  return width >= 8 ? name.slice(0, 1) : "";
}
