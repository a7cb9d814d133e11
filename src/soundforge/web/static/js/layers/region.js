/** The marked region, behind everything else; with edges while it goes round. */

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    if (!scene.region) return;
    const left = scene.x(scene.region.start_s);
    const right = scene.x(scene.region.end_s);
    pen.globalAlpha = scene.looping ? 1 : 0.5;
    pen.fillStyle = scene.colour("--region");
    pen.fillRect(left, band.y, right - left, band.height);
    pen.fillStyle = scene.colour("--accent");
    for (const x of scene.looping ? [left, right - 2] : []) pen.fillRect(Math.round(x), band.y, 2, band.height);
    pen.globalAlpha = 1;
  },
};
