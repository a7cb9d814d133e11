/**
 * What a page says of itself while it is not at rest: loading, offline, a part that failed to come, a job that ended,
 * another page in place of this one.
 */

import { onFailure } from "./failures.js";
import { onSettled } from "./settled.js";
import { announce } from "./words.js";

const SOON_MS = 250; // what comes faster than that needs no sign

/** @param {Event} event @returns {HtmxDetail} */
const detailOf = (event) => (event instanceof CustomEvent ? event.detail : {});

/* Loading: a line on top, once a page that somebody asked for takes its time. */
let going = 0;
let timer = 0;
const isPage = (/** @type {HtmxDetail} */ { ctx }) => ctx?.target?.matches?.("#main, #stage, #library") ?? false;

document.addEventListener("htmx:before:request", (event) => {
  if (!isPage(detailOf(event)) || going++ > 0) return;
  timer = setTimeout(() => document.body.toggleAttribute("data-loading", true), SOON_MS);
});
document.addEventListener("htmx:finally:request", (event) => {
  if (!isPage(detailOf(event)) || going === 0 || --going > 0) return;
  clearTimeout(timer);
  document.body.removeAttribute("data-loading");
});

/* A part of a list that failed to come says so, and can be asked for again. */
onFailure((source) => {
  if (!(source instanceof HTMLElement) || !source.matches(".sentinel, .page-gap")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = "This part did not come. Try again";
  button.addEventListener("click", () => {
    const again = source.cloneNode(false);
    if (!(again instanceof HTMLElement)) return;
    again.textContent = "More …";
    source.replaceWith(again);
    window.htmx.process(again);
  });
  source.replaceChildren(button);
});
document.addEventListener("resync", () => {
  for (const button of document.querySelectorAll(":is(.sentinel, .page-gap) > button")) if (button instanceof HTMLElement) button.click();
});

/* Another page: who does not see it hears its name, and the focus begins there. */
let main = document.getElementById("main");
document.addEventListener("htmx:after:settle", () => {
  const now = document.getElementById("main");
  if (!now || now === main) return;
  main = now;
  if (document.activeElement === null || document.activeElement === document.body) now.focus({ preventScroll: true });
  setTimeout(() => announce(document.title)); // htmx writes it a moment later
});

/* A track that is no more leaves the stage; the address of the page leaves it too. */
onSettled(() => {
  const gone = document.querySelector("#stage[data-gone]");
  if (!(gone instanceof HTMLElement) || location.pathname !== `/tracks/${gone.dataset.gone}`) return;
  history.replaceState(history.state, "", `/${location.search}`);
});

/* What a part that came says of itself: a link that is shown once, how Spotify answered. */
/** @type {WeakSet<Element>} */
const said = new WeakSet();
function say() {
  for (const part of document.querySelectorAll("[data-announce]")) {
    if (said.has(part)) continue;
    said.add(part);
    announce(part.querySelector("p")?.textContent ?? part.textContent ?? "");
  }
}
document.addEventListener("htmx:after:settle", say);
say();

/* A job that ended: completed, failed or cancelled. Percentages are never told. */
const ENDED = ["completed", "failed", "cancelled"];

/** @param {MutationRecord} change */
function ended({ type, target, oldValue }) {
  if (type !== "attributes" || !(target instanceof HTMLElement) || !target.matches(".job")) return "";
  const state = target.dataset.state ?? "";
  if (!ENDED.includes(state) || state === oldValue) return "";
  const words = [".job-title", ".status"].map((part) => target.querySelector(part)?.textContent?.trim() ?? "");
  return words.filter(Boolean).join(": ");
}

new MutationObserver((changes) => {
  for (const text of changes.map(ended)) if (text) announce(text);
  const moved = changes.some(({ target, addedNodes, removedNodes }) =>
    [target, ...addedNodes, ...removedNodes].some((node) => node instanceof Element && node.matches(".job")),
  );
  if (moved) document.body.dispatchEvent(new CustomEvent("sf:moved")); // what counts jobs, or tells of one, asks again
}).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-state"], attributeOldValue: true });

/* The note while the server is not heard; stream.js keeps the badge. */
document.addEventListener("click", ({ target }) => {
  if (target instanceof Element && target.closest("[data-reconnects]")) window.dispatchEvent(new Event("online"));
});
