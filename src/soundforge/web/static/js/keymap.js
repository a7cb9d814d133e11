/** The keys of the pages' own: going about, lists, player, mixer. What another module offers, it registers itself. */

import { tap } from "./correct.js";
import { cuePanel } from "./cues.js";
import { register } from "./keys.js";
import { toggle } from "./player.js";
import { moveRow, rowInHand } from "./rows.js";

/** @param {string} selector */
const find = (selector) => {
  const element = document.querySelector(selector);
  return element instanceof HTMLElement ? element : null;
};

/** A key that presses a button of the page, while there is one.
 * @param {string} combo @param {string} what @param {string} group @param {...string} selectors the first one that is there */
const pressing = (combo, what, group, ...selectors) => ({
  combos: [combo],
  what,
  group,
  when: () => selectors.some(find),
  act: () => selectors.map(find).find(Boolean)?.click(),
});

const hasRow = () => rowInHand() !== null;
const hasStrips = () => find("sf-mixer .strip") !== null;

const STRIPS = ["a", "s", "d", "f", "g", "h"]; // the letters of the middle row, the strips from above
const PADS = ["1", "2", "3", "4", "5", "6", "7", "8"];
const hasCues = () => cuePanel() != null;

/** @param {"solo" | "mute"} act @param {string} combo */
function strip(act, combo) {
  const button = document.querySelectorAll(`sf-mixer .strip [data-act="${act}"]`)[STRIPS.indexOf(combo.at(-1) ?? "")];
  if (button instanceof HTMLElement) button.click();
}

function search() {
  const input = find("#search");
  if (input instanceof HTMLInputElement) (input.focus(), input.select());
}

/** A key that another module listens to itself: only shown here.
 * @param {string} shown @param {string} what @param {string} group @returns {import("./keys.js").Key} */
const elsewhere = (shown, what, group) => ({ combos: [shown], shown, what, group, listed: false, when: () => false, act: () => undefined });

/** @param {string} selector a button of the row in hand */
const inRow = (selector) => () => {
  const button = rowInHand()?.querySelector(selector);
  if (button instanceof HTMLElement) button.click();
};

/** @param {string} selector */
const rowHas = (selector) => () => rowInHand()?.querySelector(selector) != null;

register(
  pressing("Mod+k", "Commands: go anywhere, find a track, do anything the page can", "Anywhere", '[data-opens="palette"]'),
  { combos: ["/"], what: "Search the library", group: "Anywhere", when: () => find("#search") !== null, act: search },
  pressing("i", "Import", "Anywhere", '[data-opens="import"]'),
  pressing("?", "These keys", "Anywhere", '[data-opens="keys"]'),
  { combos: ["j"], what: "Next row", group: "Lists", listed: false, act: () => moveRow(1) },
  { combos: ["k"], what: "Row before", group: "Lists", listed: false, act: () => moveRow(-1) },
  {
    combos: ["ArrowDown", "ArrowUp"],
    what: "The same, once a row has the focus",
    group: "Lists",
    shown: "↓  ↑",
    listed: false,
    when: hasRow,
    act: (combo) => moveRow(combo === "ArrowDown" ? 1 : -1),
  },
  { combos: ["Enter"], what: "Open the row", group: "Lists", listed: false, when: rowHas("a"), act: inRow("a") },
  { combos: ["p"], what: "Play the row", group: "Lists", listed: false, when: rowHas("[data-play]"), act: inRow("[data-play]") },
  elsewhere("X", "Choose the track", "Lists"),
  elsewhere("Shift  ↑  ↓", "Choose tracks one after the other", "Lists"),
  elsewhere("Ctrl  A", "Choose all that the search finds", "Lists"),
  { combos: ["r"], what: "Try the job again", group: "Lists", listed: false, when: rowHas("[data-act=retry]"), act: inRow("[data-act=retry]") },
  { combos: ["x"], what: "Cancel the job", group: "Lists", listed: false, when: rowHas("[data-act=cancel]"), act: inRow("[data-act=cancel]") },
  { combos: ["Space"], what: "Play or pause", group: "Player", act: () => toggle() },
  elsewhere("←  →", "A beat back or forward, with the focus on a timeline; with Shift a bar", "Player"),
  pressing("l", "Loop", "Player", 'sf-tools [data-act="loop"]'),
  pressing("[", "Loop from here", "Player", 'sf-tools [data-act="loop-start"]'),
  pressing("]", "Loop to here", "Player", 'sf-tools [data-act="loop-end"]'),
  pressing("c", "Click on the beats", "Player", 'sf-tools [data-act="click"]'),
  pressing("+", "Zoom in", "Player", '.overview [data-zoom="2"]'),
  pressing("-", "Zoom out", "Player", '.overview [data-zoom="0.5"]'),
  { combos: STRIPS, what: "Solo a stem", group: "Stems", shown: "A S D F G H", listed: false, when: hasStrips, act: (combo) => strip("solo", combo) },
  {
    combos: STRIPS.map((letter) => `Shift+${letter}`),
    what: "Mute a stem",
    group: "Stems",
    shown: "Shift  A – H",
    listed: false,
    when: hasStrips,
    act: (combo) => strip("mute", combo),
  },
  pressing("b", "Other stems of this track", "Stems", '.stem-sets [aria-pressed="true"] ~ button', ".stem-sets button"),
  { combos: ["t"], what: "Tap the tempo", group: "Player", when: () => find("[data-tap]") !== null, act: () => tap() },
  { combos: PADS, what: "Set a hot cue, or jump to it", group: "Cues", shown: "1 – 8", listed: false, when: hasCues, act: (combo) => cuePanel()?.pad(Number(combo)) },
  {
    combos: PADS.map((digit) => `Shift+${digit}`),
    what: "Clear a hot cue",
    group: "Cues",
    shown: "Shift  1 – 8",
    listed: false,
    when: hasCues,
    act: (combo) => cuePanel()?.clear(Number(combo.at(-1))),
  },
  { combos: ["m"], what: "Memory cue here", group: "Cues", when: hasCues, act: () => cuePanel()?.memory() },
);
