/** Chord names where they change, as many as have room. "A:min" is shown as "Am". */

const HEIGHT = 18;

/** @type {import("../timeline.js").Layer} */
export default {
  top: HEIGHT,
  draw(pen, scene, band) {
    /** @type {{ start_s: number, end_s: number, label: string }[]} */
    const chords = scene.document?.chords ?? [];
    pen.font = `500 11px ${getComputedStyle(pen.canvas).getPropertyValue("--mono") || "monospace"}`;
    pen.textBaseline = "middle";
    pen.fillStyle = scene.colour("--muted");
    let free = -Infinity;
    for (const { start_s, end_s, label } of chords) {
      if (end_s <= scene.start_s || start_s >= scene.end_s) continue;
      const left = Math.max(0, scene.x(start_s)) + 5;
      const name = short(label);
      if (!name || left < free) continue;
      pen.fillText(name, left, band.y + band.height / 2);
      free = left + pen.measureText(name).width + 8;
    }
  },
};

/** @param {string} label */
function short(label) {
  if (label === "N") return "";
  const [root = "", quality = "maj"] = label.split(":");
  return root + (quality === "maj" ? "" : quality === "min" ? "m" : quality);
}
