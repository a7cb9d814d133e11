/**
 * `<sf-mixer data-track>`: the lanes of a track's page. Its `.strip`s are the stems that the player shall use; their
 * buttons and faders act on the mixer, and show what the mixer holds when the page comes back.
 */

import { events, mixer, now, useStems } from "./player.js";
import { decibels } from "./words.js";

class Strips extends HTMLElement {
  #stop = new AbortController();
  /** @type {Map<string, import("./mixer.js").StripState>} what was set before the track plays */
  #waiting = new Map();
  #observer = new MutationObserver(() => this.#arrived());

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.addEventListener("click", (event) => this.#press(event), { signal });
    this.addEventListener("input", (event) => this.#slide(event), { signal });
    this.addEventListener("dblclick", (event) => this.#level(event), { signal });
    mixer.addEventListener("strips", () => this.#show(), { signal });
    mixer.addEventListener("report", () => this.#meter(), { signal });
    events.addEventListener("change", () => this.#change(), { signal });
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

  /** @returns {HTMLElement[]} */
  get #strips() {
    return [...this.querySelectorAll(".strip")].filter((strip) => strip instanceof HTMLElement);
  }

  #arrived() {
    void useStems(this.dataset.track ?? "");
    this.#show();
  }

  /** When the song starts, what was set before holds. */
  #change() {
    if (this.#mine && this.#waiting.size) {
      const waiting = this.#waiting;
      this.#waiting = new Map();
      for (const [name, state] of waiting) mixer.setStrip(name, state);
    }
    this.#show();
  }

  /** @param {string} name */
  #state(name) {
    const held = (this.#mine ? mixer.strips : this.#waiting).get(name);
    return held ?? { db: 0, muted: false, soloed: false };
  }

  /** @param {string} name @param {Partial<import("./mixer.js").StripState>} change */
  #set(name, change) {
    if (this.#mine) return mixer.setStrip(name, change);
    this.#waiting.set(name, { ...this.#state(name), ...(change.soloed ? { muted: false } : {}), ...change });
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
    const { muted, soloed } = this.#state(found.name);
    if (found.act === "mute") this.#set(found.name, { muted: !muted });
    if (found.act === "solo") this.#set(found.name, { soloed: !soloed });
  }

  /** @param {Event} event */
  #slide(event) {
    const found = this.#stripOf(event);
    if (found?.control instanceof HTMLInputElement) this.#set(found.name, { db: Number(found.control.value) });
  }

  /** A double click on a fader sets it to 0 dB. @param {Event} event */
  #level(event) {
    const found = this.#stripOf(event);
    if (found?.act === "gain") this.#set(found.name, { db: 0 });
  }

  #show() {
    const anySolo = this.#strips.some((strip) => this.#state(strip.dataset.stem ?? "").soloed);
    for (const strip of this.#strips) {
      const { db, muted, soloed } = this.#state(strip.dataset.stem ?? "");
      strip.querySelector('[data-act="mute"]')?.setAttribute("aria-pressed", String(muted));
      strip.querySelector('[data-act="solo"]')?.setAttribute("aria-pressed", String(soloed));
      strip.toggleAttribute("data-silent", muted || (anySolo && !soloed));
      const fader = strip.querySelector('input[data-act="gain"]');
      const output = strip.querySelector("output");
      if (!(fader instanceof HTMLInputElement) || !output) continue;
      fader.value = String(db);
      fader.setAttribute("aria-valuetext", decibels(db));
      fader.style.setProperty("--fill", `${((db + 36) / 42) * 100}%`);
      output.textContent = decibels(db);
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

customElements.define("sf-mixer", Strips);
