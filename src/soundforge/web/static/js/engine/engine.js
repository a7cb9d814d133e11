/**
 * The mixer's sound, block by block: all sources of a track under one play-head, so that none can drift from another.
 *
 * A block is rendered only when *every* source has its chunk for this block and the next; otherwise all of them hold.
 * Starts, stops, seeks and holds are ramps of one block (about 3 ms), never clicks. A new set of sources (stems in
 * place of the mix) is faded over at the running position. At another tempo or pitch the sum of the sources goes
 * through the stretcher, which reads ahead of what is heard; at 100 % and 0 semitones it is not in the way.
 *
 * In:  open {id, at, length, chunkFrames, gains, mutes}  at null: take over at the running position
 *      chunks {set, source, index, count, channels, data}  so many from the index on; data: interleaved int16
 *      evict {set, keep}                                 keep only these chunks
 *      length {set, frames} · play {countIn} · pause · seek {frame, generation} · gain {set, source, left, right}
 *      mutes {set, source, regions} · loop {loop} · tempo {tempo, semitones} · click {frames, accents, gain}
 * Out: report {generation, set, frame, time, tempo, sounds, playing, counting, held, ended, peaks}
 */

import { Click } from "./click.js";
import { CountIn } from "./count-in.js";
import { ahead, spans } from "./playhead.js";
import { SourceSet } from "./source.js";
import { Stretch } from "./stretch.js";

const FADE_FRAMES = 1024;
const REPORT_BLOCKS = 12;
const MOST_FRAMES = 8192; // that are read in one go
const RUN_UP_S = 0.4; // of a coming set must be there before its fade begins: the fade, and what sounds right after it

export class Engine {
  /** @param {number} rate @param {WebAssembly.Module | null} module @param {(message: object) => void} post */
  constructor(rate, module, post) {
    this.rate = rate;
    this.post = post;
    this.stretch = module ? new Stretch(module, rate) : null;
    this.click = new Click(rate);
    /** @type {CountIn | null} */
    this.counting = null;
    /** @type {Map<number, SourceSet>} */
    this.sets = new Map();
    /** @type {SourceSet | null} what sounds */
    this.set = null;
    /** @type {SourceSet | null} what takes over */
    this.coming = null;
    this.faded = 0;
    this.frame = 0; // the next one to be read
    this.heard = 0; // the next one to be heard: the same, unless the stretcher is between
    /** @type {import("./playhead.js").Loop | null} */
    this.loop = null;
    this.tempo = 1;
    this.semitones = 0;
    this.stretching = false;
    this.primed = false;
    /** @type {number[]} tempos of the blocks that are on their way through the stretcher */
    this.lagging = [];
    this.generation = 0;
    /** @type {{ frame: number, generation: number, set: SourceSet | null } | null} */
    this.jump = null;
    this.playing = false;
    this.held = false;
    this.ended = false;
    this.level = 0;
    this.blocks = 0;
    this.time = 0;
    this.other = { left: new Float32Array(MOST_FRAMES), right: new Float32Array(MOST_FRAMES) };
  }

  /** @param {any} message */
  receive(message) {
    switch (message.type) {
      case "open":
        return this.open(message);
      case "chunks":
        return this.sets.get(message.set)?.bring(message);
      case "evict":
        return this.sets.get(message.set)?.keep(message.keep);
      case "length": {
        const set = this.sets.get(message.set);
        if (set) set.length = message.frames;
        return;
      }
      case "play":
        this.counting = message.countIn && this.level === 0 ? new CountIn(message.countIn) : null;
        this.playing = true;
        this.ended = false;
        return;
      case "pause":
        this.playing = false;
        this.counting = null;
        return;
      case "seek":
        this.jump = { frame: message.frame, generation: message.generation, set: this.jump?.set ?? null };
        this.ended = false;
        return;
      case "gain":
        return this.sets.get(message.set)?.sources[message.source]?.aim(message);
      case "mutes": {
        const source = this.sets.get(message.set)?.sources[message.source];
        if (source) source.mutes = message.regions;
        return;
      }
      case "loop":
        this.loop = message.loop;
        return this.stretching ? this.again() : undefined;
      case "tempo":
        this.tempo = message.tempo;
        this.semitones = message.semitones;
        return this.stretch?.set(message.tempo, message.semitones);
      case "click":
        Object.assign(this.click, message);
    }
  }

