/**
 * `<sf-cues data-track>`: hot cues on eight pads, memory cues, and the form in which one of them is changed. The server
 * draws the panel, and brings it anew over the feed, in every tab; what is pressed shows on the timeline at once.
 *
 *   <… data-cue="<id>" data-at data-slot data-colour data-name>   a cue point
 *   <button data-act="pad" data-slot="3">                          jump to the hot cue, or set it at the play-head
 *   data-act: memory, snap, adopt; in the form `edit`: what its buttons are named
 *
 * A timeline sends "sf:cue" {track, id, t_s, tap} when a flag was dragged there, or pressed.
 */

import { ask } from "./ask.js";
import { Grid } from "./beats.js";
import { cuesOf } from "./cue-points.js";
import { readDocument } from "./peaks.js";
import { events, mixer, now, seek } from "./player.js";
import { announce, moment, toast } from "./words.js";

/** @typedef {import("./cue-points.js").Cue} Cue */

const SNAPS = "cues-snap";
const PASSING = "passing-"; // how the id of a cue begins that the server has not named yet
const LEND_MS = 300; // after the last move of a flag
const NO_HEAD = "Play the track, or click into its waveform: then there is a play-head.";

/** @param {Cue} cue */
const called = (cue) => `${cue.slot ? `Hot cue ${cue.slot}` : "Memory cue"}${cue.name ? `, ${cue.name},` : ""} at ${moment(cue.t_s)}`;

export class CuePanel extends HTMLElement {
  #stop = new AbortController();
  #grid = new Grid(null);
  #edited = "";
  #lending = 0;

  static observedAttributes = ["data-analysis"];

  attributeChangedCallback() {
    if (this.isConnected) void this.#learn();
  }

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.addEventListener("click", (event) => this.#press(event), { signal });
    this.addEventListener("change", (event) => this.#fill(event), { signal });
    this.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#fold(), { signal });
    document.addEventListener("htmx:after:settle", () => this.#read(), { signal });
    document.addEventListener("sf:cue", ({ detail }) => void this.#dragged(detail), { signal });
    this.#cues.addEventListener("change", () => (this.#show(), this.#lend()), { signal });
    events.addEventListener("change", () => this.#lend(), { signal });
    void this.#learn();
    this.#read();
  }

  disconnectedCallback() {
    this.#stop.abort();
    clearTimeout(this.#lending);
  }

  get track() {
    return this.dataset.track ?? "";
  }

  get #cues() {
    return cuesOf(this.track);
  }

  get #snaps() {
    return localStorage.getItem(SNAPS) !== "off";
  }

  get #form() {
    return /** @type {HTMLFormElement | null} */ (this.querySelector("form.cue-edit"));
  }

  async #learn() {
    const { analysis } = this.dataset;
    const quietly = (/** @type {unknown} */ error) => (console.warn(`cues: ${error}`), null);
    this.#grid = new Grid(analysis ? await readDocument(analysis).catch(quietly) : null);
  }

  /** What the server drew is what is true. */
  #read() {
    const drawn = [...this.querySelectorAll("[data-cue]")].map((element) => {
      const { cue = "", at, slot, colour = "", name = "" } = /** @type {HTMLElement} */ (element).dataset;
      return { id: cue, slot: Number(slot) || null, t_s: Number(at), name, colour };
    });
    this.#cues.read(drawn);
  }

  /** What plays here shall have the sound at its hot cues at hand. */
  #lend() {
    clearTimeout(this.#lending);
    this.#lending = setTimeout(() => this.#lendNow(), LEND_MS);
  }

