/**
 * The mixer where browsers allow none: over plain HTTP from another machine they keep the audio worklet to themselves.
 * The mix alone plays, by an `<audio>` element; stems, tempo, pitch, loops and clicks do not sound. It stands in for
 * `Mixer`, with the same members and events.
 */

import { Mix } from "./mix.js";

/** @typedef {import("./mixer.js").SourceDescription} SourceDescription */

/** Whether this page may mix. */
export const mayMix = () => typeof AudioWorkletNode === "function" && window.isSecureContext;

export const WHY_PLAIN =
  "Browsers mix stems only over HTTPS or on the studio’s own machine (localhost): here the song plays as recorded, without stems, tempo, pitch and loops.";

const WORDS = "The sound could not be fetched from the server.";

export class PlainMixer extends EventTarget {
  #audio = new Audio();
  /** @type {SourceDescription[]} */
  sources = [];
  mix = new Mix();
  /** @type {import("./beats.js").Grid | null} */
  grid = null;
  /** @type {number[]} */
  marks = [];
  set = 0;
  rate = 44100;
  frames = 0;
  counting = false;
  failure = "";
  stalls = 0;
  /** @type {number[]} */
  peaks = [];
  node = null;
  context = null;

  constructor() {
    super();
    this.#audio.preload = "auto";
    for (const name of ["play", "pause", "ended", "waiting", "playing", "seeked", "loadedmetadata"]) {
      this.#audio.addEventListener(name, () => this.#changed());
    }
    this.#audio.addEventListener("error", () => this.#fail());
  }

  get strips() {
    return this.mix.strips;
  }

  get playing() {
    return !this.#audio.paused && !this.#audio.ended;
  }

  get held() {
    return this.playing && this.#audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  get ended() {
    return this.#audio.ended;
  }

  /** Seconds into the track. */
  get position() {
    return this.#audio.currentTime;
  }

  get length() {
    return this.frames / this.rate || this.#audio.duration || 0;
  }

  /** @param {number} _rate Hz */
  prepare(_rate) {}

  /**
   * @param {SourceDescription[]} sources the mix
   * @param {{ rate: number, frames?: number, at?: number, play?: boolean, mix?: Mix }} options at: seconds
   */
  async open(sources, { rate, frames = 0, at = 0, play = true, mix = new Mix() }) {
    Object.assign(this, { sources, rate, frames, mix, failure: "" });
    const file = sources[0]?.file ?? "";
    this.#audio.src = file.startsWith("/") ? file : `/audio/${file}`;
    this.#audio.currentTime = at;
    if (play) await this.play();
  }

  /** There are no stems to take over. @param {SourceDescription[]} _sources */
  async swap(_sources) {}

  async play() {
    if (this.failure) this.#audio.load();
    this.failure = "";
    await this.#audio.play().catch(() => this.#fail());
  }

  async pause() {
    this.#audio.pause();
  }

  async toggle() {
    await (this.playing ? this.pause() : this.play());
  }

  /** @param {number} seconds */
  async seek(seconds) {
    this.#audio.currentTime = Math.min(Math.max(0, seconds), Math.max(0, this.length - 0.01));
    this.#changed();
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.#audio.volume = volume ** 2;
  }

  /** @param {number[]} _marks */
  mark(_marks) {}

  /** @param {import("./beats.js").Grid | null} grid */
  setGrid(grid) {
    this.grid = grid;
  }

  async close() {
    this.#audio.pause();
    this.#audio.removeAttribute("src");
  }

  #fail() {
    if (!this.#audio.hasAttribute("src")) return;
    this.failure = WORDS;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("report"));
  }
}