  /** @param {any} message */
  open(message) {
    const set = new SourceSet(message, this.rate);
    this.sets.set(set.id, set);
    if (message.at === null) {
      this.drop(this.coming);
      this.coming = set;
      this.faded = 0;
    } else {
      this.drop(this.jump?.set ?? null);
      this.jump = { frame: message.at, generation: message.generation, set };
      this.ended = false;
    }
  }

  /** @param {SourceSet | null} set */
  drop(set) {
    if (set) this.sets.delete(set.id);
  }

  /** From where it is heard, through silence: what the stretcher has read ahead is of no use any more. */
  again() {
    this.jump ??= { frame: Math.round(this.heard), generation: this.generation, set: null };
  }

  /** Puts the stretcher in the way, or out of it, when tempo or pitch ask for it. */
  retime() {
    const wanted = this.stretch !== null && (this.tempo !== 1 || this.semitones !== 0);
    if (wanted !== this.stretching) this.again();
  }

  /** A seek takes effect in silence: the ramp down came first. */
  land() {
    if (!this.jump || this.level > 0) return;
    const { frame, generation, set } = this.jump;
    this.jump = null;
    this.frame = this.heard = frame;
    this.generation = generation;
    this.stretching = this.stretch !== null && (this.tempo !== 1 || this.semitones !== 0);
    this.primed = false;
    if (set) {
      this.drop(this.set);
      this.drop(this.coming);
      this.set = set;
      this.coming = null;
    }
    this.report();
  }

  /** In silence the coming set takes over at once; in sound, by a fade that starts when all it needs is there. */
  takeOver() {
    if (!this.coming || this.level > 0) return;
    this.drop(this.set);
    this.set = this.coming;
    this.coming = null;
    this.faded = 0;
    this.report();
  }

  /** Whether all that sounds is there for this block and the next. @param {SourceSet} set @param {number} block */
  ready(set, block) {
    const direct = Math.ceil(2 * block * (this.stretching ? this.tempo : 1)) + (this.stretching ? 600 : 0);
    const count = this.stretching && !this.primed ? (this.stretch?.needs ?? 0) + direct : direct;
    return this.has(set, count) && (this.faded === 0 || !this.coming || this.has(this.coming, count));
  }

  /** @param {SourceSet} set @param {number} count */
  has(set, count) {
    return spans(this.frame, count, this.loop).every((span) => set.has(span.frame, span.count));
  }

  /** Renders one block. @param {Float32Array} left @param {Float32Array} right @param {number} time when it is played, s */
  process(left, right, time) {
    this.time = time;
    this.land();
    this.takeOver();
    const set = this.set;
    if (!set) return;
    this.retime();
    if (this.playing && this.heard >= set.length && !this.jump) this.end();
    const go = this.playing && !this.jump && this.ready(set, left.length);
    this.hold(this.playing && !this.jump && !go);
    if (go && this.counting) return this.count(this.counting, left, right);
    if (++this.blocks >= REPORT_BLOCKS && this.level > 0) this.report();
    if (go || this.level > 0) this.render(left, right, go ? 1 : 0);
  }

  /** @param {CountIn} counting @param {Float32Array} left @param {Float32Array} right */
  count(counting, left, right) {
    if (counting.fresh) this.report();
    this.click.count(left, right, counting.strokes(left.length));
    if (!counting.done) return;
    this.counting = null;
    this.report();
  }

  /** @param {Float32Array} left @param {Float32Array} right @param {number} target the level at the block's end */
  render(left, right, target) {
    const count = left.length;
    const tempo = this.stretching ? this.through(left, right) : this.straight(left, right);
    this.click.render(left, right, spans(this.heard, count * tempo, this.loop), tempo);
    this.heard = ahead(this.heard, count * tempo, this.loop);
    const step = (target - this.level) / count;
    if (step !== 0) {
      for (let i = 0; i < count; i++) {
        const level = this.level + step * i;
        left[i] = /** @type {number} */ (left[i]) * level;
        if (right !== left) right[i] = /** @type {number} */ (right[i]) * level;
      }
    }
    const turned = this.level !== target;
    this.level = target;
    if (turned) this.report(this.time + count / this.rate);
  }

