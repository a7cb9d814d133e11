/**
 * `<sf-tools data-track data-analysis data-duration data-rate>`: tempo, pitch, loop, click and count-in of a track. Its buttons
 * and sliders set the track's `Mix`, and show what it holds, whoever set it.
 */

import { Grid } from "./beats.js";
import { mixOf } from "./mix.js";
import { compileStretch } from "./mixer-node.js";
import { WHY_PLAIN, mayMix } from "./plain-mixer.js";
import { readDocument } from "./peaks.js";
import { events, mixer, now, seek } from "./player.js";
import { announce, semitones, span, toast } from "./words.js";

/** @typedef {import("./mix.js").Region} Region */

const SHORTEST_S = 0.1;

class Tools extends HTMLElement {
  #stop = new AbortController();
  #grid = new Grid(null);

  static observedAttributes = ["data-analysis"];

  attributeChangedCallback() {
    if (this.isConnected) void this.#read();
  }

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.addEventListener("click", (event) => this.#press(event), { signal });
    this.addEventListener("input", (event) => this.#slide(event), { signal });
    this.addEventListener("dblclick", (event) => this.#reset(event), { signal });
    this.#mix.addEventListener("change", () => this.#show(), { signal });
    events.addEventListener("change", () => this.#lend(), { signal });
    document.addEventListener("sf:region", ({ detail }) => this.#marked(detail), { signal });
    void this.#read();
    if (mayMix()) void compileStretch().then((module) => this.toggleAttribute("data-fixed", module === null));
    else document.addEventListener("htmx:after:settle", () => this.#onlyPlay(), { signal });
    if (!mayMix()) this.#onlyPlay();
    mixer.prepare(Number(this.dataset.rate));
    this.#show();
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  get track() {
    return this.dataset.track ?? "";
  }

  get #mix() {
    return mixOf(this.track);
  }

  get #position() {
    return now.at(this.track) ?? 0;
  }

  /** Nothing here would be heard: it is put out of use, with the reason. */
  #onlyPlay() {
    const lanes = this.closest("sf-mixer") ?? this;
    for (const control of lanes.querySelectorAll("[data-act]")) control.setAttribute("disabled", "");
    if (this.previousElementSibling?.matches(".plain-note")) return;
    const note = document.createElement("p");
    note.className = "hint plain-note";
    note.textContent = WHY_PLAIN;
    this.before(note);
  }

  async #read() {
    const { analysis } = this.dataset;
    const quietly = (/** @type {unknown} */ error) => (console.warn(`tools: ${error}`), null);
    this.#grid = new Grid(analysis ? await readDocument(analysis).catch(quietly) : null);
    this.#lend(true);
    this.#show();
  }

  /** The click follows this grid as long as this track plays. @param {boolean} [anew] */
  #lend(anew = false) {
    if (now.song?.track === this.track && (anew || mixer.grid === null)) mixer.setGrid(this.#grid);
  }

  /** A region was marked on a timeline: it goes round. @param {Region & { track: string, free: boolean }} marked */
  #marked({ track, start_s, end_s, free }) {
    if (track !== this.track) return;
    const snap = (/** @type {number} */ at) => (free ? at : this.#grid.snap(at));
    let region = { start_s: snap(start_s), end_s: snap(end_s) };
    if (region.end_s - region.start_s < SHORTEST_S) region = { start_s, end_s };
    this.#go(region);
  }

  /** Loops a region; the sound goes there if it is elsewhere. @param {Region | null} region */
  #go(region) {
    if (!region || region.end_s - region.start_s < SHORTEST_S) return;
    this.#mix.set({ region, looping: true });
    announce(`Loop from ${span(region)}`);
    const position = now.at(this.track);
    if (position !== null && (position < region.start_s || position >= region.end_s)) void seek(this.track, region.start_s);
  }

  /** @param {Event} event */
  #press(event) {
    const button = event.target instanceof Element ? event.target.closest("button[data-act]") : null;
    const act = button instanceof HTMLElement ? (button.dataset.act ?? "") : "";
    const { region, looping, click, count_in } = this.#mix.settings;
    /** @type {Record<string, () => void>} */
    const acts = {
      loop: () => (looping ? this.#mix.set({ looping: false }) : this.#go(region ?? this.#offer())),
      click: () => this.#mix.set({ click: !click }),
      "count-in": () => this.#mix.set({ count_in: !count_in }),
      "loop-section": () => this.#go(this.#grid.section(this.#position)),
      "loop-start": () => this.#edge({ start_s: this.#grid.snap(this.#position) }),
      "loop-end": () => this.#edge({ end_s: this.#grid.snap(this.#position) }),
      "loop-none": () => this.#mix.set({ region: null, looping: false }),
      "mix-reset": () => this.#mix.reset(),
    };
    const bars = Number(/^loop-(\d+)$/.exec(act)?.[1]);
    if (bars) this.#go(this.#grid.barsFrom(region && looping ? region.start_s : this.#position, bars));
    acts[act]?.();
    if ((act === "click" || act === "count-in") && !this.#grid.beats.length) {
      toast("The click follows the beats; they are known once the track is analysed.");
    }
  }

  /** Moves one end of the loop; the other stays, or lies four bars (ten seconds) away. @param {Partial<Region>} edge */
  #edge(edge) {
    const held = this.#mix.settings.region;
    let region = { start_s: 0, end_s: Number(this.dataset.duration) || 0, ...held, ...edge };
    if (edge.start_s !== undefined && (!held || region.end_s <= edge.start_s)) {
      region = this.#grid.barsFrom(edge.start_s, 4) ?? { start_s: edge.start_s, end_s: edge.start_s + 10 };
    }
    if (edge.end_s !== undefined && region.start_s >= edge.end_s) region.start_s = Math.max(0, edge.end_s - 10);
    this.#go(region);
  }

