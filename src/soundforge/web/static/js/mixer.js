/**
 * The mixer as the page sees it: open a set of sources, play, pause, seek, gains, mute, solo.
 *
 * Nothing of the sound happens here: `mixer-worklet.js` renders, `chunks.js` fetches. Positions carry a generation, so
 * that a report from before a seek never overwrites where the seek went.
 *
 * Events: "change" (playing, held, ended, length, set, failure), "report" (several times a second, with meters),
 * "strips" (gain, mute or solo of a source).
 */

import { Chunks } from "./chunks.js";

/** @typedef {{ name: string, file: string, gainDb?: number }} SourceDescription */
/** @typedef {{ db: number, muted: boolean, soloed: boolean }} StripState */

/** A fader at its lower end is shut. */
const SILENT_DB = -36;

/** @param {SourceDescription[]} sources @returns {Map<string, StripState>} every fader at 0 dB */
const flat = (sources) => new Map(sources.map(({ name }) => [name, { db: 0, muted: false, soloed: false }]));

export class Mixer extends EventTarget {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Promise<AudioWorkletNode> | null} */
  #node = null;
  /** @type {GainNode | null} */
  #master = null;
  /** @type {Chunks[]} the set that sounds, and the one that takes over */
  #feeds = [];
  #ids = 0;
  #generation = 0;
  #volume = 1;
  /** @type {{ frame: number, time: number, generation: number } | null} */
  #last = null;

  /** @type {SourceDescription[]} */
  sources = [];
  /** @type {Map<string, StripState>} */
  strips = new Map();
  set = 0;
  rate = 44100;
  frames = 0;
  playing = false;
  held = false;
  ended = false;
  failure = "";
  /** @type {number[]} the loudest sample of each source since the last report, 0 to 1 */
  peaks = [];

  /** Seconds into the track, as heard: what the worklet rendered less what still waits on its way to the ear. */
  get position() {
    const context = this.#context;
    if (!context || !this.#last) return 0;
    let frame = this.#last.frame;
    if (this.playing && !this.held && this.#last.generation === this.#generation) {
      const late = context.outputLatency || context.baseLatency || 0;
      frame += (context.currentTime - this.#last.time - late) * this.rate;
    }
    return Math.min(Math.max(frame, 0), this.frames || Infinity) / this.rate;
  }

  get length() {
    return this.frames / this.rate;
  }

  /** The node, for whoever wants to listen in (a recorder, a picture of the spectrum). */
  get node() {
    return this.#node;
  }

  get context() {
    return this.#context;
  }

  /**
   * Opens another track. Must first be called from a click or key, as browsers want it for sound.
   * @param {SourceDescription[]} sources one (the mix) or several (stems), all of the same rate and length
   * @param {{ rate: number, frames?: number, at?: number, play?: boolean, strips?: Map<string, StripState> }} options
   *   at: seconds; strips: what the faders show, else all at 0 dB
   */
  async open(sources, { rate, frames = 0, at = 0, play = true, strips = flat(sources) }) {
    this.#closeFeeds();
    if (this.#context && this.rate !== rate) await this.close();
    Object.assign(this, { sources, rate, frames, playing: play, held: play, ended: false, failure: "", peaks: [] });
    this.strips = strips;
    const generation = ++this.#generation;
    const frame = Math.round(at * rate);
    this.#last = { frame, time: 0, generation: -1 };
    const resumed = this.#wake();
    await this.#place(frame, generation);
    this.#changed();
    if (play) {
      await resumed;
      await this.#post({ type: "play" });
    }
  }

  /**
   * Other sources of the same track take over at the running position, without a gap.
   * @param {SourceDescription[]} sources @param {Map<string, StripState>} [strips] what their faders show
   */
  async swap(sources, strips = flat(sources)) {
    const feed = this.#feeds[0];
    for (const coming of this.#feeds.splice(1)) coming.close();
    this.sources = sources;
    this.strips = strips;
    await this.#place(null, this.#generation);
    if (feed?.closed) this.#feeds.shift();
    this.#changed();
    this.dispatchEvent(new Event("strips"));
  }

  async play() {
    const { sources, rate, frames, strips } = this;
    if (!sources.length) return;
    if (this.failure) return this.open(sources, { rate, frames, strips, at: this.position });
    if (this.ended) await this.seek(0);
    this.playing = true;
    this.ended = false;
    await this.#wake();
    await this.#post({ type: "play" });
    this.#changed();
  }

  async pause() {
    this.playing = false;
    await this.#post({ type: "pause" });
    this.#changed();
  }

  async toggle() {
    await (this.playing ? this.pause() : this.play());
  }

  /** @param {number} seconds */
  async seek(seconds) {
    if (!this.sources.length) return;
    const frame = Math.round(Math.min(Math.max(seconds, 0), Math.max(0, this.length - 0.01) || Infinity) * this.rate);
    const generation = ++this.#generation;
    this.#last = { frame, time: 0, generation: -1 };
    this.ended = false;
    for (const feed of this.#feeds) feed.aim(frame);
    await this.#post({ type: "seek", frame, generation });
    this.#changed();
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.#volume = volume;
    if (this.#master && this.#context) this.#master.gain.setTargetAtTime(volume ** 2, this.#context.currentTime, 0.01);
  }

  /** @param {string} name @param {Partial<StripState>} change */
  setStrip(name, change) {
    const strip = this.strips.get(name);
    if (!strip) return;
    Object.assign(strip, change);
    if (change.soloed) strip.muted = false;
    for (let i = 0; i < this.sources.length; i++) {
      void this.#post({ type: "gain", set: this.#ids, source: i, gain: this.#gain(i) });
    }
    this.dispatchEvent(new Event("strips"));
  }

  /** Whether a source is heard, with mutes and solos as they are. @param {string} name */
  heard(name) {
    const strip = this.strips.get(name);
    const anySolo = [...this.strips.values()].some((other) => other.soloed);
    return !!strip && !strip.muted && (!anySolo || strip.soloed);
  }

  /** Ends the sound and gives the device back. */
  async close() {
    this.#closeFeeds();
    const context = this.#context;
    this.#context = this.#node = this.#master = null;
    await context?.close();
  }

  /** @param {number} index linear gain of a source; what the separation took off is given back */
  #gain(index) {
    const source = this.sources[index];
    if (!source || !this.heard(source.name)) return 0;
    const db = this.strips.get(source.name)?.db ?? 0;
    return db <= SILENT_DB ? 0 : 10 ** ((db - (source.gainDb ?? 0)) / 20);
  }

  /** Sends a set to the worklet and starts fetching for it. @param {number | null} at @param {number} generation */
  async #place(at, generation) {
    const set = ++this.#ids;
    const first = at ?? Math.round(this.position * this.rate);
    const files = this.sources.map((source) => source.file);
    // Fetching starts before the worklet exists: the first sound waits for the slower of the two, not for both.
    const opened = this.#node ?? this.#start();
    const feed = new Chunks(
      { files, rate: this.rate, frames: this.frames, first },
      {
        chunk: ({ source, index, channels, data }) =>
          void this.#post({ type: "chunk", set, source, index, channels, data }, [data]),
        evict: (from, to) => void this.#post({ type: "evict", set, first: from, last: to }),
        length: (frames) => this.#lengthen(set, frames),
        failed: (sentence) => this.#fail(sentence),
      },
    );
    this.#feeds.push(feed);
    const gains = this.sources.map((_, i) => this.#gain(i));
    const length = this.frames || Number.MAX_SAFE_INTEGER;
    const message = { type: "open", id: set, at, generation, length, chunkFrames: this.rate, gains };
    (await opened).port.postMessage(message);
  }

  /** @param {number} set @param {number} frames */
  #lengthen(set, frames) {
    if (set !== this.#ids) return;
    this.frames = frames;
    void this.#post({ type: "length", set, frames });
    this.#changed();
  }

  /** @returns {Promise<AudioWorkletNode>} */
  #start() {
    const context = new AudioContext({ sampleRate: this.rate, latencyHint: "interactive" });
    const master = new GainNode(context, { gain: this.#volume ** 2 });
    master.connect(context.destination);
    this.#context = context;
    this.#master = master;
    this.#node = context.audioWorklet.addModule(new URL("./mixer-worklet.js", import.meta.url).href).then(() => {
      const node = new AudioWorkletNode(context, "soundforge-mixer", { numberOfInputs: 0, outputChannelCount: [2] });
      node.port.onmessage = (event) => this.#heardFrom(event.data);
      node.onprocessorerror = () => this.#fail("The mixer stopped; reload the page.");
      node.connect(master);
      return node;
    });
    return this.#node;
  }

  async #wake() {
    if (!this.#context) void this.#start();
    if (this.#context?.state !== "running") await this.#context?.resume();
  }

  /** @param {object} message @param {Transferable[]} [transfer] */
  async #post(message, transfer = []) {
    const node = await this.#node;
    node?.port.postMessage(message, transfer);
  }

  /** @param {any} report */
  #heardFrom(report) {
    this.peaks = report.peaks;
    if (report.generation === this.#generation) {
      this.#last = report;
      for (const feed of this.#feeds) feed.aim(report.frame);
    }
    if (report.set !== this.set && report.set === this.#ids) {
      for (const gone of this.#feeds.splice(0, this.#feeds.length - 1)) gone.close();
    }
    const changed = report.set !== this.set || report.held !== this.held || report.ended !== this.ended;
    this.set = report.set;
    this.held = report.held && this.playing;
    if (report.ended && report.generation === this.#generation) Object.assign(this, { ended: true, playing: false });
    if (changed) this.#changed();
    this.dispatchEvent(new Event("report"));
  }

  #closeFeeds() {
    for (const feed of this.#feeds.splice(0)) feed.close();
  }

  /** @param {string} sentence */
  #fail(sentence) {
    this.failure = sentence;
    this.playing = false;
    void this.#post({ type: "pause" });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
