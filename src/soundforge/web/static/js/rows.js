/**
 * Long lists: the row in hand (roving focus), the row whose page is open, and pages that are emptied far out of sight.
 *
 * A list is `[data-keep="600"]` around `.page-of-rows[data-page=<url>]`. Beyond so many rows the farthest pages become
 * gaps of the same height, which fetch their page again when they come near. A page that grows by what comes live is cut
 * where the server would end it, with a gap behind. Of `[data-most="60"]` only so many stay.
 */

import { onSettled } from "./settled.js";

const NEAR = "1500px";
const MOST_ROWS = 300; // of one page; then it is cut
const AGAIN_ROWS = 100; // more of them, before a cut that failed is tried again

const LISTS = "#library, #jobs, .dock, .one-job, .list-entries";
const ITEMS = ".row, .job, .entry";

/** @param {ParentNode} list @returns {HTMLElement[]} */
const itemsOf = (list) => [...list.querySelectorAll(ITEMS)].filter((item) => item instanceof HTMLElement);

/** The list that the focus is in, else the first of the page that has something. */
function listInHand() {
  const lists = [...document.querySelectorAll(LISTS)].filter((list) => list.checkVisibility() && list.querySelector(ITEMS));
  return lists.find((list) => list.contains(document.activeElement)) ?? lists[0] ?? null;
}

