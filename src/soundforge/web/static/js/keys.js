/** The keyboard: an instrument's. Never inside what takes text, never over a dialog, never with Ctrl, Alt or Meta. */

import { tap } from "./correct.js";
import { toggle } from "./player.js";
import { moveRow, rowInHand } from "./rows.js";

/** @param {string} selector */
const press = (selector) => {
  const element = document.querySelector(selector);
  if (element instanceof HTMLElement) element.click();
  return element !== null;
};

/** @param {"solo" | "mute"} act @param {number} number from 1 */
function strip(act, number) {
  const button = document.querySelectorAll(`sf-mixer .strip [data-act="${act}"]`)[number - 1];
  if (button instanceof HTMLElement) button.click();
}

/** @type {Record<string, (event: KeyboardEvent) => unknown>} */
const acts = {
  " ": () => toggle(),
  "/": () => {
    const search = document.getElementById("search");
    if (search instanceof HTMLInputElement) (search.focus(), search.select());
  },
  "?": () => press('[data-opens="keys"]'),
  i: () => press('[data-opens="import"]'),
  l: () => press('sf-tools [data-act="loop"]'),
  c: () => press('sf-tools [data-act="click"]'),
  b: () => press('.stem-sets [aria-pressed="true"] ~ button') || press(".stem-sets button"),
  "[": () => press('sf-tools [data-act="loop-start"]'),
  "]": () => press('sf-tools [data-act="loop-end"]'),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  t: () => tap(),
  p: () => rowInHand()?.querySelector("button")?.click(),
  Enter: () => rowInHand()?.querySelector("a")?.click(),
};

/** @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  const input = target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type);
  return input || target.isContentEditable || target.matches("textarea, select");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const { target } = event;
  if (target instanceof HTMLInputElement && event.key === "Escape") target.blur();
  if (takesText(target) || document.querySelector("dialog[open]")) return;
  // A button reached with Tab keeps its Space and Enter; one that was clicked does not hold the player's.
  const held = target instanceof HTMLElement && target.matches("button:focus-visible, a:focus-visible, summary:focus-visible, input");
  if (held && (event.key === " " || event.key === "Enter")) return;
  const digit = /^Digit([1-6])$/.exec(event.code)?.[1];
  const act = digit
    ? () => strip(event.shiftKey ? "mute" : "solo", Number(digit))
    : acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || (event.key === "Enter" && !rowInHand())) return;
  event.preventDefault();
  act(event);
});
