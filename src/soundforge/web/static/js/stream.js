/**
 * The page's stream of changes (`#feed`, see `feed()` in components/status.html) and what htmx's own extension leaves
 * open: it retries a stream that once ran, but not one whose *first* connect fails. And the badge that says how it is.
 */

import { give, take } from "./slots.js";
import { moved } from "./ticks.js";
import { announce } from "./words.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 1000;

/** A sign of life comes every 15 s: a line on which nothing came for so long is dead, whatever the browser thinks of it. */
export const silence = { longest_ms: 35_000 };
let timer = 0;

const WORDS = { connecting: "connecting", live: "live", offline: "offline", "signed-out": "signed out", paused: "paused" };

/** Whether this window leaves listening to others. */
let paused = false;

/** Whether it waits until somebody uses it: the server ended its line for newer ones, and each that came back would end another. */
let replaced = false;

/** @type {WeakMap<Element, number>} failed first connects of a feed */
const failures = new WeakMap();

/** @type {WeakSet<Element>} */
const started = new WeakSet();

/** @param {EventTarget | null | undefined} target @returns {Element | null} */
const feedOf = (target) => (target instanceof Element && target.hasAttribute("hx-sse:connect") ? target : null);

/** @param {keyof typeof WORDS} state */
function show(state) {
  const badge = document.getElementById("link");
  if (!badge || badge.dataset.state === state) return;
  const before = badge.dataset.state;
  badge.dataset.state = state;
  const text = badge.querySelector(".link-text");
  if (text) text.textContent = WORDS[state];
  if (state === "offline") announce("Offline: what is shown may be old.");
  if (state === "live" && before === "offline") announce("Live again.");
}

/** Feeds whose first connect is on its way: two of them would hear everything twice. @type {WeakSet<Element>} */
const asked = new WeakSet();

/** @param {Element} feed */
function connect(feed) {
  if (!feed.isConnected || feed._htmx?.sse || asked.has(feed)) return;
  asked.add(feed);
  // Not by the element's own trigger: htmx hangs one up each time it looks at the page, and all of them would fire.
  window.htmx.ajax("GET", feed.getAttribute("hx-sse:connect") ?? "", { source: feed });
}

/** @param {Element} feed */
function tryAgain(feed) {
  asked.delete(feed);
  const failed = (failures.get(feed) ?? 0) + 1;
  failures.set(feed, failed);
  show("offline");
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failed - 1)) * (0.8 + 0.4 * Math.random());
  setTimeout(() => connect(feed), wait);
}

/** @param {string} name @param {(feed: Element, detail: HtmxDetail, event: Event) => void} act for events of a feed */
function on(name, act) {
  document.addEventListener(name, (event) => {
    const detail = event instanceof CustomEvent ? /** @type {HtmxDetail} */ (event.detail) : {};
    const feed = feedOf(detail.ctx?.sourceElement) ?? feedOf(event.target);
    if (feed) act(feed, detail, event);
  });
}

/** Asks for the line anew: nothing else tells whether the server is heard. What is told meanwhile comes with it. */
function probe() {
  const feed = document.getElementById("feed");
  if (!feed || paused || !started.has(feed)) return;
  const line = feed._htmx?.sse;
  if (!line) connect(feed);
  else if (line.delayCanceller) line.delayCanceller();
  else line.reader?.cancel();
}

function heard() {
  clearTimeout(timer);
  timer = setTimeout(probe, silence.longest_ms);
}

on("htmx:sse:after:connection", (feed) => {
  failures.delete(feed);
  asked.delete(feed);
  show("live");
  heard();
});

on("htmx:sse:before:message", (_feed, { message }, event) => {
  heard();
  if (message && !message.event && moved(message.data)) event.preventDefault();
});

on("htmx:sse:error", (_feed, { status, connection }) => {
  if (status !== 401 && status !== 403) return show("offline");
  if (connection) connection.cancelled = true;
  show("signed-out");
});

on("htmx:sse:close", (feed, { reason }) => {
  if (reason === "ended" && !feed._htmx?.sse && !paused) tryAgain(feed);
});

on("htmx:sse:before:connection", (_feed, { connection }) => {
  const signedOut = document.getElementById("link")?.dataset.state === "signed-out";
  if (!connection || connection.attempt === 0) return;
  if (paused) connection.cancelled = true;
  else if (signedOut) connection.cancelled = true;
  else show(connection.attempt === 1 ? "connecting" : "offline"); // one try without a word of alarm
});

/** The first connect was answered, but not by a stream. */
on("htmx:before:swap", (feed, { ctx }, event) => {
  if (!ctx?.response || feed._htmx?.sse) return;
  event.preventDefault();
  const { status } = ctx.response;
  if (status === 401 || status === 403 || ctx.response.raw.redirected) show("signed-out");
  else tryAgain(feed);
});

/** The first connect was not answered at all. */
on("htmx:error", (feed) => {
  if (!feed._htmx?.sse) tryAgain(feed);
});

/** Started from here, so that no failure comes before somebody listens for it. */
function start() {
  const feed = document.getElementById("feed");
  if (!feed?._htmx || started.has(feed)) return;
  started.add(feed);
  firstParts().then(() => listen(false));
}

/** What the page asks for first (`[data-first]`) is read after its place in the stream: what is told comes on top of it. */
function firstParts() {
  const parts = [...document.querySelectorAll("[data-first]")];
  const came = (/** @type {Element} */ part) =>
    new Promise((resolve) => part.addEventListener("htmx:finally:request", () => resolve(part), { once: true }));
  return Promise.all(parts.map(came));
}

document.addEventListener("htmx:finally:request", ({ target }) => {
  if (target instanceof Element) target.removeAttribute("data-first");
});

/** Listens, if this window may. @param {boolean} anyhow it is the one in use */
async function listen(anyhow) {
  if (anyhow) replaced = false;
  const may = await take(pause, anyhow);
  const feed = document.getElementById("feed");
  if (!may) return pause();
  if (!feed || !started.has(feed)) return;
  paused = false;
  connect(feed);
}

/** Another window is in use and needs the line. */
function pause() {
  paused = true;
  show("paused");
  document.getElementById("feed")?._htmx?.sse?.reader?.cancel();
}

document.addEventListener("replaced", () => {
  replaced = true;
  give();
  pause();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) give();
  else listen(true);
});
for (const name of ["focus", "pointerdown", "keydown"])
  window.addEventListener(name, () => paused && listen(true), { capture: true, passive: true });
setInterval(() => paused && !replaced && !document.hidden && listen(false), 3000);
document.addEventListener("htmx:after:process", start);
/** On a slow line htmx has read the page before its own extension came: then nobody has looked at the feed yet. */
document.addEventListener("DOMContentLoaded", () => {
  const feed = document.getElementById("feed");
  if (feed && !feed._htmx) window.htmx.process(feed);
});
start();

/* What the browser says of its network is about another one where the studio runs on this machine. */
window.addEventListener("offline", probe);
window.addEventListener("online", probe);