/** j and k: the next row of the list in hand, or the one before. @param {1 | -1} step */
export function moveRow(step) {
  const list = listInHand();
  const all = list ? itemsOf(list) : [];
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const from = here >= 0 ? here : all.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const row = all[from < 0 ? 0 : Math.min(all.length - 1, Math.max(0, from + step))];
  if (!row) return;
  for (const other of all) other.tabIndex = -1;
  row.tabIndex = 0;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** @returns {HTMLElement | null} the row that has the focus */
export function rowInHand() {
  const row = document.activeElement?.closest(ITEMS);
  return row instanceof HTMLElement ? row : null;
}

/** Whether the focus moves because Tab was pressed. */
let tabbing = false;

/** Tab goes through a list as through one thing: in at the row in hand, through what that row has, and out. @param {KeyboardEvent} event */
function passOn(event) {
  if (event.key !== "Tab") return;
  tabbing = true;
  setTimeout(() => (tabbing = false));
  const row = rowInHand();
  const list = row?.closest(LISTS);
  if (!row || !list) return;
  const stops = [...row.querySelectorAll("a[href], button:enabled, input:enabled")].filter((stop) => stop.checkVisibility());
  const edge = event.shiftKey ? row : (stops.at(-1) ?? row);
  if (document.activeElement !== edge) return;
  const border = document.createElement("span"); // the browser goes on from here
  border.tabIndex = -1;
  if (event.shiftKey) itemsOf(list)[0]?.before(border);
  else list.append(border);
  border.focus({ preventScroll: true });
  border.addEventListener("blur", () => border.remove(), { once: true });
}

/** @param {FocusEvent} event */
function enter({ target, relatedTarget }) {
  const row = target instanceof Element ? target.closest(ITEMS) : null;
  const list = row?.closest(LISTS);
  if (!tabbing || !list || (relatedTarget instanceof Element && relatedTarget.closest(ITEMS))) return;
  const inHand = itemsOf(list).find((one) => one.tabIndex === 0);
  if (inHand && inHand !== row) inHand.focus();
}

document.addEventListener("keydown", passOn);
document.addEventListener("focusin", enter);

/** The row of the track on the stage is the selected one; some row of each list can always be reached with Tab. */
function mark() {
  const stage = document.getElementById("stage");
  const open = stage?.dataset.track ? `track-${stage.dataset.track}` : "";
  for (const row of document.querySelectorAll(".row")) {
    const selected = String(row.id === open);
    if (row.getAttribute("aria-selected") !== selected) row.setAttribute("aria-selected", selected);
  }
  for (const list of document.querySelectorAll(LISTS)) {
    const all = itemsOf(list);
    const reached = all.find((row) => row.contains(document.activeElement)) ?? all.find((row) => row.tabIndex === 0) ?? all[0];
    if (reached && reached.tabIndex !== 0) reached.tabIndex = 0;
  }
}

/** @param {HTMLElement} list */
function trim(list) {
  const keep = Number(list.dataset.keep);
  const pages = [...list.querySelectorAll(".page-of-rows")].filter((page) => page instanceof HTMLElement);
  let count = itemsOf(list).length;
  const middle = list.closest(".library")?.getBoundingClientRect() ?? document.body.getBoundingClientRect();
  const centre = (middle.top + middle.bottom) / 2;
  const far = (/** @type {HTMLElement} */ page) => {
    const { top, bottom } = page.getBoundingClientRect();
    return top > centre ? top - centre : centre - bottom;
  };
  for (const page of pages.sort((a, b) => far(b) - far(a))) {
    if (count <= keep || far(page) < 2 * middle.height) return;
    count -= itemsOf(page).length;
    page.replaceWith(gap(page));
  }
}

/** Rows that pages had when they were asked for again. @type {WeakMap<Element, number>} */
const asked = new WeakMap();

/** @param {HTMLElement} list */
function cutGrown(list) {
  for (const page of list.querySelectorAll(".page-of-rows")) {
    const count = page.childElementCount;
    if (count <= MOST_ROWS || count < (asked.get(page) ?? 0) + AGAIN_ROWS || !(page instanceof HTMLElement)) continue;
    asked.set(page, count);
    cut(page);
  }
}

/** Ends a page where the server ends it; what stands behind becomes a gap. The rows that stay are not drawn anew. @param {HTMLElement} page */
async function cut(page) {
  const known = new Set(itemsOf(page));
  const url = new URL(page.dataset.page ?? "", location.href);
  url.searchParams.set("alone", String(Math.random())); // a read that another window began could be older than what stands here
  const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return; // offline: the page is as it was, and is asked for again when it has grown further
  const [fresh, rest] = new DOMParser().parseFromString(await answer.text(), "text/html").body.children;
  if (!(fresh instanceof HTMLElement)) return;
  const stay = new Set(itemsOf(fresh).map(({ id }) => id));
  if (stay.size === 0) return dropHidden(page);
  if (!(rest instanceof HTMLElement)) return;
  const here = itemsOf(page);
  const last = here.findLastIndex(({ id }) => stay.has(id));
  const gone = here.filter((item, at) => !stay.has(item.id) && (known.has(item) || at > last)); // what came meanwhile stays on top
  for (const item of gone) item.remove();
  emptied.set(rest, gone.map(trackOf));
  page.dataset.page = fresh.dataset.page;
  page.after(rest);
  size(rest);
  window.htmx.process(rest);
  asked.delete(page);
}

/** Of a page where the server knows nothing to show, what the view does not show goes. @param {HTMLElement} page */
function dropHidden(page) {
  for (const item of itemsOf(page)) if (getComputedStyle(item).display === "none") item.remove();
  asked.delete(page);
}

/** A gap is as high as its rows. @param {Element} gap */
function size(gap) {
  if (!(gap instanceof HTMLElement) || !gap.dataset.rows) return;
  gap.style.blockSize = `calc(${gap.dataset.rows} * var(--row))`;
  delete gap.dataset.rows;
}

/** What came on top pushes out what stands last. @param {HTMLElement} list */
function shorten(list) {
  for (const item of itemsOf(list).slice(Number(list.dataset.most))) item.remove();
}

/** The rows of emptied pages, so that a range may reach over them. @type {WeakMap<Element, string[]>} */
const emptied = new WeakMap();

/** Every row of the list in its order, also of emptied pages: the ids of their tracks. @returns {string[]} */
export const order = () =>
  [...document.querySelectorAll("#rows .row, #rows .page-gap")].flatMap((element) =>
    element.matches(".row") ? [trackOf(element)] : (emptied.get(element) ?? []),
  );

/** @param {Element} row */
export const trackOf = (row) => row.id.slice("track-".length);

/** @param {HTMLElement} page */
function gap(page) {
  const element = document.createElement("div");
  element.className = "page-gap";
  emptied.set(element, [...page.querySelectorAll(".row")].map(trackOf));
  element.style.blockSize = `${page.getBoundingClientRect().height}px`;
  element.setAttribute("hx-get", page.dataset.page ?? "");
  element.setAttribute("hx-trigger", `intersect once rootMargin:${NEAR}`);
  element.setAttribute("hx-swap", "outerHTML");
  queueMicrotask(() => window.htmx.process(element));
  return element;
}

onSettled(() => {
  mark();
  for (const gap of document.querySelectorAll(".page-gap[data-rows]")) size(gap);
  for (const list of document.querySelectorAll("[data-keep]")) {
    if (!(list instanceof HTMLElement)) continue;
    cutGrown(list);
    trim(list);
  }
  for (const list of document.querySelectorAll("[data-most]")) if (list instanceof HTMLElement) shorten(list);
});
mark();
