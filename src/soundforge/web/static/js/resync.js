/**
 * After a gap in the stream (the server restarted, the connection was lost for long) the server says `resync`: what is
 * shown may be old. Each region that the stream keeps true names the address that gives it (`data-page`, with `hx-swap`
 * and `hx-select` where it is not the whole answer) and is asked for again, until it came.
 */

import { onFailure } from "./failures.js";
import { announce } from "./words.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/** Regions that did not come. @type {Set<HTMLElement>} */
const missing = new Set();
let wait = FIRST_WAIT_MS;
let timer = 0;

/** @param {HTMLElement[]} regions */
async function ask(regions) {
  for (const region of regions)
    if (region.isConnected) await window.htmx.ajax("GET", region.dataset.page ?? "", { source: region, target: region });
  if (missing.size === 0) wait = FIRST_WAIT_MS;
}

onFailure((source) => {
  if (!(source instanceof HTMLElement) || !source.matches("main [data-page]")) return;
  missing.add(source);
  if (timer) return;
  timer = setTimeout(() => {
    const regions = [...missing];
    missing.clear();
    timer = 0;
    ask(regions);
  }, wait);
  wait = Math.min(LONGEST_WAIT_MS, 2 * wait);
});

document.addEventListener("resync", () => {
  const regions = [...document.querySelectorAll("main [data-page]")];
  ask(regions.filter((region) => region instanceof HTMLElement));
});

document.addEventListener("signed-out", () => {
  announce("You are signed out.");
  location.assign("/login");
});
