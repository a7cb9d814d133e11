/**
 * `<sf-mixer data-track>`: the lanes of a track's page. Its `.strip`s are the stems that the player shall use; their
 * buttons and faders act on the mixer, and show what the mixer holds when the page comes back.
 */

import { mixOf } from "./mix.js";
import { events, mixer, now, useStems } from "./player.js";
import { announce, decibels, panned, span } from "./words.js";

class Strips extends HTMLElement {
  #stop = new AbortController();
  #observer = new MutationObserver(() => this.#arrived());

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.addEventListener("click", (event) => this.#press(event), { signal });
    this.addEventListener("input", (event) => this.#slide(event), { signal });
    this.addEventListener("dblclick", (event) => this.#level(event), { signal });
    this.#mix.addEventListener("change", () => this.#show(), { signal });
    mixer.addEventListener("report", () => this.#meter(), { signal });
    events.addEventListener("change", () => this.#show(), { signal });
    document.addEventListener("htmx:after:settle", () => this.#arrived(), { signal });
    this.#observer.observe(this, { childList: true });
    this.#arrived();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#observer.disconnect();
  }

  get #mine() {
    return now.song?.track === this.dataset.track && mixer.sources.length > 0 && mixer.sources[0]?.name !== "mix";
  }

  get #mix() {
    return mixOf(this.dataset.track ?? "");
  }

  /** @returns {HTMLElement[]} */
  get #strips() {
    return [...this.querySelectorAll(".strip")].filter((strip) => strip instanceof HTMLElement);
  }

  #arrived() {
    void useStems(this.dataset.track ?? "");
    this.#show();
  }

  /** @param {Event} event */
  #stripOf(event) {
    const target = event.target instanceof Element ? event.target : null;
    const strip = target?.closest(".strip");
    const control = target?.closest("[data-act]");
    if (!(strip instanceof HTMLElement) || !(control instanceof HTMLElement)) return null;
    return { name: strip.dataset.stem ?? "", act: control.dataset.act ?? "", control };
  }

  /** @param {Event} event */
  #press(event) {
    const found = this.#stripOf(event);
    if (!found) return;
    const { muted, soloed } = this.#mix.strip(found.name);
    if (found.act === "mute") this.#mix.setStrip(found.name, { muted: !muted });
    if (found.act === "solo") this.#mix.setStrip(found.name, { soloed: !soloed });
    if (found.act === "mute-region") this.#muteRegion(found.name);
  }

  /** The marked region is silent in this stem, or sounds again. @param {string} name */
  #muteRegion(name) {
    const { region } = this.#mix.settings;
    if (!region) return;
    const { mutes } = this.#mix.strip(name);
    const apart = mutes.filter(([start, end]) => end <= region.start_s || start >= region.end_s);
    const gone = apart.length < mutes.length;
    const next = gone ? apart : [...mutes, /** @type {[number, number]} */ ([region.start_s, region.end_s])];
    this.#mix.setStrip(name, { mutes: next.sort(([a], [b]) => a - b) });
    announce(`${name} ${gone ? "sounds again" : "is silent"} from ${span(region)}`);
  }

  /** @param {Event} event */
  #slide(event) {
    const found = this.#stripOf(event);
    if (!(found?.control instanceof HTMLInputElement)) return;
    const value = Number(found.control.value);
    this.#mix.setStrip(found.name, found.act === "pan" ? { pan: value } : { db: value });
  }

  /** A double click on a fader sets it to 0 dB, on a pan to the middle. @param {Event} event */
  #level(event) {
    const found = this.#stripOf(event);
    if (found?.act === "gain") this.#mix.setStrip(found.name, { db: 0 });
    if (found?.act === "pan") this.#mix.setStrip(found.name, { pan: 0 });
  }

  #show() {
    const names = this.#strips.map((strip) => strip.dataset.stem ?? "");
    const { region } = this.#mix.settings;
    for (const strip of this.#strips) {
      const name = strip.dataset.stem ?? "";
      const { db, pan, muted, soloed, mutes } = this.#mix.strip(name);
      strip.querySelector('[data-act="mute"]')?.setAttribute("aria-pressed", String(muted));
      strip.querySelector('[data-act="solo"]')?.setAttribute("aria-pressed", String(soloed));
      strip.toggleAttribute("data-silent", !this.#mix.heard(name, names));
      put(strip.querySelector('input[data-act="gain"]'), db, decibels(db), (db + 36) / 42);
      put(strip.querySelector('input[data-act="pan"]'), pan, panned(pan), (pan + 1) / 2);
      const output = strip.querySelector("output");
      if (output) output.textContent = decibels(db);
      const button = strip.querySelector('[data-act="mute-region"]');
      if (!(button instanceof HTMLButtonElement)) continue;
      const inside = !!region && mutes.some(([start, end]) => start < region.end_s && end > region.start_s);
      const label = `${inside ? "Unmute" : "Mute"} ${name.replace("_", " ")} ${region ? `from ${span(region)}` : "in the marked region"}`;
      button.disabled = !region;
      button.setAttribute("aria-pressed", String(inside));
      button.setAttribute("aria-label", label);
      button.title = region ? label : "Mark a region on a timeline first";
    }
  }

  /** The meters: a decibel scale from −48 to 0. */
  #meter() {
    if (!this.#mine) return;
    for (const strip of this.#strips) {
      const index = mixer.sources.findIndex(({ name }) => name === strip.dataset.stem);
      const peak = mixer.playing ? (mixer.peaks[index] ?? 0) : 0;
      const share = peak > 0 ? Math.min(1, Math.max(0, 1 + (20 * Math.log10(peak)) / 48)) : 0;
      const bar = strip.querySelector(".strip-meter span");
      if (bar instanceof HTMLElement) bar.style.transform = `scaleX(${share.toFixed(3)})`;
    }
  }
}

/** @param {Element | null} input @param {number} value @param {string} text @param {number} share filled */
function put(input, value, text, share) {
  if (!(input instanceof HTMLInputElement)) return;
  input.value = String(value);
  input.setAttribute("aria-valuetext", text);
  input.style.setProperty("--fill", `${(share * 100).toFixed(1)}%`);
}

customElements.define("sf-mixer", Strips);
