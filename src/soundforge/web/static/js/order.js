/**
 * The order of a list made by hand (its page has a `[data-own-list]`): dragged, or moved by Alt+arrows; Delete takes an entry
 * out. The page shows it at once; the server writes the one entry, and what it says of it comes back by the feed.
 */

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

/** Entries of an own list can be dragged, and have a button that takes them out. */
function equip() {
  if (!ownList()) return;
  for (const entry of document.querySelectorAll(".entry")) {
    if (!(entry instanceof HTMLElement) || entry.draggable) continue;
    entry.draggable = true;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "entry-out";
    button.dataset.takeOut = "";
    button.title = "Take out of the list";
    button.setAttribute("aria-label", `Take out of the list: ${entry.querySelector(".row-name > *")?.textContent ?? ""}`);
    button.textContent = "✕";
    entry.append(button);
  }
}
onSettled(equip);

/** @param {Element} entry */
const idOf = (entry) => entry.id.slice("entry-".length);

/** @param {Element} entry @param {-1 | 1} way @returns {Element | null} */
function neighbour(entry, way) {
  const other = way < 0 ? entry.previousElementSibling : entry.nextElementSibling;
  return other?.matches(".entry") ? other : null;
}

/** @param {HTMLElement} entry @param {string} act @param {object} [values] */
function send(entry, act, values = {}) {
  const address = `/playlists/${ownList()}/entries/${idOf(entry)}/${act}`;
  window.htmx.ajax("POST", address, { source: document.body, swap: "none", values });
}

/** Tells the server where an entry stands now. @param {HTMLElement} entry */
function placed(entry) {
  const next = neighbour(entry, 1);
  if (!next && document.querySelector(".list-entries .sentinel")) return; // the last one seen is not the last one there is
  send(entry, "move", next ? { before: idOf(next) } : {});
  const place = [...(entry.parentElement?.querySelectorAll(".entry") ?? [])].indexOf(entry) + 1;
  announce(`Place ${place}.`);
}

/** @param {HTMLElement} entry @param {-1 | 1} way */
function step(entry, way) {
  const other = neighbour(entry, way);
  if (!other) return;
  const held = document.activeElement;
  if (way < 0) other.before(entry);
  else other.after(entry);
  if (held instanceof HTMLElement) held.focus();
  entry.scrollIntoView({ block: "nearest" });
  placed(entry);
}

/** @param {HTMLElement} entry */
function takeOut(entry) {
  (neighbour(entry, 1) ?? neighbour(entry, -1))?.querySelector("a")?.focus();
  send(entry, "remove");
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
  const button = target instanceof Element ? target.closest("[data-take-out]") : null;
  const entry = entryOf(button);
  if (entry) takeOut(entry);
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
  if (dragged.nextElementSibling !== home) placed(dragged);
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
