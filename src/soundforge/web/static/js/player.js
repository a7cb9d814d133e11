/**
 * `<sf-player>`: the one transport bar. It stands outside <main>, so the sound goes on while pages change.
 *
 * Pages talk to it by attributes alone:
 *   <button data-play="<track>" data-file data-rate data-frames data-title data-artist data-href>   play or pause
 *   <button data-play data-file data-rate data-frames> in a row, which tells the rest               the same
 *   `data-cover` on either: the track has a cover
 *   <button data-seek="<seconds>" data-track="<track>">                                            go there
 *   event "sf:seek" {track, seconds}                                                               the same, from a timeline
 * and follow it through `events` and `now` below.
 */

import { mixOf } from "./mix.js";
import { Mixer } from "./mixer.js";
import { PlainMixer, WHY_PLAIN, mayMix } from "./plain-mixer.js";
import { onSettled } from "./settled.js";
import { announce, clock as time, toast } from "./words.js";

/** @typedef {import("./mixer.js").SourceDescription} SourceDescription */
/** @typedef {{ track: string, title: string, artist: string, href: string, cover: string, file: string, rate: number, frames: number }} Song */

/** "tick" (a frame of the screen went by, or something jumped) and "change" (song, playing, stems). */
export const events = new EventTarget();

export const mixer = mayMix() ? new Mixer() : new PlainMixer();
const mixes = mixer instanceof Mixer;

/** @type {Song | null} */
let song = null;

/** What plays, or would. */
export const now = {
  get song() {
    return song;
  },
  /** Seconds into the given track, or null when another one plays. @param {string} track */
  at: (track) => (song?.track === track ? mixer.position : null),
};

/** The stems that a page shows for a track, if any. @param {string} track @returns {SourceDescription[]} */
function stemsOnPage(track) {
  if (!mixes) return [];
  return [...document.querySelectorAll(`sf-mixer[data-track="${CSS.escape(track)}"] .strip`)].map((strip) => {
    const { stem, file, gainDb } = /** @type {HTMLElement} */ (strip).dataset;
    return { name: stem ?? "", file: file ?? "", gainDb: Number(gainDb) || 0 };
  });
}

/** @param {Song} next @param {number} [at] seconds */
async function open(next, at = 0) {
  song = next;
  const stems = stemsOnPage(next.track);
  const sources = stems.length ? stems : [{ name: "mix", file: next.file }];
  announce(`Playing ${next.title}`);
  if (!mixes) toast(WHY_PLAIN);
  changed();
  await mixer.open(sources, { rate: next.rate, frames: next.frames, at, mix: mixOf(next.track) });
}

/** Stems appeared, or others were chosen: they take over where the sound is. @param {string} track */
export async function useStems(track) {
  const stems = stemsOnPage(track);
  const same = stems.map(({ file }) => file).join() === mixer.sources.map(({ file }) => file).join();
  if (song?.track !== track || !stems.length || same) return;
  await mixer.swap(stems);
  changed();
}

/** @param {HTMLElement} button @returns {Song} */
function songOf(button) {
  const { title = "", artist = "", href = "/", file = "", rate, frames } = button.dataset;
  const track = trackOf(button);
  const cover = button.hasAttribute("data-cover") ? `/tracks/${track}/cover` : "";
  const sound = { track, cover, file, rate: Number(rate) || 44100, frames: Number(frames) || 0 };
  const name = button.closest(".row")?.querySelector(".row-name a");
  if (!name) return { ...sound, title, artist, href };
  const by = name.nextElementSibling?.textContent ?? "";
  return { ...sound, title: name.textContent ?? "", artist: by, href: name.getAttribute("href") ?? "/" };
}

/** @param {HTMLElement} button */
const trackOf = (button) => button.dataset.play || button.closest(".row")?.id.slice("track-".length) || "";

/** @returns {HTMLElement[]} every play button, in the order of the page @param {string} [within] */
const playButtons = (within = "") =>
  [...document.querySelectorAll(`${within} [data-play]`)].filter((button) => button instanceof HTMLElement);

/** @param {string} track @param {number} seconds */
export async function seek(track, seconds) {
  if (song?.track === track) {
    await mixer.seek(seconds);
    events.dispatchEvent(new Event("tick"));
    return;
  }
  const button = playButtons().find((button) => trackOf(button) === track && !button.hasAttribute("disabled"));
  if (button) await open(songOf(button), seconds);
}

/** The song before or after this one in the list on the page. @param {1 | -1} step */
async function step(step) {
  if (step < 0 && (mixer.position > 3 || !beside(step))) return mixer.seek(0);
  const button = beside(step);
  if (button) await open(songOf(button));
}

/** @param {1 | -1} step */
function beside(step) {
  const buttons = playButtons(".row").filter((button) => !button.hasAttribute("disabled"));
  const here = buttons.findIndex((button) => trackOf(button) === song?.track);
  return (here < 0 ? null : buttons[here + step]) ?? null;
}

export async function toggle() {
  if (song) return mixer.toggle();
  const button = document.querySelector(".stage [data-play]:not([disabled]), .row[aria-selected=true] [data-play]:not([disabled])");
  if (button instanceof HTMLElement) await open(songOf(button));
}

let ticking = 0;

function changed() {
  events.dispatchEvent(new Event("change"));
  events.dispatchEvent(new Event("tick"));
  if (!ticking && mixer.playing) ticking = requestAnimationFrame(tick);
}

