/**
 * The order of a list made by hand (`[data-own]` around `.entry`): dragged, or moved by Alt+arrows; Delete takes an entry
 * out. The page shows it at once; the server writes the one entry, and what it says of it comes back by the feed.
 */

import { announce } from "./words.js";

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
function entryOf(target) {
  const found = target instanceof Element ? target.closest("[data-own] .entry") : null;
  return found instanceof HTMLElement ? found : null;
}

/** @param {Element} entry */
const idOf = (entry) => entry.id.slice("entry-".length);

/** @param {Element} entry @param {-1 | 1} way @returns {Element | null} */
function neighbour(entry, way) {
  const other = way < 0 ? entry.previousElementSibling : entry.nextElementSibling;
  return other?.matches(".entry") ? other : null;
}

/** @param {HTMLElement} entry @param {string} act @param {object} [values] */
function send(entry, act, values = {}) {
  const list = entry.closest("[data-own]");
  if (!(list instanceof HTMLElement)) return;
  const address = `/playlists/${list.dataset.own}/entries/${idOf(entry)}/${act}`;
  window.htmx.ajax("POST", address, { source: list, swap: "none", values });
}

/** Tells the server where an entry stands now. @param {HTMLElement} entry */
function placed(entry) {
  const next = neighbour(entry, 1);
  if (!next && document.querySelector("[data-own] .sentinel")) return; // the last one seen is not the last one there is
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
