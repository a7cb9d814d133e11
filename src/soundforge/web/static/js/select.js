/**
 * Choosing many rows, and what can be done with them: the bar below the list (`#batch`) and the menu of one row
 * (`#row-menu`). A choice is of tracks, not of rows: it outlives pages that are emptied, and ends with another search.
 */

import { ask } from "./ask.js";
import { moveRow, order, rowInHand, trackOf } from "./rows.js";
import { onSettled } from "./settled.js";
import { announce, toast } from "./words.js";

/** Tracks that are chosen; with `all`, those that are left out of everything the search finds. @type {Set<string>} */
const named = new Set();
let all = false;
let anchor = "";
let shown = "";
let wasPicking = false;

/** @param {string} selector @returns {HTMLElement | null} */
const find = (selector) => document.querySelector(selector);

/** @param {string} id */
const isPicked = (id) => named.has(id) !== all;

/** @param {string} id @param {boolean} on */
function pick(id, on) {
  if (on === all) named.delete(id);
  else named.add(id);
}

/** @param {string} from @param {string} to @param {boolean} on */
function pickRange(from, to, on) {
  const ids = order();
  const [a, b] = [ids.indexOf(from), ids.indexOf(to)];
  const range = a < 0 ? [to] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
  for (const id of range) pick(id, on);
}

function clear() {
  named.clear();
  all = false;
  anchor = "";
  show();
}

const total = () => Number(find("#library")?.dataset.total ?? 0);
const count = () => (all ? Math.max(0, total() - named.size) : named.size);

/** All that the search finds, as many as there are now: rows come and go after the page was drawn. */
async function pickAll() {
  named.clear();
  all = true;
  show();
  const address = find("#batch")?.dataset.count;
  const counted = address ? await ask("GET", address) : null;
  const library = find("#library");
  if (!counted || !library || find("#batch")?.dataset.count !== address) return; // told, or another search by now
  library.dataset.total = counted.count;
  library.querySelector("[aria-rowcount]")?.setAttribute("aria-rowcount", counted.count);
  show();
  if (all) tell("");
}

/** Rows, bar and form say what is chosen: also those that have just come. */
function show() {
  const library = find("#library");
  const bar = find("#batch");
  if (!library || !bar) return;
  if (library.dataset.shown !== shown) {
    shown = library.dataset.shown ?? "";
    named.clear();
    all = false;
  }
  if (count() === 0 && !wasPicking && bar.hidden) return; // as nearly always: nothing to write
  wasPicking = count() > 0;
  for (const row of library.querySelectorAll(".row")) {
    const on = isPicked(trackOf(row));
    row.toggleAttribute("data-picked", on);
    const box = row.querySelector(".pick");
    if (box instanceof HTMLInputElement) box.checked = on;
  }
  library.toggleAttribute("data-picking", count() > 0);
  bar.hidden = count() === 0;
  fill("ids", [...named].join());
  fill("all", String(all));
  fill("told", all ? String(count()) : "");
  const told = find("#batch-count");
  if (told) told.textContent = `${count().toLocaleString("en")} selected`;
}

/** @param {string} name @param {string} value */
function fill(name, value) {
  const input = document.querySelector(`#batch-chosen [name="${name}"]`);
  if (input instanceof HTMLInputElement) input.value = value;
}

/** @param {string} text */
const tell = (text) => announce(`${text} ${count()} selected.`.trim());

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const row = target?.closest(".row");
  const choice = target?.closest("[data-select]");
  if (choice instanceof HTMLElement) {
    if (choice.dataset.select === "none") clear();
    else pickAll();
    return;
  }
  if (!row || !find("#batch")) return;
  const id = trackOf(row);
  if (target instanceof HTMLInputElement && target.matches(".pick")) {
    if (event.shiftKey && anchor) pickRange(anchor, id, target.checked);
    else pick(id, target.checked);
  } else if (event.shiftKey && !target?.closest("button")) {
    event.preventDefault();
    event.stopPropagation();
    pickRange(anchor || id, id, true);
  } else return;
  anchor = id;
  show();
  tell("");
}, true);

/** @param {EventTarget | null} target */
const isElsewhere = (target) =>
  !find("#batch") ||
  document.querySelector("dialog[open]") !== null ||
  (target instanceof HTMLElement && target.matches("input:not(.pick), textarea, select, [contenteditable], [role=slider]"));