  #lendNow() {
    if (now.song?.track !== this.track) return;
    const marks = this.#cues.list.filter(({ slot }) => slot !== null).map(({ t_s }) => t_s);
    if (marks.join() !== mixer.marks.join()) mixer.mark(marks);
  }

  /** Jumps to a hot cue, or sets it where the play-head is. @param {number} slot */
  pad(slot) {
    const cue = this.#cues.hot(slot);
    if (cue) void seek(this.track, cue.t_s);
    else this.#mark(slot);
  }

  /** Marks the play-head's place. @param {number | null} slot */
  #mark(slot) {
    const position = now.at(this.track);
    if (position === null) return toast(NO_HEAD);
    void this.#set({ t_s: Math.max(0, this.#snaps ? this.#grid.snap(position) : position), slot });
  }

  memory() {
    this.#mark(null);
  }

  /** @param {{ t_s: number, slot: number | null, name?: string, colour?: string }} wanted */
  async #set(wanted) {
    const passing = `${PASSING}${performance.now()}`;
    this.#cues.put({ id: passing, ...wanted });
    const made = await ask("POST", `/api/v1/tracks/${this.track}/cues`, wanted);
    this.#cues.drop(passing);
    if (!made) return;
    this.#cues.put(made);
    announce(`${called(made)} set`);
  }

  /** @param {Cue | null} cue */
  discard(cue) {
    if (!cue || cue.id.startsWith(PASSING)) return;
    if (this.#edited === cue.id) this.#fold();
    this.#cues.drop(cue.id);
    void ask("DELETE", `/api/v1/cues/${cue.id}`).then((gone) => {
      if (!gone) return this.#cues.put(cue);
      const { t_s, slot, name, colour } = cue;
      toast(`${called(cue)} deleted.`, "info", () => void this.#set({ t_s, slot, name, colour }));
    });
  }

  /** @param {number} slot */
  clear(slot) {
    this.discard(this.#cues.hot(slot));
  }

  /** @param {string} id @param {object} change @param {number} [t_s] where it will lie, if that is known */
  async #change(id, change, t_s) {
    const before = this.#cues.find(id);
    if (t_s !== undefined) this.#cues.put({ id, t_s });
    const changed = await ask("PATCH", `/api/v1/cues/${id}`, change);
    if (changed) this.#cues.put(changed);
    else if (before) this.#cues.put(before);
    if (changed) announce(`${called(changed)}`);
  }

  /** @param {{ track: string, id: string, t_s: number, tap: boolean }} dragged */
  async #dragged({ track, id, t_s, tap }) {
    const cue = track === this.track ? this.#cues.find(id) : null;
    if (!cue) return;
    if (tap) return seek(track, cue.t_s);
    await this.#change(id, { t_s }, t_s);
  }

  /** @param {Event} event */
  #press(event) {
    const button = event.target instanceof Element ? event.target.closest("button[data-act]") : null;
    if (!(button instanceof HTMLElement)) return;
    const { act = "", slot } = button.dataset;
    const cue = this.#cues.find(this.#edited);
    const step = Number(/^by-(-?\d+)$/.exec(act)?.[1]);
    const ms = Number(/^ms-(-?\d+)$/.exec(act)?.[1]);
    /** @type {Record<string, () => unknown>} */
    const acts = {
      pad: () => this.pad(Number(slot)),
      memory: () => this.memory(),
      adopt: () => this.#adopt(),
      snap: () => (localStorage.setItem(SNAPS, this.#snaps ? "off" : "on"), this.#show()),
      edit: () => this.#unfold(button.dataset.of ?? ""),
      "edit-close": () => this.#fold(),
      "edit-remove": () => this.discard(cue),
      "edit-snap": () => this.#change(this.#edited, { snap: true }),
      "edit-here": () => this.#here(),
    };
    if (cue && step) void this.#change(cue.id, { by_beats: step });
    else if (cue && ms) void this.#change(cue.id, { t_s: Math.max(0, cue.t_s + ms / 1000) }, Math.max(0, cue.t_s + ms / 1000));
    else void acts[act]?.();
  }

  /** The cue goes to the play-head. */
  #here() {
    const position = now.at(this.track);
    if (position === null) return toast(NO_HEAD);
    const t_s = this.#snaps ? Math.max(0, this.#grid.snap(position)) : position;
    void this.#change(this.#edited, { t_s }, t_s);
  }

  async #adopt() {
    const adopted = await ask("POST", `/api/v1/tracks/${this.track}/cues/found`);
    if (!adopted) return;
    this.#cues.read(adopted.cues);
    toast(adopted.added ? `${adopted.added} cue points taken over.` : "All that was found is among your cue points already.");
  }

  /** @param {string} id */
  #unfold(id) {
    if (this.#edited === id) return this.#fold();
    this.#edited = id;
    this.#show();
    const name = this.#form?.elements.namedItem("name");
    if (name instanceof HTMLInputElement) (name.focus(), name.select());
  }

  #fold() {
    const edited = this.#edited;
    this.#edited = "";
    this.#show();
    if (this.#form?.contains(document.activeElement) || document.activeElement === document.body) {
      const button = this.querySelector(`button[data-of="${CSS.escape(edited)}"]`);
      if (button instanceof HTMLElement) button.focus();
    }
  }

  /** A colour or a pad was picked. @param {Event} event */
  #fill(event) {
    const { target } = event;
    const named = target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target : null;
    if (!this.#edited || !named?.closest(".cue-edit") || !["colour", "slot"].includes(named.name)) return;
    const value = named.name === "slot" ? Number(named.value) || null : named.value;
    void this.#change(this.#edited, { [named.name]: value }).then(() => this.#show());
  }

  /** The name is set. @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const form = this.#form;
    if (!form || !this.#edited) return;
    void this.#change(this.#edited, { name: String(new FormData(form).get("name") ?? "") });
    this.#fold();
  }

  #show() {
    this.querySelector('[data-act="snap"]')?.setAttribute("aria-pressed", String(this.#snaps));
    const form = this.#form;
    const cue = this.#cues.find(this.#edited);
    for (const button of this.querySelectorAll('[data-act="edit"]')) {
      button.setAttribute("aria-expanded", String(!!cue && button instanceof HTMLElement && button.dataset.of === cue.id));
    }
    for (const pad of this.querySelectorAll(".pad")) {
      const hot = pad instanceof HTMLElement ? this.#cues.hot(Number(pad.dataset.pad)) : null;
      pad.toggleAttribute("data-set", !!hot);
      if (hot) pad.setAttribute("data-shows", hot.colour);
    }
    if (!form) return;
    form.hidden = !cue;
    if (!cue || form.contains(document.activeElement)) return tell(form, cue);
    const [name, slot] = ["name", "slot"].map((field) => form.elements.namedItem(field));
    if (name instanceof HTMLInputElement) name.value = cue.name;
    if (slot instanceof HTMLSelectElement) slot.value = String(cue.slot ?? "");
    for (const one of form.querySelectorAll('[name="colour"]')) if (one instanceof HTMLInputElement) one.checked = one.value === cue.colour;
    tell(form, cue);
  }
}

/** @param {HTMLFormElement} form @param {Cue | null} cue */
function tell(form, cue) {
  const output = form.querySelector("output");
  if (output && cue) output.textContent = called(cue);
}

customElements.define("sf-cues", CuePanel);

/** @returns {CuePanel | null} the one on the page */
export function cuePanel() {
  const panel = document.querySelector("sf-cues");
  return panel instanceof CuePanel ? panel : null;
}
