/** The chosen region, behind everything else. */

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    if (!scene.region) return;
    const left = scene.x(scene.region.start_s);
    pen.fillStyle = scene.colour("--region");
    pen.fillRect(left, band.y, scene.x(scene.region.end_s) - left, band.height);
  },
};
