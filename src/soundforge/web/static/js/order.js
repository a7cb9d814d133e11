/**
 * The order of a list made by hand (its page has a `[data-own-list]`): entries are dragged, or moved by their buttons or
 * Alt+arrows; Delete takes one out. The page shows it at once; the server writes the one entry, and what it says of it
 * comes back by the feed. What it refuses is put back.
 */

import { ask } from "./ask.js";
import { onSettled } from "./settled.js";
import { announce } from "./words.js";

/** The list that is on the page, if it was made by hand. */
function ownList() {
  const found = document.querySelector("[data-own-list]");
  return found instanceof HTMLElement ? (found.dataset.ownList ?? "") : "";
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
function entryOf(target) {
  const found = target instanceof Element && ownList() ? target.closest(".entry") : null;
  return found instanceof HTMLElement ? found : null;
}

/** What is done with an entry: sign, name. @type {Record<string, [string, string]>} */
const ACTS = { up: ["↑", "Move up"], down: ["↓", "Move down"], out: ["✕", "Take out of the list"] };

/** Entries of an own list can be dragged, and have buttons that move them by one place and take them out. */
function equip() {
  if (!ownList()) return;
  for (const entry of document.querySelectorAll(".entry")) {
    if (!(entry instanceof HTMLElement) || entry.draggable) continue;
    entry.draggable = true;
    const acts = document.createElement("span");
    acts.className = "entry-acts";
    const name = entry.querySelector(".row-name > *")?.textContent ?? "";
    for (const [act, [sign, title]] of Object.entries(ACTS)) acts.append(button(act, sign, title, `${title}: ${name}`));
    entry.append(acts);
  }
}

/** @param {string} act @param {string} sign @param {string} title @param {string} label */
function button(act, sign, title, label) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.entryAct = act;
  made.title = title;
  made.setAttribute("aria-label", label);
  made.textContent = sign;
  return made;
}
onSettled(equip);

/** @param {Element} entry */
const idOf = (entry) => entry.id.slice("entry-".length);

/** @param {Element} entry @param {-1 | 1} way @returns {Element | null} */
function neighbour(entry, way) {
  const other = way < 0 ? entry.previousElementSibling : entry.nextElementSibling;
  return other?.matches(".entry") ? other : null;
}

/** The server hears of one change after the other. */
let line = Promise.resolve();
let waiting = 0;
/** Entries of which a change was refused: what was still to be told of them went with it. @type {Set<string>} */
const refused = new Set();

/**
 * Tells the server what happened to an entry. What it refuses, or never hears, is taken back on the page too.
 * @param {HTMLElement} entry @param {Element | null} home what stood behind it before
 * @param {(address: string) => Promise<any>} tell
 */
function send(entry, home, tell) {
  const [list, id] = [entry.parentElement ?? document.querySelector(".list-entries"), idOf(entry)];
  const address = `/api/v1/playlists/${ownList()}/entries/${id}`;
  waiting += 1;
  line = line.then(async () => {
    if (!refused.has(id) && !(await tell(address))) {
      refused.add(id);
      putBack(document.getElementById(entry.id) ?? entry, home, list);
    }
    if (--waiting === 0) refused.clear();
  });
}

/** @param {Element} entry @param {Element | null} home @param {Element | null} list */
function putBack(entry, home, list) {
  const now = home?.id ? document.getElementById(home.id) : home; // the feed may have drawn it anew
  if (now?.isConnected) now.before(entry);
  else list?.append(entry);
}

/** Tells the server where an entry stands now. @param {HTMLElement} entry @param {Element | null} home */
function placed(entry, home) {
  const [above, next] = [neighbour(entry, -1), neighbour(entry, 1)];
  const more = document.querySelector(".list-entries .sentinel"); // then the last one seen is not the last one there is
  const place = next ? { before: idOf(next) } : more && above ? { after: idOf(above) } : {};
  send(entry, home, (address) => ask("PUT", `${address}/place`, place));
  const number = [...(entry.parentElement?.querySelectorAll(".entry") ?? [])].indexOf(entry) + 1;
  announce(`Place ${number}.`);
}

/** @param {HTMLElement} entry @param {-1 | 1} way */
function step(entry, way) {
  const [other, home] = [neighbour(entry, way), entry.nextElementSibling];
  if (!other) return;
  const held = document.activeElement;
  if (way < 0) other.before(entry);
  else other.after(entry);
  if (held instanceof HTMLElement) held.focus();
  entry.scrollIntoView({ block: "nearest" });
  placed(entry, home);
}

/** @param {HTMLElement} entry */
function takeOut(entry) {
  const home = entry.nextElementSibling;
  (neighbour(entry, 1) ?? neighbour(entry, -1))?.querySelector("a")?.focus();
  send(entry, home, (address) => ask("DELETE", address));
  entry.remove();
  announce("Taken out of the list.");
}

document.addEventListener("keydown", (event) => {
  const entry = entryOf(event.target);
  if (!entry || event.defaultPrevented) return;
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) step(entry, event.key === "ArrowUp" ? -1 : 1);
  else if (event.key === "Delete" && !event.altKey && !event.ctrlKey) takeOut(entry);
  else return;
  event.preventDefault();
});

document.addEventListener("click", ({ target }) => {
  const pressed = target instanceof Element ? target.closest("[data-entry-act]") : null;
  const entry = entryOf(pressed);
  if (!entry || !(pressed instanceof HTMLElement)) return;
  if (pressed.dataset.entryAct === "out") takeOut(entry);
  else step(entry, pressed.dataset.entryAct === "up" ? -1 : 1);
});

/** @type {HTMLElement | null} */
let dragged = null;
/** @type {Element | null} where it came from */
let home = null;

document.addEventListener("dragstart", (event) => {
  dragged = entryOf(event.target);
  if (!dragged) return;
  home = dragged.nextElementSibling;
  dragged.dataset.dragged = "";
  event.dataTransfer?.setData("text/plain", dragged.querySelector("a")?.textContent ?? "");
  if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const over = dragged && entryOf(event.target);
  if (!dragged || !over || over.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  const { top, height } = over.getBoundingClientRect();
  if (over === dragged) return;
  if (event.clientY < top + height / 2) over.before(dragged);
  else over.after(dragged);
});

document.addEventListener("drop", (event) => {
  if (!dragged) return;
  event.preventDefault();
  if (dragged.nextElementSibling !== home) placed(dragged, home);
  home = null;
  delete dragged.dataset.dragged;
  dragged = null;
});

document.addEventListener("dragend", () => {
  if (!dragged) return;
  home?.before(dragged); // let go elsewhere: as it was
  delete dragged.dataset.dragged;
  dragged = null;
});
equip();
