/**
 * Putting the analysis right: panels that unfold, forms that need the play-head, and the tempo tapped.
 *
 *   <button data-unfolds="<id>" aria-expanded>   shows or hides that panel; one at a time
 *   <input data-here>                            gets the play-head's second when its form is sent
 *   <button data-needs-head>                     is not sent before the track has a play-head
 *   <button data-tap="<id>">                     taps the tempo into that number field
 */

import { mixer, now } from "./player.js";
import { announce, toast } from "./words.js";

const MOST_TAPS = 16;
const FEWEST_TAPS = 4;
const PAUSE_S = 2.5;

/** @type {number[]} seconds */
let taps = [];

/** @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
function within(target, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/** What is unfolded, and on whose stage. */
let unfolded = { panel: "", track: "" };

const trackOnStage = () => document.getElementById("stage")?.dataset.track ?? "";

/** @param {string} panel @param {boolean} [open] */
export function unfold(panel, open) {
  const shown = document.getElementById(panel);
  if (!shown) return;
  const opens = open ?? shown.hidden;
  for (const other of document.querySelectorAll(".correct")) if (other instanceof HTMLElement) other.hidden = true;
  shown.hidden = !opens;
  for (const button of document.querySelectorAll("[data-unfolds]")) {
    const target = document.getElementById(/** @type {HTMLElement} */ (button).dataset.unfolds ?? "");
    button.setAttribute("aria-expanded", String(target?.hidden === false));
  }
  unfolded = { panel: opens ? panel : "", track: trackOnStage() };
  if (opens && open === undefined) follow(shown);
}

/** The list of sections shows the one where the play-head is. @param {HTMLElement} panel */
function follow(panel) {
  const list = panel.querySelector("[data-follows-head]");
  const at = now.at(panel.querySelector("form")?.dataset.track ?? "");
  if (!(list instanceof HTMLSelectElement) || at === null) return;
  const here = [...list.options].findLastIndex((option) => Number(option.value) <= at);
  if (here >= 0) list.selectedIndex = here;
}

/** The tempo of the last taps, by the straight line through them; null before there are enough. @param {number} at seconds */
function tapped(at) {
  const last = taps.at(-1);
  if (last !== undefined && (at <= last || at - last > PAUSE_S)) taps = [];
  taps = [...taps.slice(1 - MOST_TAPS), at];
  if (taps.length < FEWEST_TAPS) return null;
  const middle = (taps.length - 1) / 2;
  const mean = taps.reduce((sum, tap) => sum + tap, 0) / taps.length;
  const rise = taps.reduce((sum, tap, i) => sum + (i - middle) * (tap - mean), 0);
  const run = taps.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return (60 * run) / rise;
}

/** One tap, in the song's own time while it plays: a mixer that plays it slower does not change its tempo. */
export function tap() {
  const button = document.querySelector("[data-tap]");
  const field = button instanceof HTMLElement ? document.getElementById(button.dataset.tap ?? "") : null;
  if (!(field instanceof HTMLInputElement)) return;
  if (within(field, ".correct")?.hidden) unfold(within(field, ".correct")?.id ?? "", true);
  const position = mixer.playing ? now.at(field.form?.dataset.track ?? "") : null;
  const bpm = tapped(position ?? performance.now() / 1000);
  if (bpm !== null && bpm >= Number(field.min) && bpm <= Number(field.max)) field.value = bpm.toFixed(1);
  const output = field.form?.querySelector("output");
  if (output) output.textContent = bpm === null ? `${taps.length} of ${FEWEST_TAPS} taps` : `${taps.length} taps: ${bpm.toFixed(1)}`;
}

document.addEventListener("click", (event) => {
  const button = within(event.target, "[data-unfolds]");
  if (button) unfold(button.dataset.unfolds ?? "");
  if (within(event.target, "[data-tap]")) tap();
});

document.addEventListener("keydown", (event) => {
  const panel = within(event.target, ".correct");
  if (event.key !== "Escape" || !panel) return;
  unfold(panel.id, false);
  const button = document.querySelector(`[data-unfolds="${panel.id}"]`);
  if (button instanceof HTMLElement) button.focus();
});

// Before htmx hears of it: the play-head goes along, or the form stays.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches(".wish")) return;
    const at = now.at(form.dataset.track ?? "");
    if (at === null && event.submitter?.hasAttribute("data-needs-head")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      toast("Play the track, or click into its waveform: then there is a play-head.");
      return;
    }
    for (const field of form.querySelectorAll("input[data-here]")) {
      if (field instanceof HTMLInputElement) field.value = String(at ?? 0);
    }
    announce("Asked for");
  },
  true,
);

// The stage comes anew, with every panel folded, before the browser paints: what was unfolded stays so.
document.addEventListener("htmx:after:swap", () => {
  if (unfolded.panel && unfolded.track === trackOnStage()) unfold(unfolded.panel, true);
});
