/** Where this stem is muted: covered, with a line through the middle. */

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    for (const [start_s, end_s] of scene.mutes) {
      const left = scene.x(start_s);
      const width = Math.max(1, scene.x(end_s) - left);
      pen.globalAlpha = 0.82;
      pen.fillStyle = scene.colour("--well");
      pen.fillRect(left, band.y, width, band.height);
      pen.globalAlpha = 1;
      pen.fillStyle = scene.colour("--warn");
      pen.fillRect(left, band.y + band.height / 2 - 1, width, 2);
    }
  },
};
