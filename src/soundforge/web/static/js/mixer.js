/**
 * The mixer as the page sees it: open a set of sources, play, pause, seek; it follows the `Mix` of what plays.
 *
 * Nothing of the sound happens here: `engine/` renders, a worker fetches (`feed.js`). Positions carry a generation, so that a
 * report from before a seek never overwrites where the seek went.
 *
 * Events: "change" (playing, held, ended, length, set, failure), "report" (several times a second, with meters).
 */

import { ahead, chunkFrames } from "./engine/playhead.js";
import { Feed, startFetcher } from "./feed.js";
import { isLocal } from "./link.js";
import { Mix } from "./mix.js";
import { openNode } from "./mixer-node.js";

/** @typedef {{ name: string, file: string, gainDb?: number }} SourceDescription */

const SHORTEST_LOOP_S = 0.05;

export class Mixer extends EventTarget {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Promise<AudioWorkletNode> | null} */
  #node = null;
  /** @type {GainNode | null} */
  #master = null;
  /** @type {Feed[]} the set that sounds, and the one that takes over */
  #feeds = [];
  #newest = 0; // set
  #generation = 0;
  #volume = 1;
  #following = new AbortController();
  /** @type {{ frame: number, time: number, generation: number, tempo: number, sounds: boolean } | null} */
  #last = null;

  /** @type {SourceDescription[]} */
  sources = [];
  /** Whether the studio is this machine itself: sound then goes as it is. */
  local = isLocal(location.hostname);
  mix = new Mix();
  /** @type {import("./beats.js").Grid | null} what the click follows */
  grid = null;
  /** @type {number[]} seconds where a jump shall sound at once */
  marks = [];
  set = 0;
  rate = 44100;
  frames = 0;
  playing = false;
  counting = false;
  held = false;
  ended = false;
  failure = "";
  /** Times that the sound had to wait for the network while it played. */
  stalls = 0;
  /** @type {number[]} the loudest sample of each source since the last report, 0 to 1 */
  peaks = [];

  /** Seconds into the track, as heard: what the worklet rendered less what still waits on its way to the ear. */
  get position() {
    const context = this.#context;
    if (!context || !this.#last) return 0;
    let { frame } = this.#last;
    if (this.playing && this.#last.sounds && this.#last.generation === this.#generation) {
      const late = context.outputLatency || context.baseLatency || 0;
      const since = (context.currentTime - this.#last.time - late) * this.rate * this.#last.tempo;
      frame = since > 0 ? ahead(frame, since, this.#loop()) : frame + since;
    }
    return Math.min(Math.max(frame, 0), this.frames || Infinity) / this.rate;
  }

  get length() {
    return this.frames / this.rate;
  }

  get strips() {
    return this.mix.strips;
  }

  /** The node, for whoever wants to listen in (a recorder, a picture of the spectrum). */
  get node() {
    return this.#node;
  }

  get context() {
    return this.#context;
  }

  /** Loads what makes sound, before there is any: the first sound then waits for the sound alone. @param {number} rate Hz */
  prepare(rate) {
    if (this.#context || !rate) return;
    this.rate = rate;
    startFetcher();
    void this.#start().catch(() => this.close()); // whoever presses play will hear of it
  }

  /**
   * Opens another track. Must first be called from a click or key, as browsers want it for sound.
   * @param {SourceDescription[]} sources one (the mix) or several (stems), all of the same rate and length
   * @param {{ rate: number, frames?: number, at?: number, play?: boolean, mix?: Mix }} options at: seconds
   */
  async open(sources, { rate, frames = 0, at = 0, play = true, mix = new Mix() }) {
    this.#closeFeeds();
    if (this.#context && this.rate !== rate) await this.close();
    Object.assign(this, { sources, rate, frames, playing: play, held: play, ended: false, failure: "", peaks: [], grid: null, marks: [] });
    this.#follow(mix);
    const generation = ++this.#generation;
    const frame = Math.round(at * rate);
    this.#last = { frame, time: 0, generation: -1, tempo: 1, sounds: false };
    const resumed = this.#wake();
    await this.#place(frame, generation);
    this.#tell(["region", "tempo", "click"]);
    this.#changed();
    if (play) {
      await resumed;
      await this.#post({ type: "play", countIn: this.#countIn(at) });
    }
  }

  /** Other sources of the same track take over at the running position, without a gap. @param {SourceDescription[]} sources */
  async swap(sources) {
    const feed = this.#feeds[0];
    for (const coming of this.#feeds.splice(1)) coming.close();
    this.sources = sources;
    await this.#place(null, this.#generation);
    if (feed?.closed) this.#feeds.shift();
    this.#changed();
  }

  async play() {
    const { sources, rate, frames, mix } = this;
    if (!sources.length) return;
    if (this.failure) return this.open(sources, { rate, frames, mix, at: this.position });
    if (this.ended) await this.seek(0);
    this.playing = true;
    this.ended = false;
    await this.#wake();
    await this.#post({ type: "play", countIn: this.#countIn(this.position) });
    this.#changed();
  }

  async pause() {
    this.playing = false;
    this.counting = false;
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
    this.#last = { frame, time: 0, generation: -1, tempo: 1, sounds: false };
    this.ended = false;
    for (const feed of this.#feeds) feed.jump(frame);
    await this.#post({ type: "seek", frame, generation });
    this.#changed();
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.#volume = volume;
    if (this.#master && this.#context) this.#master.gain.setTargetAtTime(volume ** 2, this.#context.currentTime, 0.01);
  }

  /** What lies at these seconds is fetched ahead and kept: a jump there waits for nothing. @param {number[]} marks */
  mark(marks) {
    this.marks = marks;
    const frames = this.#marked();
    for (const feed of this.#feeds) feed.keep(frames);
  }

  /** The marks and where a loop begins, in frames. */
  #marked() {
    const { region } = this.mix.settings;
    return [...this.marks, ...(region ? [region.start_s] : [])].map((at) => Math.round(at * this.rate));
  }

  /** @param {import("./beats.js").Grid | null} grid */
  setGrid(grid) {
    this.grid = grid;
    this.#tell(["click"]);
  }

  /** Ends the sound and gives the device back. */
  async close() {
    this.#closeFeeds();
    const context = this.#context;
    this.#context = this.#node = this.#master = null;
    await context?.close();
  }

  /** @param {Mix} mix */
  #follow(mix) {
    this.#following.abort();
    this.#following = new AbortController();
    this.mix = mix;
    const heed = (/** @type {Event} */ event) => event instanceof CustomEvent && this.#tell(event.detail.keys);
    mix.addEventListener("change", heed, { signal: this.#following.signal });
  }

  /** Tells the engine what was set. @param {string[]} keys */
  #tell(keys) {
    const { tempo, semitones, click, click_db } = this.mix.settings;
    if (keys.includes("strips")) this.#tellStrips();
    if (keys.includes("region") || keys.includes("looping")) {
      const loop = this.#loop();
      for (const feed of this.#feeds) feed.turn(loop);
      this.mark(this.marks);
      void this.#post({ type: "loop", loop });
    }
    if (keys.includes("tempo") || keys.includes("semitones")) void this.#post({ type: "tempo", tempo, semitones });
    if (!keys.includes("click") && !keys.includes("click_db")) return;
    const frames = (this.grid?.beats ?? []).map((beat) => Math.round(beat * this.rate));
    const accents = frames.map((_, i) => this.grid?.downbeats.has(i) ?? false);
    void this.#post({ type: "click", gain: click ? 10 ** (click_db / 20) : 0, frames, accents });
  }

  #tellStrips() {
    for (let source = 0; source < this.sources.length; source++) {
      void this.#post({ type: "gain", set: this.#newest, source, ...this.#gains(source) });
      void this.#post({ type: "mutes", set: this.#newest, source, regions: this.#mutes(source) });
    }
  }

  /** @returns {import("./engine/playhead.js").Loop | null} */
  #loop() {
    const { region, looping } = this.mix.settings;
    if (!region || !looping) return null;
    const [start, end] = [Math.round(region.start_s * this.rate), Math.round(region.end_s * this.rate)];
    const last = this.frames ? Math.min(end, this.frames) : end;
    return last - start >= SHORTEST_LOOP_S * this.rate ? { start, end: last } : null;
  }

  /** A bar of clicks at the tempo that is to come, if they are wanted and beats are known. @param {number} at_s */
  #countIn(at_s) {
    if (!this.mix.settings.count_in || !this.grid?.beats.length) return null;
    const interval = (this.grid.beat_s(at_s) * this.rate) / this.mix.settings.tempo;
    return { interval, beats: this.grid.meter(at_s) };
  }

  /** @param {number} index linear gains of a source; what the separation took off is given back */
  #gains(index) {
    const source = this.sources[index];
    const names = this.sources.map(({ name }) => name);
    return source ? this.mix.gains(source.name, names, source.gainDb ?? 0) : { left: 0, right: 0 };
  }

  /** @param {number} index muted regions in frames */
  #mutes(index) {
    const source = this.sources[index];
    const regions = source ? this.mix.strip(source.name).mutes : [];
    return regions.map(([start_s, end_s]) => [Math.round(start_s * this.rate), Math.round(end_s * this.rate)]);
  }

  /** Sends a set to the worklet and starts fetching for it. @param {number | null} at @param {number} generation */
  async #place(at, generation) {
    const first = at ?? Math.round(this.position * this.rate);
    const files = this.sources.map((source) => source.file);
    // Fetching starts before the worklet exists: the first sound waits for the slower of the two, not for both.
    const opened = this.#node ?? this.#start();
    const { port1, port2 } = new MessageChannel();
    const [loop, marks] = [this.#loop(), this.#marked()];
    const feed = new Feed({ files, rate: this.rate, frames: this.frames, first, loop, marks, local: this.local }, port1, {
      length: (frames) => this.#lengthen(feed.id, frames),
      failed: (sentence) => this.#fail(sentence),
    });
    this.#newest = feed.id;
    this.#feeds.push(feed);
    const gains = this.sources.map((_, i) => this.#gains(i));
    const mutes = this.sources.map((_, i) => this.#mutes(i));
    const length = this.frames || Number.MAX_SAFE_INTEGER;
    const set = { id: feed.id, at, generation, length, chunkFrames: chunkFrames(this.rate), gains, mutes };
    (await opened).port.postMessage({ type: "open", port: port2, ...set }, [port2]);
  }

  /** @param {number} set @param {number} frames */
  #lengthen(set, frames) {
    if (set !== this.#newest) return;
    this.frames = frames;
    void this.#post({ type: "length", set, frames });
    this.#changed();
  }

  /** @returns {Promise<AudioWorkletNode>} */
  #start() {
    const broke = () => this.#fail("The mixer stopped; reload the page.");
    const opened = openNode(this.rate, this.#volume ** 2, (report) => this.#heardFrom(report), broke);
    this.#context = opened.context;
    this.#master = opened.master;
    this.#node = opened.node;
    return opened.node;
  }

  async #wake() {
    if (!this.#context) void this.#start();
    if (this.#context?.state !== "running") await this.#context?.resume();
  }

  /** @param {object} message */
  async #post(message) {
    const node = await this.#node;
    node?.port.postMessage(message);
  }

  /** @param {any} report */
  #heardFrom(report) {
    this.peaks = report.peaks;
    if (report.generation === this.#generation) {
      this.#last = report;
      for (const feed of this.#feeds) feed.aim(report.frame);
    }
    if (report.set !== this.set && report.set === this.#newest) {
      for (const gone of this.#feeds.splice(0, this.#feeds.length - 1)) gone.close();
    }
    const { held, ended, counting, set } = report;
    const changed = set !== this.set || held !== this.held || ended !== this.ended || counting !== this.counting;
    if (held && !this.held && this.playing && report.generation === this.#generation) this.stalls++;
    this.set = set;
    this.held = held && this.playing;
    this.counting = counting && this.playing;
    if (ended && report.generation === this.#generation) Object.assign(this, { ended: true, playing: false });
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
