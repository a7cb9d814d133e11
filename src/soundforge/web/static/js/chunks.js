/**
 * Fetches the sound of one set of sources ahead of the play-head, in chunks of a tenth of a second. It runs in a worker
 * (`fetcher.js`).
 *
 * GET /audio/<file>,<file>…/pcm?from=<frame>&frames=<n> answers the same frames of each file, one file behind the other:
 * raw s16le, or with as=flac a FLAC file each. X-Sample-Rate, X-Channels, X-Frames (the file's length) and X-Bytes (of its
 * part of the answer) have a number for each. So all sources come together, with one request for a run of chunks: after
 * a jump a short one, which comes alone, then what is left of each second.
 */

import { A_SECOND, chunkFrames, spans } from "./engine/playhead.js";
import { link } from "./link.js";

const AHEAD = 15; // seconds
const BEHIND = 4;
const AT_A_MARK = 1;
// What leads lasts until the next run is here: a second of sound takes a sixth of one where it goes as it is, and up to
// one where it goes packed (link.js).
const LEAD = 4; // chunks
const LEAD_PACKED = A_SECOND;
const SOON = 3; // seconds that are fetched two runs at once; the others one by one, so that a seek finds the line free
const BITS = 32; // of a frame: two channels of 16
const RETRY_MS = [200, 600, 1500, 4000]; // then every four seconds: what lies ready plays on, and the rest waits for the server
const LONGEST_MS = 30_000; // an answer that takes longer is asked for again: the line is dead

/** @typedef {import("./engine/playhead.js").Loop} Loop */
/** @typedef {{ files: string[], rate: number, frames: number, first: number, loop: Loop | null, marks: number[],
 *   local: boolean }} Wanted frames 0: not known yet; local: the studio is this machine itself */
/** @typedef {{ source: number, index: number, count: number, channels: number, data: ArrayBuffer }} Fetched
 *   `count` chunks from `index` on; less sound than that where the file ends */
/** @typedef {{ first: number, count: number, packed: boolean, leads: boolean, request: AbortController }} Run */

export class Chunks {
  /**
   * @param {Wanted} set
   * @param {{ chunks: (fetched: Fetched) => void, evict: (keep: number[]) => void,
   *           length: (frames: number) => void, failed: (sentence: string) => void,
   *           unpack: (data: ArrayBuffer, rate: number) => Promise<ArrayBuffer> }} to
   */
  constructor(set, to) {
    this.path = pathOf(set.files);
    this.packed = () => !set.local && link.packs(set.files.length * set.rate * BITS);
    this.rate = set.rate;
    this.frames = set.frames;
    this.to = to;
    this.frame = set.first;
    this.loop = set.loop;
    /** @type {number[]} frames where the play-head may jump: what is there is kept at hand */
    this.marks = set.marks;
    this.size = chunkFrames(set.rate);
    /** @type {Set<number>} chunks that the worklet holds, of all sources */
    this.held = new Set();
    /** @type {Set<Run>} on their way */
    this.going = new Set();
    this.jumped = true;
    this.closed = false;
    this.pump();
  }

  close() {
    this.closed = true;
    for (const { request } of this.going) request.abort();
    this.going.clear();
  }

  /** The play-head has come here. @param {number} frame */
  aim(frame) {
    const second = A_SECOND * this.size;
    const same = Math.floor(frame / second) === Math.floor(this.frame / second);
    this.frame = frame;
    if (!same) this.look();
  }

  /** The play-head shall go on from here. @param {number} frame */
  jump(frame) {
    this.frame = frame;
    this.jumped = true;
    this.look();
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
    const first = A_SECOND * (Math.floor(this.frame / this.size / A_SECOND) - BEHIND);
    const near = Array.from({ length: A_SECOND * (BEHIND + AHEAD + 1) }, (_, i) => first + i);
    this.forget(new Set([...near, ...this.wanted(), ...this.marked()]));
    this.pump();
  }

  /** The chunks that are played next, in that order: round the loop, if the play-head is before its end. */
  wanted() {
    const second = A_SECOND * this.size;
    const count = (AHEAD + 1) * second - (this.frame % second); // to the end of a second, so that runs are whole ones
    /** @type {Set<number>} */
    const found = new Set();
    for (const span of spans(this.frame, count, this.loop)) for (const index of this.chunksOf(span)) found.add(index);
    return [...found];
  }

  /** The chunks at the marks. */
  marked() {
    return this.marks.flatMap((frame) => this.chunksOf({ frame, count: AT_A_MARK * this.rate }));
  }

  /** @param {{ frame: number, count: number }} span */
  chunksOf({ frame, count }) {
    const end = this.frames ? Math.min(frame + count, this.frames) : frame + count;
    const first = Math.floor(frame / this.size);
    return Array.from({ length: Math.max(0, Math.ceil(end / this.size) - first) }, (_, i) => first + i);
  }