  /** @param {Float32Array} left @param {Float32Array} right @returns {number} the tempo of what is heard */
  straight(left, right) {
    this.read(left, right);
    return 1;
  }

  /** @param {Float32Array} left @param {Float32Array} right @returns {number} the tempo of what is heard */
  through(left, right) {
    const stretch = /** @type {Stretch} */ (this.stretch);
    const pull = (/** @type {Float32Array} */ l, /** @type {Float32Array} */ r) => this.read(l, r);
    if (!this.primed) {
      const past = this.frame;
      stretch.prime((l, r) => this.readPast(l, r, past), pull);
      this.lagging = Array(Math.round(stretch.lag / left.length)).fill(this.tempo);
      this.primed = true;
    }
    stretch.render(pull, left, right);
    this.lagging.push(this.tempo);
    return this.lagging.shift() ?? this.tempo;
  }

  /** Adds the next frames of the sources, and goes on. @param {Float32Array} left @param {Float32Array} right */
  read(left, right) {
    for (let done = 0; done < left.length; done += MOST_FRAMES) {
      const part = [left, right].map((side) => side.subarray(done, done + MOST_FRAMES));
      const [l, r] = /** @type {[Float32Array, Float32Array]} */ (part);
      const found = spans(this.frame, l.length, this.loop);
      this.set?.render(l, r, found);
      if (this.coming && (this.faded > 0 || this.has(this.coming, l.length + RUN_UP_S * this.rate))) {
        this.fade(this.coming, l, r, found);
      }
      this.frame = ahead(this.frame, l.length, this.loop);
    }
  }

  /** What lies before a frame, as far as it is there. @param {Float32Array} left @param {Float32Array} right @param {number} frame */
  readPast(left, right, frame) {
    const count = Math.min(left.length, frame);
    if (count) this.set?.render(left, right, [{ frame: frame - count, count, at: left.length - count }]);
  }

  /** Both sets play the same frames; a straight cross-fade of equal signals changes nothing that is heard.
   * @param {SourceSet} coming @param {Float32Array} left @param {Float32Array} right
   * @param {import("./playhead.js").Span[]} found */
  fade(coming, left, right, found) {
    const otherLeft = this.other.left.subarray(0, left.length).fill(0);
    const otherRight = this.other.right.subarray(0, left.length).fill(0);
    coming.render(otherLeft, otherRight, found);
    for (let i = 0; i < left.length; i++) {
      const share = Math.min(1, (this.faded + i) / FADE_FRAMES);
      const l = /** @type {number} */ (left[i]);
      const r = /** @type {number} */ (right[i]);
      left[i] = l + (/** @type {number} */ (otherLeft[i]) - l) * share;
      right[i] = r + (/** @type {number} */ (otherRight[i]) - r) * share;
    }
    this.faded += left.length;
    if (this.faded < FADE_FRAMES) return;
    this.drop(this.set);
    this.set = coming;
    this.coming = null;
    this.faded = 0;
    this.report();
  }

  end() {
    this.playing = false;
    this.ended = true;
    this.report();
  }

  /** @param {boolean} held */
  hold(held) {
    if (held === this.held) return;
    this.held = held;
    this.report();
  }

  /** @param {number} [time] when the frame that is told is heard */
  report(time = this.time) {
    this.blocks = 0;
    const sources = this.set?.sources ?? [];
    this.post({
      type: "report",
      generation: this.generation,
      set: this.set?.id ?? 0,
      frame: Math.round(this.heard),
      time,
      tempo: this.stretching ? this.tempo : 1,
      sounds: this.level > 0,
      playing: this.playing,
      counting: this.counting !== null,
      held: this.held,
      ended: this.ended,
      peaks: sources.map((source) => source.peak),
    });
    for (const source of sources) source.peak = 0;
  }
}
