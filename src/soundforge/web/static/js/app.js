/** The page's script: each part wires itself up. */

import "./player.js";
import "./strips.js";
import "./tools.js";
import "./mixes.js";
import "./timeline.js";
import "./stream.js";
import "./resync.js";
import "./rows.js";
import "./order.js";
import "./search.js";
import "./select.js";
import "./cues.js";
import "./correct.js";
import "./keymap.js";
import "./palette.js";
import "./states.js";
import "./upload.js";
import "./overlay.js";
import "./sure.js";

/** How far a slider is filled, for the track's colour. @param {EventTarget | null} target */
function fill(target) {
  if (!(target instanceof HTMLInputElement) || target.type !== "range") return;
  const [low, high] = [Number(target.min || 0), Number(target.max || 100)];
  target.style.setProperty("--fill", `${(100 * (Number(target.value) - low)) / (high - low || 1)}%`);
}
document.addEventListener("input", ({ target }) => fill(target));

/** The menu stands outside <main>: it learns from it which page is here. */
function here() {
  const name = document.getElementById("main")?.dataset.here ?? "";
  for (const link of document.querySelectorAll(".nav a")) {
    const current = link instanceof HTMLElement && link.dataset.page === name;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
document.addEventListener("htmx:after:settle", here);
here();

const narrow = matchMedia("(max-width: 56rem)");
/** On a small screen the jobs start folded. */
function fold() {
  if (narrow.matches) document.querySelector("details.dock")?.removeAttribute("open");
}
narrow.addEventListener("change", fold);
fold();
