/**
 * After a gap in the stream (the server restarted, the connection was lost for long) the server says `resync`: what is
 * shown may be old. Every region that knows its own address is asked for again, and nothing else.
 */

import { announce } from "./words.js";

/** @param {string} url @param {Element} target @param {string} swap @param {string} [select] */
const again = (url, target, swap, select) =>
  window.htmx.ajax("GET", url, { source: target, target, swap, ...(select ? { select } : {}) });

document.addEventListener("resync", async () => {
  for (const page of document.querySelectorAll(".page-of-rows[data-page]"))
    if (page instanceof HTMLElement && page.dataset.page) await again(page.dataset.page, page, "outerHTML");
  const dock = document.getElementById("jobs");
  if (dock?.dataset.page) await again(dock.dataset.page, dock, "innerHTML");
  const stage = document.getElementById("stage");
  if (stage?.dataset.track) await again(`/tracks/${stage.dataset.track}/stage`, stage, "outerMorph");
});

document.addEventListener("signed-out", () => {
  announce("You are signed out.");
  location.assign("/login");
});
