/**
 * Fetches the sound of one set of sources, a second at a time, ahead of the play-head.
 *
 * GET /audio/<file>/pcm?from=<frame>&frames=<n> answers raw s16le with X-Sample-Rate, X-Channels and X-Frames (the
 * file's length); with as=flac the same samples as a FLAC file. Sources are fetched in step: the next second of all of them before the second after it.
 */

import { spans } from "./engine/playhead.js";
import { link, unpack } from "./link.js";

const AHEAD = 15;
const BEHIND = 4;
const RUN_UP = 0.4; // seconds that must be there before anything sounds, at any tempo
const BITS = 32; // of a frame: two channels of 16
const AT_ONCE = 4;
const SOON = 3; // seconds that come first; what is for later is fetched more slowly, so that a seek finds the line free
const WITHOUT_HASTE = 2;
const RETRY_MS = [200, 600, 1500, 4000];

/** @typedef {import("./engine/playhead.js").Loop} Loop */
/** @typedef {{ source: number, index: number, channels: number, data: ArrayBuffer }} Fetched */

export class Chunks {
  /**
   * @param {{ files: string[], rate: number, frames: number, first: number, loop: Loop | null, marks: number[] }} set
   *   frames 0: not known yet
   * @param {{ chunk: (fetched: Fetched) => void, evict: (keep: number[]) => void,
   *           length: (frames: number) => void, failed: (sentence: string) => void }} to
   */
  constructor(set, to) {
    this.files = set.files;
    this.rate = set.rate;
    this.frames = set.frames;
    this.to = to;
    this.frame = set.first;
    this.loop = set.loop;
    /** @type {number[]} frames where the play-head may jump: what is there is kept at hand */
    this.marks = set.marks;
    /** @type {Set<string>} held by the worklet */
    this.held = new Set();
    /** @type {Map<string, AbortController>} on their way */
    this.going = new Map();
    this.closed = false;
    this.pump();
  }

  close() {
    this.closed = true;
    for (const request of this.going.values()) request.abort();
    this.going.clear();
  }

  /** The play-head is here now. @param {number} frame */
  aim(frame) {
    const same = Math.floor(frame / this.rate) === Math.floor(this.frame / this.rate);
    this.frame = frame;
    if (!same) this.look();
  }

  /** The play-head shall go round here, or nowhere. @param {Loop | null} loop */
  turn(loop) {
    this.loop = loop;
    this.look();
  }

  /** The play-head may jump here. @param {number[]} marks frames */
  keep(marks) {
    this.marks = marks;
    this.look();
  }

  /** Drops what is far from the play-head, and fetches what comes next. */
  look() {
    const here = Math.floor(this.frame / this.rate);
    const near = Array.from({ length: BEHIND + AHEAD + 1 }, (_, i) => here - BEHIND + i);
    this.forget(new Set([...near, ...this.wanted(), ...this.marked()]));
    this.pump();
  }

  /** The seconds that are played next, in that order: round the loop, if the play-head is before its end. */
  wanted() {
    const last = this.frames ? Math.floor((this.frames - 1) / this.rate) : Math.floor(this.frame / this.rate);
    /** @type {Set<number>} */
    const found = new Set();
    for (const { frame, count } of spans(this.frame, (AHEAD + 1) * this.rate, this.loop)) {
      const end = Math.min(last, Math.floor((frame + count - 1) / this.rate));
      for (let index = Math.max(0, Math.floor(frame / this.rate)); index <= end; index++) found.add(index);
    }
    return [...found];
  }

  /** The seconds at the marks, with the one after where that comes at once. */
  marked() {
    const seconds = this.marks.flatMap((frame) => [frame, frame + RUN_UP * this.rate].map((at) => Math.floor(at / this.rate)));
    return [...new Set(seconds)].filter((second) => !this.frames || second * this.rate < this.frames);
  }

  /** @param {Set<number>} kept */
  forget(kept) {
    const outside = (/** @type {string} */ name) => !kept.has(Number(name.split(":")[1]));
    let evict = false;
    for (const name of this.held) if (outside(name)) evict = this.held.delete(name);
    if (evict) this.to.evict([...kept]);
    for (const [name, request] of this.going) {
      if (!outside(name)) continue;
      request.abort();
      this.going.delete(name);
    }
  }

  pump() {
    for (const [place, index] of [...this.wanted(), ...this.marked()].entries()) {
      const most = place < SOON ? Math.max(AT_ONCE, this.files.length) : WITHOUT_HASTE;
      for (let source = 0; source < this.files.length; source++) {
        if (this.closed || this.going.size >= most) return;
        const name = `${source}:${index}`;
        if (!this.held.has(name) && !this.going.has(name)) void this.bring(name, source, index);
      }
    }
  }

  /** @param {string} name @param {number} source @param {number} index */
  async bring(name, source, index) {
    const request = new AbortController();
    this.going.set(name, request);
    try {
      const fetched = await this.fetch(source, index, request.signal);
      if (request.signal.aborted) return;
      this.held.add(name);
      this.to.chunk(fetched);
    } catch (error) {
      if (request.signal.aborted) return;
      this.close();
      this.to.failed(error instanceof Refused ? error.message : "The sound could not be fetched from the server.");
      return;
    } finally {
      if (this.going.get(name) === request) this.going.delete(name);
    }
    this.pump();
  }

  /** @param {number} source @param {number} index @param {AbortSignal} signal @returns {Promise<Fetched>} */
  async fetch(source, index, signal) {
    const file = this.files[source] ?? "";
    const path = file.startsWith("/") ? file : `/audio/${file}`;
    const packed = link.packs(this.files.length * this.rate * BITS);
    const url = `${path}/pcm?from=${index * this.rate}&frames=${this.rate}${packed ? "&as=flac" : ""}`;
    for (let attempt = 0; ; attempt++) {
      try {
        const { answer, data } = await timed(url, signal);
        if (answer.ok) return await this.read(answer, data, source, index);
        if (answer.status < 500) throw new Refused(WORDS[answer.status] ?? `The server refused the sound (${answer.status}).`);
        throw new Error(`status ${answer.status}`);
      } catch (error) {
        const wait = RETRY_MS[attempt];
        if (error instanceof Refused || signal.aborted || wait === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** @param {Response} answer @param {ArrayBuffer} data @param {number} source @param {number} index @returns {Promise<Fetched>} */
  async read(answer, data, source, index) {
    const rate = Number(answer.headers.get("X-Sample-Rate"));
    if (rate !== this.rate) throw new Refused(`The sound has ${rate} Hz where the page said ${this.rate} Hz.`);
    const frames = Number(answer.headers.get("X-Frames"));
    if (frames > this.frames) {
      this.frames = frames;
      this.to.length(frames);
    }
    const packed = answer.headers.get("Content-Type") === "audio/flac" && data.byteLength > 0;
    const channels = Number(answer.headers.get("X-Channels")) || 1;
    return { source, index, channels, data: packed ? await unpack(data, rate) : data };
  }
}

/** Fetches, and lets the link be timed. @param {string} url @param {AbortSignal} signal */
async function timed(url, signal) {
  link.leave(performance.now());
  let bytes = 0;
  try {
    const answer = await fetch(url, { signal });
    const data = await answer.arrayBuffer();
    bytes = data.byteLength;
    return { answer, data };
  } finally {
    link.arrive(bytes, performance.now());
  }
}

class Refused extends Error {}

/** @type {Record<number, string>} */
const WORDS = {
  401: "Please sign in again.",
  404: "The sound is no longer there.",
  410: "The sound is no longer there.",
  429: "Too many requests at once; try again in a moment.",
};
