/** Maps of heat: rows from below, columns over the whole song. */

/**
 * @param {CanvasRenderingContext2D} pen @param {import("./timeline.js").Scene} scene @param {import("./timeline.js").Band} band
 * @param {number[][]} rows the lowest first @param {number} column_s @param {(value: number) => [string, number]} paint colour, opacity
 */
export function heat(pen, scene, band, rows, column_s, paint) {
  const height = band.height / rows.length;
  const last = Math.min((rows[0]?.length ?? 0) - 1, Math.floor(scene.end_s / column_s));
  for (const [number, row] of rows.entries()) {
    const top = Math.round(band.y + band.height - (number + 1) * height);
    const bottom = Math.round(band.y + band.height - number * height);
    for (let column = Math.max(0, Math.floor(scene.start_s / column_s)); column <= last; column++) {
      const [colour, opacity] = paint(row[column] ?? 0);
      if (opacity < 0.01) continue;
      const left = Math.round(scene.x(column * column_s)); // to whole pixels: what overlaps would be seen as a seam
      pen.globalAlpha = opacity;
      pen.fillStyle = colour;
      pen.fillRect(left, top, Math.round(scene.x((column + 1) * column_s)) - left, bottom - top);
    }
  }
  pen.globalAlpha = 1;
}

/**
 * A line through the middles of the columns; a gap where there is no value.
 * @param {CanvasRenderingContext2D} pen @param {import("./timeline.js").Scene} scene @param {(number | null)[]} values
 * @param {number} column_s @param {(value: number) => number} y
 */
export function line(pen, scene, values, column_s, y) {
  pen.beginPath();
  let drawing = false;
  const last = Math.min(values.length - 1, Math.ceil(scene.end_s / column_s));
  for (let column = Math.max(0, Math.floor(scene.start_s / column_s) - 1); column <= last; column++) {
    const value = values[column] ?? null;
    const x = scene.x((column + 0.5) * column_s);
    if (value !== null && drawing) pen.lineTo(x, y(value));
    else if (value !== null) pen.moveTo(x, y(value));
    drawing = value !== null;
  }
  pen.stroke();
}

/**
 * Lines across with their figures, at the left edge.
 * @param {CanvasRenderingContext2D} pen @param {import("./timeline.js").Scene} scene
 * @param {{ y: number, text: string }[]} marks
 */
export function marks(pen, scene, marks) {
  pen.font = `500 10px ${getComputedStyle(pen.canvas).fontFamily}`;
  pen.textBaseline = "bottom";
  for (const { y, text } of marks) {
    pen.fillStyle = scene.colour("--hairline");
    pen.fillRect(0, Math.round(y), scene.width, 1);
    pen.fillStyle = scene.colour("--muted");
    pen.fillText(text, 4, y - 1);
  }
}