/** @param {1 | -1} step */
function extend(step) {
  const from = rowInHand();
  if (from) pick(trackOf(from), true);
  moveRow(step);
  const to = rowInHand();
  if (!to) return;
  pick(trackOf(to), true);
  anchor = trackOf(to);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey || isElsewhere(event.target)) return;
  const row = rowInHand()?.closest(".row") ?? null;
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const key = event.key.toLowerCase();
  if (key === "x" && plain && row) {
    pick(trackOf(row), !isPicked(trackOf(row)));
    anchor = trackOf(row);
  } else if (event.shiftKey && (key === "arrowdown" || key === "arrowup") && (row || anchor)) extend(key === "arrowdown" ? 1 : -1);
  else if (key === "a" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    event.preventDefault();
    pickAll();
    return;
  } else if (key === "escape" && count() > 0 && !find(":popover-open, details.menu[open]")) return clear();
  else return;
  event.preventDefault();
  show();
  tell("");
});

/* The menu of one row. */

let about = "";

/** @param {Element} row @param {number} x @param {number} y */
function openMenu(row, x, y) {
  const menu = find("#row-menu");
  if (!menu) return;
  about = trackOf(row);
  for (const link of menu.querySelectorAll("a[data-href]"))
    if (link instanceof HTMLElement) link.setAttribute("href", (link.dataset.href ?? "").replaceAll("{id}", about));
  menu.showPopover();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`;
  items(menu)[0]?.focus();
}

/** Its place goes with it: htmx would copy it to the next page's menu as an attribute, which the site's policy forbids. */
function closeMenu() {
  const menu = find("#row-menu");
  menu?.hidePopover();
  if (menu?.hasAttribute("style")) menu.removeAttribute("style"); // Chromium keeps an empty one if nobody looked
}

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
const items = (menu) => [...menu.querySelectorAll("a, button")].filter((item) => item instanceof HTMLElement);

document.addEventListener("contextmenu", (event) => {
  const row = event.target instanceof Element ? event.target.closest("#rows .row") : null;
  if (!row || event.shiftKey) return;
  event.preventDefault();
  const { left, top } = row.getBoundingClientRect();
  openMenu(row, event.clientX || left + 48, event.clientY || top + 24);
});

document.addEventListener("click", ({ target }) => {
  const more = target instanceof Element ? target.closest(".row-more") : null;
  const row = more?.closest(".row");
  if (more && row) {
    const { left, bottom } = more.getBoundingClientRect();
    return openMenu(row, left, bottom + 2);
  }
  const act = target instanceof Element ? target.closest("#row-menu [data-act], #row-menu a") : null;
  if (!(act instanceof HTMLElement)) return;
  closeMenu();
  if (act.dataset.act) perform(act.dataset.act);
});

/** Whoever writes a name wants a new list, whichever one was offered first. */
document.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.name !== "title") return;
  const fresh = target.form?.querySelector("[name='playlist'][value='new']");
  if (fresh instanceof HTMLInputElement) fresh.checked = true;
});

/** Closed by hand: a browser would close it by the same press of the right button that opened it. */
document.addEventListener("pointerdown", ({ target }) => {
  const menu = find("#row-menu:popover-open");
  if (menu && !(target instanceof Node && menu.contains(target))) closeMenu();
});

document.addEventListener("keydown", (event) => {
  const menu = find("#row-menu:popover-open");
  if (menu && (event.key === "Escape" || event.key === "Tab")) {
    closeMenu();
    document.getElementById(`track-${about}`)?.focus();
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  const all = items(menu);
  const here = all.findIndex((item) => item === document.activeElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[event.key] ?? 0;
  event.preventDefault();
  event.stopPropagation();
  all.at(to % all.length)?.focus();
}, true);

/** @param {string} act what the menu of a row offers: of the batch's, or pick and play */
function perform(act) {
  const row = document.getElementById(`track-${about}`);
  if (act === "play") row?.querySelector("button")?.click();
  else if (act === "pick") {
    pick(about, !isPicked(about));
    anchor = about;
    show();
  } else if (act === "add") {
    clear();
    pick(about, true);
    show();
    find("#batch [data-opens='add-to-list']")?.click();
  } else send(act, about);
  if (act === "pick" || act === "play") row?.focus();
}

/** @param {string} action @param {string} ids */
function send(action, ids) {
  const form = find("#batch");
  const address = form?.getAttribute("hx-post");
  if (!form || !address) return toast("The list is gone; load the page anew.", "bad");
  window.htmx.ajax("POST", address, { source: form, swap: "none", values: { action, ids, all: "false", told: "" } });
}

document.addEventListener("sf:batched", clear);
onSettled(show);
show();
