/** The keyboard: an instrument's. Never inside what takes text, never over a dialog, never with Ctrl, Alt or Meta. */

import { tap } from "./correct.js";
import { cuePanel } from "./cues.js";
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

const STRIPS = "asdfgh";

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
  m: () => cuePanel()?.memory(),
  p: () => rowInHand()?.querySelector("button")?.click(),
  Enter: () => rowInHand()?.querySelector("a")?.click(),
};

/** @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  const input = target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type);
  return input || target.isContentEditable || target.matches("textarea, select");
}

/** Digits are pads, the letters of the middle row the strips from above. @param {KeyboardEvent} event */
function actOf({ key, code, shiftKey }) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  const pad = Number(/^Digit([1-8])$/.exec(code)?.[1]);
  if (pad) return () => (shiftKey ? cuePanel()?.clear(pad) : cuePanel()?.pad(pad));
  const lane = name.length === 1 ? STRIPS.indexOf(name) : -1;
  return lane >= 0 ? () => strip(shiftKey ? "mute" : "solo", lane + 1) : acts[name];
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const { target } = event;
  if (target instanceof HTMLInputElement && event.key === "Escape") target.blur();
  if (takesText(target) || document.querySelector("dialog[open]")) return;
  // A button reached with Tab keeps its Space and Enter; one that was clicked does not hold the player's.
  const held = target instanceof HTMLElement && target.matches("button:focus-visible, a:focus-visible, summary:focus-visible, input");
  if (held && (event.key === " " || event.key === "Enter")) return;
  const act = actOf(event);
  if (!act || (event.key === "Enter" && !rowInHand())) return;
  event.preventDefault();
  act(event);
});
