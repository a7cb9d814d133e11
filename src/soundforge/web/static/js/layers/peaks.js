/** The waveform: one filled outline, in the colour of its stem. */

/** @type {import("../timeline.js").Layer} */
export default {
  draw(pen, scene, band) {
    const columns = Math.ceil(scene.width);
    const hull = scene.peaks?.span(scene.start_s, scene.end_s, columns);
    if (!hull) return;
    const middle = band.y + band.height / 2;
    const half = (band.height / 2) * 0.92 * scene.scale;
    const most = band.height / 2;
    pen.fillStyle = scene.colour("--stem");
    pen.beginPath();
    // At least half a pixel either way, so that silence is a line and not a hole.
    for (let i = 0; i < columns; i++) pen.lineTo(i, middle - Math.min(most, Math.max(0.5, (hull[2 * i + 1] ?? 0) * half)));
    for (let i = columns - 1; i >= 0; i--) pen.lineTo(i, middle - Math.max(-most, Math.min(-0.5, (hull[2 * i] ?? 0) * half)));
    pen.fill();
  },
};
