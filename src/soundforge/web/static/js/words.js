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

/** @type {string[]} */
const untold = [];
const TOGETHER_MS = 200;
const MOST_AT_ONCE = 3;

/**
 * Says something to a screen reader: changes of state, never a percentage. The page has one region for it, and what
 * comes together is said together: a region that changes twice at once is read once.
 * @param {string} text
 */
export function announce(text) {
  if (!untold.length) setTimeout(speak, TOGETHER_MS);
  if (!untold.includes(text)) untold.push(text);
}

function speak() {
  const region = liveRegion();
  const more = untold.length - MOST_AT_ONCE;
  const told = untold.splice(0).slice(0, MOST_AT_ONCE);
  setTimeout(() => (region.textContent = [...told, ...(more > 0 ? [`And ${more} more`] : [])].join(". ")), TOGETHER_MS / 2);
}

/** The page's one live region. Under a modal dialog nothing is heard, so it goes where the reader is. */
function liveRegion() {
  const region = document.getElementById("announce") ?? document.createElement("div");
  region.id = "announce";
  region.className = "unseen";
  region.setAttribute("role", "status");
  const host = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (region.parentElement !== host) host.append(region);
  return region;
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
