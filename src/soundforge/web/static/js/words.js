/** Small words and figures that several modules show. */

/** "4:07", "1:02:09". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const rest = `${Math.floor(whole / 60) % 60}:${String(whole % 60).padStart(2, "0")}`;
  return whole < 3600 ? rest : `${Math.floor(whole / 3600)}:${rest.padStart(5, "0")}`;
}

/** "1:02.35", to the hundredth. @param {number} seconds */
export function moment(seconds) {
  const hundredths = Math.round(100 * (Number.isFinite(seconds) ? Math.max(0, seconds) : 0));
  return `${clock(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;
}

/** "−3.5 dB", "off". @param {number} db */
export function decibels(db) {
  return db <= -36 ? "off" : `${db > 0 ? "+" : db < 0 ? "−" : ""}${Math.abs(db).toFixed(1)} dB`;
}

/** "middle", "30 % left". @param {number} pan -1 to 1 */
export function panned(pan) {
  return pan === 0 ? "middle" : `${Math.round(Math.abs(pan) * 100)} % ${pan < 0 ? "left" : "right"}`;
}

/** "+3 st". @param {number} count */
export function semitones(count) {
  return `${count > 0 ? "+" : count < 0 ? "−" : ""}${Math.abs(count)} st`;
}

/** "0:12 to 0:24". @param {{ start_s: number, end_s: number }} region */
export function span({ start_s, end_s }) {
  return `${clock(start_s)} to ${clock(end_s)}`;
}

/** Says something to a screen reader: changes of state, never a percentage. @param {string} text */
export function announce(text) {
  const region = document.getElementById("announce");
  if (region) region.textContent = text;
}

/**
 * A passing word from the browser itself; the server sends its own.
 * @param {string} text @param {"info" | "bad"} [tone] @param {() => void} [undo] offered beside it
 */
export function toast(text, tone = "info", undo) {
  const template = document.getElementById("toast-template");
  const list = document.getElementById("toasts");
  if (!(template instanceof HTMLTemplateElement) || !list) return;
  const same = [...list.querySelectorAll("p")].some((other) => other.textContent === text);
  const piece = template.content.cloneNode(true);
  if (same || !(piece instanceof DocumentFragment)) return;
  const element = piece.querySelector(".toast");
  const paragraph = piece.querySelector("p");
  if (!(element instanceof HTMLElement) || !paragraph) return;
  element.removeAttribute("id");
  element.dataset.tone = tone;
  paragraph.textContent = text;
  if (undo) paragraph.after(undoButton(undo));
  list.append(piece);
}

/** @param {() => void} undo */
function undoButton(undo) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = "Undo";
  button.dataset.closesToast = "";
  button.addEventListener("click", undo, { once: true });
  return button;
}
