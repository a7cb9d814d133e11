/** How much is going on, second by second: an area from 0 to 100 %. */

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    const { curve = [], curve_hz = 1 } = scene.document?.energy ?? {};
    if (!curve.length) return;
    const bottom = band.y + band.height;
    const y = (/** @type {number} */ value) => bottom - value * band.height * 0.94;
    pen.globalAlpha = 0.35;
    pen.fillStyle = scene.colour("--stem-mix");
    pen.beginPath();
    pen.moveTo(scene.x(0), bottom);
    for (const [i, value] of curve.entries()) {
      pen.lineTo(scene.x(i / curve_hz), y(value));
      pen.lineTo(scene.x((i + 1) / curve_hz), y(value));
    }
    pen.lineTo(scene.x(curve.length / curve_hz), bottom);
    pen.fill();
    pen.globalAlpha = 1;
  },
};