function tick() {
  ticking = mixer.playing ? requestAnimationFrame(tick) : 0;
  events.dispatchEvent(new Event("tick"));
}

mixer.addEventListener("change", changed);

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const play = target?.closest("[data-play]");
  if (play instanceof HTMLElement) {
    event.preventDefault();
    const next = songOf(play);
    void (song?.track === next.track ? mixer.toggle() : open(next));
  }
  const jump = target?.closest("[data-seek]");
  if (jump instanceof HTMLElement) void seek(jump.dataset.track ?? "", Number(jump.dataset.seek));
});
document.addEventListener("sf:seek", ({ detail }) => void seek(detail.track, detail.seconds));

/** A cover that did not come is taken away, so that the icon behind it is seen. @param {EventTarget | null} image */
function uncover(image) {
  if (image instanceof HTMLImageElement && image.matches(".cover img")) image.remove();
}

document.addEventListener("error", ({ target }) => uncover(target), true);
for (const image of [...document.images]) if (image.complete && !image.naturalWidth) uncover(image); // before this ran

class Player extends HTMLElement {
  #dragging = false;
  #failure = "";
  #cover = "";

  connectedCallback() {
    events.addEventListener("change", () => this.#change());
    events.addEventListener("tick", () => this.#tick());
    this.addEventListener("click", (event) => this.#click(event));
    const slider = this.#input("seek");
    slider.addEventListener("input", () => (this.#dragging = true));
    slider.addEventListener("change", () => {
      this.#dragging = false;
      if (song) void seek(song.track, Number(slider.value));
    });
    const volume = this.#input("volume");
    volume.value = localStorage.getItem("volume") ?? "1";
    volume.dispatchEvent(new Event("input", { bubbles: true }));
    volume.addEventListener("input", () => this.#volume(Number(volume.value)));
    this.#volume(Number(volume.value));
    onSettled(() => this.#mark());
    this.#mark();
  }

  /** @param {string} act */
  #input(act) {
    return /** @type {HTMLInputElement} */ (this.querySelector(`input[data-act="${act}"]`));
  }

  /** @param {string} name @param {string} text */
  #say(name, text) {
    const element = this.querySelector(`[data-now="${name}"]`);
    if (element && element.textContent !== text) element.textContent = text;
  }

  /** @param {string} address of the song's cover; empty for none */
  #picture(address) {
    if (address === this.#cover) return;
    this.#cover = address;
    const square = this.querySelector(".cover");
    square?.querySelector("img")?.remove();
    if (address) square?.append(Object.assign(new Image(), { alt: "", src: address }));
  }

  /** @param {Event} event */
  #click(event) {
    const button = event.target instanceof Element ? event.target.closest("button[data-act]") : null;
    const act = button instanceof HTMLElement ? button.dataset.act : "";
    if (act === "toggle") void toggle();
    if (act === "previous") void step(-1);
    if (act === "next") void step(1);
    if (act === "silence") {
      const silent = button?.getAttribute("aria-pressed") !== "true";
      button?.setAttribute("aria-pressed", String(silent));
      mixer.setVolume(silent ? 0 : Number(this.#input("volume").value));
    }
  }

  /** @param {number} volume */
  #volume(volume) {
    localStorage.setItem("volume", String(volume));
    this.querySelector('[data-act="silence"]')?.setAttribute("aria-pressed", "false");
    mixer.setVolume(volume);
  }

  #change() {
    if (!song) return;
    this.hidden = false;
    this.toggleAttribute("data-playing", mixer.playing);
    this.toggleAttribute("data-stalled", mixer.playing && mixer.held);
    this.querySelector('[data-act="toggle"]')?.setAttribute("aria-label", mixer.playing ? "Pause" : "Play");
    const link = this.querySelector('a[data-now="title"]');
    if (link) link.setAttribute("href", song.href);
    this.#say("title", song.title);
    this.#say("artist", song.artist);
    this.#say("note", mixer.sources.length > 1 ? `${mixer.sources.length} stems` : "");
    this.#say("length", time(mixer.length));
    this.#picture(song.cover);
    if (mixer.failure && mixer.failure !== this.#failure) toast(mixer.failure, "bad");
    this.#failure = mixer.failure;
    this.#mark();
  }

  #tick() {
    const position = mixer.position;
    const slider = this.#input("seek");
    this.#say("position", time(this.#dragging ? Number(slider.value) : position));
    if (this.#dragging) return;
    slider.max = String(mixer.length || 1);
    slider.value = String(position);
    const percent = `${((100 * position) / (mixer.length || 1)).toFixed(2)}%`;
    slider.style.setProperty("--fill", percent);
    const told = `${time(position)} of ${time(mixer.length)}`;
    if (slider.getAttribute("aria-valuetext") !== told) slider.setAttribute("aria-valuetext", told);
  }

  /** Every play button has its name, and those of this song show whether it sounds, also in rows that came just now. */
  #mark() {
    for (const button of playButtons()) {
      const on = mixer.playing && trackOf(button) === song?.track;
      if (button.hasAttribute("data-playing") === on && button.hasAttribute("aria-label")) continue;
      button.toggleAttribute("data-playing", on);
      button.setAttribute("aria-label", `${on ? "Pause" : "Play"} ${songOf(button).title}`);
      button.setAttribute("title", on ? "Pause" : "Play");
    }
  }
}

customElements.define("sf-player", Player);
