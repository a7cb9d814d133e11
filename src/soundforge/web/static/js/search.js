/** The search box, on every page; and chips that write terms into its text, and take them out again. */

import { onSettled } from "./settled.js";

/** The terms of a search text, as the server cuts them. @param {string} text @returns {string[]} */
export const termsOf = (text) => text.match(/-?(?:[A-Za-z]+:)?=?"(?:[^"]|"")*"|\S+/g) ?? [];

/** @param {string} term */
const fieldOf = (term) => /^-?([A-Za-z]+):/.exec(term)?.[1]?.toLowerCase() ?? "";

/** The text with a term added; taken out when it stands there; of bpm, key and the like one alone stays.
 * @param {string} text @param {string} term */
export function toggled(text, term) {
  const terms = termsOf(text);
  if (terms.includes(term)) return terms.filter((other) => other !== term).join(" ");
  const opposite = term.startsWith("-") ? term.slice(1) : `-${term}`;
  const field = fieldOf(term);
  const many = field === "has" || field === "is";
  const kept = terms.filter((other) => other !== opposite && (many || fieldOf(other) !== field));
  return [...kept, term].join(" ");
}

const box = () => {
  const found = document.getElementById("search");
  return found instanceof HTMLInputElement ? found : null;
};

const library = () => document.getElementById("library");

/* What is typed changes the list. Its address keeps the track beside it; a page without a list goes to the library. */
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event instanceof CustomEvent ? /** @type {HtmxDetail} */ (event.detail) : {};
  const search = box();
  if (!search || !ctx?.request || ctx.sourceElement !== search) return;
  const track = document.getElementById("stage")?.dataset.track;
  if (library()) ctx.request.action = track ? `/tracks/${track}` : "/";
  else {
    event.preventDefault();
    search.form?.requestSubmit();
  }
});

/* Enter beside the list asks at once, and leaves what stands beside it. */
document.addEventListener("submit", (event) => {
  const search = box();
  if (!search || event.target !== search.form || !library()) return;
  event.preventDefault();
  event.stopPropagation(); // htmx would load the page anew
  search.dispatchEvent(new Event("sf:search"));
}, true);

/** Chips show what the text says. */
function mark() {
  const terms = termsOf(box()?.value ?? "");
  for (const chip of document.querySelectorAll(".chips [data-term]"))
    if (chip instanceof HTMLElement) chip.setAttribute("aria-pressed", String(terms.includes(chip.dataset.term ?? "")));
}

document.addEventListener("click", ({ target }) => {
  const chip = target instanceof Element ? target.closest("[data-term]") : null;
  const search = box();
  if (!(chip instanceof HTMLElement) || !search) return;
  search.value = toggled(search.value, chip.dataset.term ?? "");
  search.dispatchEvent(new Event("input", { bubbles: true }));
  mark();
  if (!chip.closest(".chips")) search.focus();
});
document.addEventListener("input", ({ target }) => target === box() && mark());
onSettled(mark);
mark();
