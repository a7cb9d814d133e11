/**
 * `<sf-timeline>`: one canvas with layers. The layers are drawn once, when something changes; the play-head is an element
 * of its own that moves above them.
 *
 * Attributes: data-track, data-duration (s), data-peaks, data-analysis (URLs), data-group (zooms together),
 *             data-layers: names in drawing order. A layer is a file `layers/<name>.js` whose default export is
 *             { top?: pixels it claims at the upper edge, draw(pen, scene, band),
 *               grip?(scene, band, at): what of it can be dragged there }.
 * Events:     "sf:seek" {track, seconds}; "sf:region" {track, start_s, end_s, free} after a drag; free: with Alt, as it
 *             was drawn and not moved onto the beats; "sf:cue" {track, id, t_s, tap} after a cue was dragged, or tapped
 * The marked region, and where stems are muted, are the track's `Mix`; its cue points are its `Cues`.
 */

import { cuesOf } from "./cue-points.js";
import { mixOf } from "./mix.js";
import { readDocument, Waveform } from "./peaks.js";
import { events, mixer, now } from "./player.js";
import { viewOf } from "./view.js";
import { clock } from "./words.js";

/**
 * @typedef {{ width: number, start_s: number, end_s: number, scale: number, x: (seconds: number) => number,
 *   colour: (name: string) => string, peaks: import("./peaks.js").Waveform | null, document: any,
 *   region: { start_s: number, end_s: number } | null, looping: boolean, mutes: [number, number][],
 *   cues: import("./cue-points.js").Cue[] }} Scene
 * @typedef {{ y: number, height: number }} Band
 * @typedef {{ id: string, t_s: number, place: (seconds: number, free: boolean) => number }} Grip of a cue; place: where it goes when dragged there
 * @typedef {{ top?: number, draw: (pen: CanvasRenderingContext2D, scene: Scene, band: Band) => void,
 *   grip?: (scene: Scene, band: Band, at: { x: number, y: number }) => Grip | null }} Layer
 */

const LEAST_DRAG = 4; // pixels; less is a click with an unsteady hand

