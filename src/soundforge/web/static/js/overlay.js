/** What lies above the page: dialogs, unfolding menus, passing words; and what to say when a request fails. */

import { onFailure } from "./failures.js";
import { announce, toast } from "./words.js";

const STAY_MS = 8000;
const STAY_WITH_UNDO_MS = 20000;

/** @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
function within(target, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

document.addEventListener("click", (event) => {
  const opener = within(event.target, "[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens ?? "");
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  if (within(event.target, "[data-closes]")) within(event.target, "dialog")?.dispatchEvent(new Event("sf:close"));
  if (event.target instanceof HTMLDialogElement) event.target.close();
  if (within(event.target, "[data-closes-toast]")) leave(within(event.target, ".toast"));
  // A menu folds after a choice and after a click elsewhere; not while something in it is being filled in.
  const busy = within(event.target, "details.menu > summary, input, select, textarea, label, [data-stays]");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!busy || !(menu.contains(busy) || busy.contains(menu))) menu.removeAttribute("open");
  }
});
document.addEventListener("sf:close", (event) => event.target instanceof HTMLDialogElement && event.target.close(), true);
document.addEventListener("sf:done", (event) => {
  const dialog = within(event.target, "dialog");
  if (dialog instanceof HTMLDialogElement) dialog.close();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus();
});

/** Taken away a little later, so that a form inside is still sent. @param {HTMLElement | null} element */
function leave(element) {
  setTimeout(() => element?.remove(), 200);
}

/** @param {HTMLElement} element */
function pass(element) {
  const stay = element.querySelector("form, button:not([aria-label])") ? STAY_WITH_UNDO_MS : STAY_MS;
  const look = () => {
    if (element.matches(":hover, :focus-within")) setTimeout(look, 1000);
    else element.remove();
  };
  setTimeout(look, stay);
}

const toasts = document.getElementById("toasts");
if (toasts) {
  new MutationObserver((changes) => {
    for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (!(node instanceof HTMLElement)) continue;
      announce(node.querySelector("p")?.textContent ?? "");
      pass(node);
    }
  }).observe(toasts, { childList: true });
}

const PASSING = [502, 503, 504]; // also what a proxy says while the server starts

/** @param {number} status */
function words(status) {
  if (status === 0) return "The server could not be reached. Nothing was changed.";
  if (PASSING.includes(status)) return "The server cannot do that just now. Try again in a moment.";
  return "The server could not do that. It has been written to its log.";
}

onFailure((source, status) => {
  if (!source.matches(".sentinel, .page-gap, [data-page]")) toast(words(status), "bad"); // a part says it in its place
});
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event instanceof CustomEvent ? /** @type {HtmxDetail} */ (event.detail) : {};
  if ((ctx?.response?.status ?? 0) >= 500) event.preventDefault();
});