  /** @param {Set<number>} kept */
  forget(kept) {
    let evict = false;
    for (const index of this.held) if (!kept.has(index)) evict = this.held.delete(index);
    if (evict) this.to.evict([...kept]);
    for (const run of this.going) {
      if (indexes(run).some((index) => kept.has(index))) continue;
      run.request.abort();
      this.going.delete(run);
    }
  }

  pump() {
    while (!this.closed) {
      const run = this.next();
      if (!run) return;
      void this.bring(run);
    }
  }

  /** What is to be asked for now, if anything. @returns {Run | null} */
  next() {
    const going = [...this.going];
    const order = [...this.wanted(), ...this.marked()];
    const coming = new Set(going.flatMap(indexes));
    const lacks = (/** @type {number | undefined} */ index) =>
      index !== undefined && !this.held.has(index) && !coming.has(index);
    const place = order.findIndex(lacks);
    const packed = this.packed();
    const lead = packed ? LEAD_PACKED : LEAD;
    const leads = this.jumped && place >= 0 && place < lead;
    this.jumped = false;
    const first = order[place];
    const most = place < SOON * A_SECOND ? 2 : 1;
    if (first === undefined) return null;
    if (!leads && (going.length >= most || going.some((run) => run.leads))) return null;
    const longest = leads ? lead - place : A_SECOND - (first % A_SECOND);
    let count = 1;
    while (count < longest && order[place + count] === first + count && lacks(first + count)) count++;
    return { first, count, packed, leads, request: new AbortController() };
  }

  /** @param {Run} run */
  async bring(run) {
    const { signal } = run.request;
    this.going.add(run);
    try {
      const fetched = await this.fetch(run);
      if (signal.aborted) return;
      for (const index of indexes(run)) this.held.add(index);
      for (const one of fetched) this.to.chunks(one);
    } catch (error) {
      if (signal.aborted) return;
      this.close();
      this.to.failed(error instanceof Refused ? error.message : "The sound could not be fetched from the server.");
      return;
    } finally {
      this.going.delete(run);
    }
    this.pump();
  }

  /** @param {Run} run @returns {Promise<Fetched[]>} */
  async fetch(run) {
    const { first, count, packed, leads, request } = run;
    const url = `${this.path}?from=${first * this.size}&frames=${count * this.size}${packed ? "&as=flac" : ""}`;
    for (let attempt = 0; ; attempt++) {
      const { answer, data } = await (leads ? alone : timed)(url, request.signal).catch((error) => {
        if (request.signal.aborted) throw error;
        return { answer: null, data: null }; // no answer, or one that broke off
      });
      if (answer?.ok) return await this.read(answer, data, run);
      if (answer && answer.status < 500) throw new Refused(WORDS[answer.status] ?? `The server refused the sound (${answer.status}).`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
      request.signal.throwIfAborted();
    }
  }

  /** @param {Response} answer @param {ArrayBuffer} data @param {Run} run @returns {Promise<Fetched[]>} */
  async read(answer, data, { first, count }) {
    const numbers = (/** @type {string} */ name) => (answer.headers.get(name) ?? "").split(",").map(Number);
    const other = numbers("X-Sample-Rate").find((rate) => rate !== this.rate);
    if (other !== undefined) throw new Refused(`The sound has ${other} Hz where the page said ${this.rate} Hz.`);
    const frames = Math.max(...numbers("X-Frames"));
    if (frames > this.frames) {
      this.frames = frames;
      this.to.length(frames);
    }
    const packed = answer.headers.get("Content-Type") === "audio/flac";
    const channels = numbers("X-Channels");
    let at = 0;
    const parts = numbers("X-Bytes").map((bytes) => data.slice(at, (at += bytes)));
    return Promise.all(
      parts.map(async (part, source) => ({
        ...{ source, index: first, count, channels: channels[source] ?? 1 },
        data: packed && part.byteLength ? await this.to.unpack(part, this.rate) : part,
      })),
    );
  }
}

/** @param {Run} run */
const indexes = ({ first, count }) => Array.from({ length: count }, (_, i) => first + i);

/** The one address of files that lie side by side. @param {string[]} files ids, or paths of files that others lend */
function pathOf(files) {
  const paths = files.map((file) => (file.startsWith("/") ? file : `/audio/${file}`));
  const folder = (paths[0] ?? "").replace(/[^/]*$/, "");
  return `${folder}${paths.map((path) => path.slice(folder.length)).join(",")}/pcm`;
}

/** What leads is too short to time the link with. @param {string} url @param {AbortSignal} signal */
async function alone(url, signal) {
  const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]) });
  return { answer, data: await answer.arrayBuffer() };
}

/** Fetches, and lets the link be timed. @param {string} url @param {AbortSignal} signal */
async function timed(url, signal) {
  link.leave(performance.now());
  let bytes = 0;
  try {
    const fetched = await alone(url, signal);
    bytes = fetched.data.byteLength;
    return fetched;
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