class Timeline extends HTMLElement {
  #stop = new AbortController();
  #width = 0; // kept, since asking for it in every frame would have the whole page laid out so often
  #resized = new ResizeObserver(() => {
    this.#width = this.clientWidth;
    this.#redraw();
  });
  #canvas = document.createElement("canvas");
  #head = document.createElement("div");
  #ghost = document.createElement("div");
  /** @type {Layer[]} */
  #layers = [];
  /** @type {Waveform | null} */
  #peaks = null;
  /** @type {any} */
  #document = null;
  /** @type {{ from_s: number, x: number, moved: boolean, grip: Grip | null, region: { start_s: number, end_s: number } | null } | null} */
  #drag = null;
  #drawing = 0;
  #told = -1;
  /** How long the last drawing took, in milliseconds. */
  drawn_ms = 0;

  get track() {
    return this.dataset.track ?? "";
  }

  get duration_s() {
    return Number(this.dataset.duration) || 0;
  }

  get #view() {
    return viewOf(this.dataset.group ?? this.track, this.duration_s);
  }

  get #column_s() {
    const { start_s, end_s } = this.#view;
    return (end_s - start_s) / Math.max(1, this.clientWidth);
  }

  get #mix() {
    return mixOf(this.track);
  }

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#head.className = "playhead";
    this.#ghost.className = "ghost";
    this.#head.hidden = true;
    this.append(this.#canvas, this.#ghost, this.#head);
    this.#listen(signal);
    this.#resized.observe(this);
    void this.#load();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#resized.disconnect();
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    this.replaceChildren();
  }

  static observedAttributes = ["data-peaks", "data-analysis", "data-duration"];

  attributeChangedCallback() {
    if (this.isConnected && this.#layers.length) void this.#load();
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    events.addEventListener("tick", () => this.#tick(), { signal });
    document.addEventListener("sf:theme", () => this.#redraw(), { signal });
    this.#view.addEventListener("change", () => this.#redraw(), { signal });
    this.#mix.addEventListener("change", () => this.#redraw(), { signal });
    if (this.dataset.layers?.includes("cue-points")) cuesOf(this.track).addEventListener("change", () => this.#redraw(), { signal });
    this.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    this.addEventListener("pointermove", (event) => this.#move(event), { signal });
    this.addEventListener("pointerup", (event) => this.#release(event), { signal });
    this.addEventListener("pointercancel", () => this.#cancel(), { signal });
    this.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    this.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  async #load() {
    const { peaks, analysis, layers = "" } = this.dataset;
    const names = layers.split(" ").filter((name) => /^[a-z-]+$/.test(name));
    this.#layers = (await Promise.all(names.map((name) => import(`./layers/${name}.js`)))).map((file) => file.default);
    this.#redraw();
    const quietly = (/** @type {unknown} */ error) => (console.warn(`timeline: ${error}`), null);
    const [read, document] = await Promise.all([
      peaks ? Waveform.open(peaks, this.#column_s, () => this.#redraw()).catch(quietly) : null,
      analysis ? readDocument(analysis).catch(quietly) : null,
    ]);
    this.#peaks = read;
    if (read && this.dataset.stem === "mix") this.#view.fit(read.loudest);
    this.#document = document;
    this.#note(read || !layers.includes("peaks") ? "" : peaks ? "The waveform could not be read" : "No waveform yet");
    this.#redraw();
  }

  /** @param {string} text */
  #note(text) {
    this.querySelector(".timeline-note")?.remove();
    if (!text) return;
    const note = document.createElement("p");
    note.className = "timeline-note";
    note.textContent = text;
    this.append(note);
  }

  #redraw() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      const before = performance.now();
      this.#draw();
      this.drawn_ms = performance.now() - before;
      this.#tick();
    });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this;
    const pen = this.#canvas.getContext("2d");
    if (!pen || !width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    pen.scale(ratio, ratio);
    const scene = this.#scene(width);
    for (const [layer, band] of this.#bands(height)) layer.draw(pen, scene, band);
  }

  /** Each layer with its place: those that claim some lie below each other, the others have the rest. @param {number} height */
  #bands(height) {
    let top = 0;
    const claimed = this.#layers.map((layer) => {
      const band = { y: top, height: layer.top ?? 0 };
      top += band.height;
      return band;
    });
    const rest = { y: top, height: height - top };
    return this.#layers.map((layer, i) => /** @type {[Layer, Band]} */ ([layer, layer.top ? claimed[i] : rest]));
  }

  /** What can be dragged here. @param {MouseEvent} event */
  #grip(event) {
    const box = this.getBoundingClientRect();
    const scene = this.#scene(box.width);
    const at = { x: event.clientX - box.left, y: event.clientY - box.top };
    for (const [layer, band] of this.#bands(box.height)) {
      const grip = layer.grip?.(scene, band, at);
      if (grip) return grip;
    }
    return null;
  }

  /** @param {number} width @returns {Scene} */
  #scene(width) {
    const { start_s, end_s, scale } = this.#view;
    const probe = document.createElement("i");
    const colour = (/** @type {string} */ name) => {
      if (!probe.isConnected) (this.append(probe), queueMicrotask(() => probe.remove()));
      // `light-dark()` in a variable is resolved only where it is used as a colour.
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    return {
      width,
      start_s,
      end_s,
      scale,
      x: (seconds) => ((seconds - start_s) / (end_s - start_s)) * width,
      colour,
      peaks: this.#peaks,
      document: this.#document,
      region: this.#drag?.region ?? this.#mix.settings.region,
      looping: this.#mix.settings.looping || !!this.#drag?.region,
      cues: cuesOf(this.track).list,
      mutes: this.#mix.strips.get(this.dataset.stem ?? "")?.mutes ?? [],
    };
  }

  /** Moves the play-head; turns the page when it runs out of what is shown. */
  #tick() {
    const position = now.at(this.track);
    this.#head.hidden = position === null;
    if (position === null) return;
    const view = this.#view;
    if (mixer.playing && !this.#drag) view.follow(position);
    const x = ((position - view.start_s) / (view.end_s - view.start_s)) * this.#width;
    this.#head.hidden = x < 0 || x > this.#width;
    this.#head.style.transform = `translateX(${x.toFixed(2)}px)`;
    if (Math.floor(position) === this.#told) return;
    this.#told = Math.floor(position);
    this.setAttribute("aria-valuenow", String(this.#told));
    this.setAttribute("aria-valuetext", this.#words(position));
  }

  /** "1:14 of 4:00, Chorus". @param {number} position */
  #words(position) {
    /** @type {{ start_s: number, end_s: number, label?: string, group?: string }[]} */
    const sections = this.#document?.sections ?? [];
    const section = sections.find(({ start_s, end_s }) => position >= start_s && position < end_s);
    const name = section?.label ?? section?.group;
    return `${clock(position)} of ${clock(this.duration_s)}${name ? `, ${name}` : ""}`;
  }

  /** @param {number} seconds */
  #seek(seconds) {
    const detail = { track: this.track, seconds: Math.min(Math.max(0, seconds), this.duration_s) };
    this.dispatchEvent(new CustomEvent("sf:seek", { detail, bubbles: true }));
  }

  /** @param {MouseEvent} event */
  #secondsAt(event) {
    const box = this.getBoundingClientRect();
    const { start_s, end_s } = this.#view;
    return start_s + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (end_s - start_s);
  }

  /** A press seeks (by touch, when the finger leaves again); a drag from there on marks a region. @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    this.setPointerCapture(event.pointerId);
    const grip = this.#grip(event);
    this.#drag = { from_s: this.#secondsAt(event), x: event.clientX, moved: false, grip, region: null };
    if (!grip && !event.shiftKey && event.pointerType !== "touch") this.#seek(this.#drag.from_s);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const x = event.clientX - this.getBoundingClientRect().left;
    this.#ghost.style.transform = `translateX(${x.toFixed(1)}px)`;
    const drag = this.#drag;
    this.toggleAttribute("data-grips", !!drag?.grip || (!drag && !!this.#grip(event)));
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) < LEAST_DRAG)) return;
    drag.moved = true;
    if (drag.grip) return cuesOf(this.track).put({ id: drag.grip.id, t_s: this.#placed(drag.grip, drag.from_s, event) });
    drag.region = ordered(drag.from_s, this.#secondsAt(event));
    this.#redraw();
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (drag.grip) return this.#letGo(drag.grip, this.#placed(drag.grip, drag.from_s, event), !drag.moved);
    if (!drag.region) {
      if (event.pointerType === "touch") this.#seek(drag.from_s);
      return;
    }
    const detail = { track: this.track, ...drag.region, free: event.altKey };
    this.dispatchEvent(new CustomEvent("sf:region", { detail, bubbles: true }));
    this.#redraw();
  }

  /** @param {Grip} grip @param {number} t_s @param {boolean} tap */
  #letGo(grip, t_s, tap) {
    const detail = { track: this.track, id: grip.id, t_s, tap };
    this.dispatchEvent(new CustomEvent("sf:cue", { detail, bubbles: true }));
  }

  /** Where a cue goes that is dragged: onto the beats, unless Alt is held. @param {Grip} grip @param {number} from_s @param {MouseEvent} event */
  #placed(grip, from_s, event) {
    return Math.min(this.duration_s, Math.max(0, grip.place(grip.t_s + this.#secondsAt(event) - from_s, event.altKey)));
  }

  #cancel() {
    const grip = this.#drag?.grip;
    if (grip) cuesOf(this.track).put({ id: grip.id, t_s: grip.t_s });
    this.#drag = null;
    this.#redraw();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const view = this.#view;
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(-event.deltaY / 300), this.#secondsAt(event));
    else if (sideways && !view.whole) view.scroll((sideways / this.clientWidth) * (view.end_s - view.start_s));
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const position = now.at(this.track) ?? 0;
    const beats = event.shiftKey ? 4 : 1;
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => this.#seek(this.#beat(position, -beats)),
      ArrowRight: () => this.#seek(this.#beat(position, beats)),
      Home: () => this.#seek(0),
      End: () => this.#seek(this.duration_s),
      PageUp: () => this.#seek(position + this.duration_s / 10),
      PageDown: () => this.#seek(position - this.duration_s / 10),
      "+": () => this.zoom(2),
      "-": () => this.zoom(0.5),
    };
    const act = acts[event.key === "=" ? "+" : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** So many beats on or back; five seconds each where no beats are known. @param {number} position @param {number} count */
  #beat(position, count) {
    /** @type {number[]} */
    const beats = this.#document?.beats?.times_s ?? [];
    if (!beats.length) return position + 5 * count;
    const slack = mixer.playing ? 0.12 : 0.01; // while it plays, "back" from just after a beat means the beat before
    const next = beats.findIndex((beat) => beat > position + 0.01);
    const last = beats.findLastIndex((beat) => beat < position - slack);
    const index = count > 0 ? (next < 0 ? beats.length : next) + count - 1 : last + count + 1;
    return beats[index] ?? (count > 0 ? this.duration_s : 0);
  }

  /** @param {number} factor */
  zoom(factor) {
    const { start_s, end_s } = this.#view;
    const position = now.at(this.track) ?? start_s;
    const shown = position >= start_s && position <= end_s;
    this.#view.zoom(factor, shown ? position : (start_s + end_s) / 2);
  }
}

/** @param {number} a @param {number} b */
const ordered = (a, b) => ({ start_s: Math.min(a, b), end_s: Math.max(a, b) });

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-zoom]") : null;
  const timeline = button?.closest(".lane")?.querySelector("sf-timeline");
  if (button instanceof HTMLElement && timeline instanceof Timeline) timeline.zoom(Number(button.dataset.zoom));
});

customElements.define("sf-timeline", Timeline);