  /** What there is to loop here when nothing is marked: the section, or four bars, or ten seconds. */
  #offer() {
    const at = this.#position;
    return this.#grid.section(at) ?? this.#grid.barsFrom(at, 4) ?? { start_s: at, end_s: at + 10 };
  }

  /** @param {Event} event */
  #slide(event) {
    const input = event.target;
    if (!(input instanceof HTMLInputElement)) return;
    if (input.dataset.act === "tempo") this.#mix.set({ tempo: Number(input.value) / 100 });
    if (input.dataset.act === "pitch") this.#mix.set({ semitones: Number(input.value) });
  }

  /** A double click on a slider brings it back. @param {Event} event */
  #reset(event) {
    const input = event.target;
    if (!(input instanceof HTMLInputElement)) return;
    if (input.dataset.act === "tempo") this.#mix.set({ tempo: 1 });
    if (input.dataset.act === "pitch") this.#mix.set({ semitones: 0 });
  }

  #show() {
    const { tempo, semitones: pitch, looping, click, count_in, region } = this.#mix.settings;
    const pressed = { loop: looping, click, "count-in": count_in };
    for (const [act, on] of Object.entries(pressed)) {
      this.querySelector(`button[data-act="${act}"]`)?.setAttribute("aria-pressed", String(on));
    }
    const percent = `${Math.round(tempo * 100)} %`;
    this.#put("tempo", Math.round(tempo * 100), percent, tempo - 0.5);
    this.#put("pitch", pitch, semitones(pitch), (pitch + 12) / 24);
    const told = this.querySelector("[data-told=region]");
    if (told) told.textContent = region ? span(region) : "";
  }

  /** @param {string} act @param {number} value @param {string} text @param {number} share filled */
  #put(act, value, text, share) {
    const input = this.querySelector(`input[data-act="${act}"]`);
    const output = this.querySelector(`output[data-told="${act}"]`);
    if (!(input instanceof HTMLInputElement) || !output) return;
    input.value = String(value);
    input.setAttribute("aria-valuetext", text);
    input.style.setProperty("--fill", `${(100 * share).toFixed(1)}%`);
    output.textContent = text;
  }
}

customElements.define("sf-tools", Tools);
