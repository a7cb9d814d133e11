/**
 * The palette (Ctrl K): one field that goes to a page, finds a track, or does whatever the page in front can do.
 *
 * Nothing is listed by hand: pages are the links of the menus, actions are the buttons that the page holds and the keys
 * that count now, tracks are what the library's search finds.
 */

import { allKeys, cap, counts, written } from "./keys.js";

/** @typedef {{ name: string, kind: string, keys: string[], run: () => unknown }} Command */

const MOST = 14;
const TRACKS = 6;
const WAIT_MS = 150;
const LEFT_OUT = ".row, .job, .entry, .correct, dialog, template, [data-opens='palette']";

const [dialog, input, list] = ["palette", "palette-input", "palette-list"].map((id) => document.getElementById(id));

/** @type {Command[]} */
let known = [];
/** @type {Command[]} */
let tracks = [];
/** @type {Command[]} */
let shown = [];
let chosen = 0;
let asking = new AbortController();
let waiting = 0;

/** @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** What a screen reader calls it. @param {Element} element */
const nameOf = (element) => (element.getAttribute("aria-label") || element.textContent || "").replace(/\s+/g, " ").trim();

/** Whether it could be pressed now, or after unfolding the menu that it is in. @param {HTMLElement} element */
function offered(element) {
  const menu = element.closest("details.menu");
  const seen = (menu?.querySelector("summary") ?? element).checkVisibility({ visibilityProperty: true });
  return seen && !element.matches(":disabled, [aria-disabled=true]") && !element.closest(LEFT_OUT);
}

/** @returns {Command[]} */
function pages() {
  const links = [...document.querySelectorAll(".topbar .nav a, .topbar .menu a")];
  return links.flatMap((link) =>
    link instanceof HTMLElement ? [{ name: nameOf(link), kind: "Page", keys: [], run: () => link.click() }] : [],
  );
}

/** @returns {Command[]} */
function actions() {
  const held = [...document.querySelectorAll("#main :is(button, a.button, .menu a), .topbar :is(button, .menu button), sf-player button")];
  return held.flatMap((element) => {
    if (!(element instanceof HTMLElement) || !offered(element)) return [];
    const run = () => (element.checkVisibility() && element.focus(), element.click());
    const keys = (element.getAttribute("aria-keyshortcuts") ?? "").split(" ").filter(Boolean);
    return [{ name: nameOf(element), kind: "Action", keys, run }];
  });
}

/** @returns {Command[]} */
function keys() {
  const listed = allKeys().filter((key) => key.listed !== false && counts(key) && key.combos[0] !== "Mod+k");
  return listed.map(({ what, combos, act }) => ({ name: what, kind: "Key", keys: combos, run: () => act(combos[0] ?? "") }));
}

/** Of several with one name, or one key, the first is enough. @param {Command[]} commands */
function distinct(commands) {
  const seen = new Set();
  return commands.filter(({ name, keys: [key] }) => {
    const marks = [plain(name), ...(key ? [`key ${key.toLowerCase()}`] : [])];
    const known = marks.some((mark) => seen.has(mark));
    for (const mark of marks) seen.add(mark);
    return name && !known;
  });
}

/** @param {string} words */
function fitting(words) {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  return known.filter(({ name }) => wanted.every((word) => plain(name).includes(word)));
}

/** Goes to a page of ours as a link on the page would. @param {string} href */
function go(href) {
  const link = document.createElement("a");
  link.href = href;
  link.hidden = true;
  document.body.append(link);
  window.htmx.process(link);
  link.click();
  link.remove();
}

/** @param {string} words @returns {Promise<Command[]>} */
async function findTracks(words) {
  if (!words.trim()) return [];
  const address = `/api/v1/tracks?${new URLSearchParams({ q: words, limit: String(TRACKS) })}`;
  const answer = await fetch(address, { signal: asking.signal });
  if (!answer.ok) return [];
  const { rows } = await answer.json();
  return rows.map((/** @type {{ id: string, title: string, artist: string }} */ { id, title, artist }) => ({
    name: artist ? `${title} · ${artist}` : title,
    kind: "Track",
    keys: [],
    run: () => openTrack(id),
  }));
}

/** @param {string} id */
function openTrack(id) {
  const row = document.querySelector(`#track-${CSS.escape(id)} a`);
  if (row instanceof HTMLElement) row.click();
  else go(`/tracks/${id}`);
}

function draw() {
  if (!(input instanceof HTMLInputElement) || !list) return;
  const found = fitting(input.value);
  shown = [...found.slice(0, MOST - Math.min(tracks.length, TRACKS)), ...tracks];
  chosen = Math.min(chosen, Math.max(0, shown.length - 1));
  list.replaceChildren(...shown.map(option));
  if (!shown.length) list.replaceChildren(nothing());
  mark();
}

/** @param {Command} command @param {number} at */
function option({ name, kind, keys }, at) {
  const element = document.createElement("div");
  element.className = "option";
  element.id = `palette-option-${at}`;
  element.setAttribute("role", "option");
  const text = document.createElement("span");
  text.className = "clip";
  text.dir = "auto";
  text.textContent = name;
  const note = document.createElement("small");
  note.textContent = kind;
  element.append(text, ...(keys.length ? keys.slice(0, 1).map((key) => cap(written(key))) : [note]));
  element.addEventListener("click", () => run(at));
  element.addEventListener("pointermove", () => choose(at));
  return element;
}

function nothing() {
  const element = document.createElement("p");
  element.className = "muted";
  element.textContent = "Nothing is called that.";
  return element;
}

function mark() {
  const options = [...(list?.children ?? [])];
  for (const [at, element] of options.entries()) element.setAttribute("aria-selected", String(at === chosen));
  if (shown.length) input?.setAttribute("aria-activedescendant", `palette-option-${chosen}`);
  else input?.removeAttribute("aria-activedescendant");
}

/** @param {number} at */
function choose(at) {
  if (!shown.length || at === chosen) return;
  chosen = (at + shown.length) % shown.length;
  mark();
  list?.children[chosen]?.scrollIntoView({ block: "nearest" });
}

/** @param {number} at */
function run(at) {
  const command = shown[at];
  if (!command || !(dialog instanceof HTMLDialogElement)) return;
  dialog.close(); // first: the command may open another one, or move the focus
  command.run();
}

function typed() {
  chosen = 0;
  asking.abort();
  asking = new AbortController();
  clearTimeout(waiting);
  const words = input instanceof HTMLInputElement ? input.value : "";
  if (!words.trim()) tracks = [];
  draw();
  waiting = setTimeout(async () => {
    try {
      tracks = await findTracks(words);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) tracks = []; // offline: what the page holds is still offered
      return;
    }
    draw();
  }, WAIT_MS);
}

/** @type {Record<string, () => void>} */
const acts = {
  ArrowDown: () => choose(chosen + 1),
  ArrowUp: () => choose(chosen - 1),
  Enter: () => run(chosen),
};

input?.addEventListener("input", typed);
input?.addEventListener("keydown", (event) => {
  const act = acts[event.key];
  if (!act || event.isComposing) return;
  event.preventDefault();
  act();
});

document.addEventListener(
  "click",
  ({ target }) => {
    if (!(target instanceof Element) || !target.closest("[data-opens='palette']")) return;
    known = distinct([...actions(), ...pages(), ...keys()]); // of the page as it is now, before the dialog covers it
    tracks = [];
    chosen = 0;
    if (input instanceof HTMLInputElement) input.value = "";
    draw();
  },
  true,
);
