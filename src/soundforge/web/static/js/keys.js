/**
 * The keyboard: one table. A module puts its keys in with `register`; the listener here, the list under `?` and the
 * palette (Ctrl K) are made of it. Never inside what takes text, never over a dialog.
 *
 * A combo is written as it is shown: "j", "Space", "?", "Shift+1", "Mod+k" (Ctrl, or the Mac's command key). Digits go
 * by their place on the keyboard, everything else by what it writes, so every layout has them.
 */

/**
 * @typedef {object} Key
 * @property {string[]} combos
 * @property {string} what it does, in words
 * @property {string} group where it counts: a heading of the list under `?`
 * @property {(combo: string) => unknown} act
 * @property {() => boolean} [when] whether it counts now; without it always
 * @property {string} [shown] instead of the combos: "1 – 6"
 * @property {boolean} [listed] false: no command of the palette, e.g. because it needs a row in hand
 */

/** @type {Key[]} */
const table = [];

/** Puts keys into the table; of two that share a combo the first one that counts now is taken. @param {Key[]} keys */
export function register(...keys) {
  table.push(...keys);
}

/** @returns {readonly Key[]} every key there is */
export const allKeys = () => table;

/** @param {Key} key */
export const counts = (key) => key.when?.() ?? true;

/** How a combo is written for people. @param {string} combo */
export const written = (combo) => (combo.length === 1 ? combo.toUpperCase() : combo.replace("Mod+", MAC ? "⌘ " : "Ctrl "));

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** What an event may be called in the table, the nearest name first. @param {KeyboardEvent} event */
function combosOf(event) {
  const { key, code, shiftKey } = event;
  const writes = event.getModifierState("AltGraph");
  const plain = key === " " ? "Space" : key.length === 1 ? key.toLowerCase() : key;
  if ((event.ctrlKey || event.metaKey) && !writes) return event.altKey ? [] : [`Mod+${plain}`];
  if (event.altKey && !writes) return [];
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  if (digit) return [...(/\d/.test(key) ? [] : [plain]), shiftKey ? `Shift+${digit}` : digit];
  return shiftKey ? [`Shift+${plain}`, plain] : [plain];
}

/** @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  const input = target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button", "file"].includes(target.type);
  return input || target.isContentEditable || target.matches("textarea, select");
}

/** The button that was pressed with the pointer, until Tab moves on. @type {Element | null} */
let clicked = null;
document.addEventListener("pointerdown", ({ target }) => {
  clicked = target instanceof Element ? target.closest("button, a, summary") : null;
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Tab") clicked = null;
  if (event.defaultPrevented || event.isComposing) return;
  const { target } = event;
  if (target instanceof HTMLInputElement && event.key === "Escape") target.blur();
  const combos = combosOf(event);
  const modified = combos[0]?.startsWith("Mod+") ?? false;
  if ((takesText(target) && !modified) || document.querySelector("dialog[open]")) return;
  // A button reached with Tab keeps its Space and Enter; one that was clicked does not hold the player's Space.
  const held = target instanceof HTMLElement && target.matches(":is(button, a, summary):focus-visible, input");
  if (held && (event.key === "Enter" || (event.key === " " && target !== clicked))) return;
  for (const combo of combos) {
    const found = table.find((key) => key.combos.includes(combo) && counts(key));
    if (!found) continue;
    event.preventDefault();
    found.act(combo);
    return;
  }
});

/** Writes the list under `?`, each time it is opened: by then every module has put its keys in. */
function write() {
  const list = document.querySelector("#keys .keys-list");
  if (!(list instanceof HTMLElement)) return;
  const groups = [...new Set(table.map(({ group }) => group))];
  list.replaceChildren(...groups.map((name) => section(name, table.filter(({ group }) => group === name))));
}

/** @param {string} name @param {Key[]} keys */
function section(name, keys) {
  const element = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = name;
  const terms = document.createElement("dl");
  terms.className = "shortcuts";
  for (const { combos, shown, what } of keys) {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    for (const text of shown ? [shown] : combos.map(written)) term.append(cap(text));
    told.textContent = what;
    terms.append(term, told);
  }
  element.append(heading, terms);
  return element;
}

/** @param {string} text */
export function cap(text) {
  const element = document.createElement("kbd");
  element.textContent = text;
  return element;
}

document.addEventListener("click", ({ target }) => {
  if (target instanceof Element && target.closest("[data-opens='keys']")) write();
});
