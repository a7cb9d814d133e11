/** The page's end of what fetches sound: `fetcher.js`, a worker that hands it to the worklet past the page's own thread. */

import { unpack } from "./unpack.js";

/** @typedef {import("./engine/playhead.js").Loop} Loop */

/** @type {Worker | null} */
let fetcher = null;
/** @type {Map<number, Feed>} those that are open */
const feeds = new Map();
let last = 0;

/** The worker: started once, and anew after it broke. */
export function startFetcher() {
  if (fetcher) return fetcher;
  const worker = new Worker(new URL("./fetcher.js", import.meta.url), { name: "fetcher", type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.type === "unpack") void unpackFor(data);
    else feeds.get(data.id)?.hear(data);
  };
  worker.onerror = () => {
    worker.terminate();
    fetcher = null;
    for (const feed of [...feeds.values()]) feed.fail("The mixer stopped; reload the page.");
  };
  return (fetcher = worker);
}

/** @param {{ data: ArrayBuffer, rate: number, port: MessagePort }} asked */
async function unpackFor({ data, rate, port }) {
  try {
    const samples = await unpack(data, rate);
    port.postMessage({ samples }, [samples]);
  } catch (error) {
    port.postMessage({ error: String(error) });
  }
}

/** What fetches the sound of one set of sources; its methods are those of `Chunks`. */
export class Feed {
  id = ++last;
  closed = false;

  /**
   * @param {import("./chunks.js").Wanted} set
   * @param {MessagePort} port the worklet has the other one, which it heeds from when it knows of the set: none comes early
   * @param {{ length: (frames: number) => void, failed: (sentence: string) => void }} to
   */
  constructor(set, port, to) {
    this.to = to;
    feeds.set(this.id, this);
    startFetcher().postMessage({ type: "open", id: this.id, set, port }, [port]);
  }

  /** @param {number} frame */
  jump(frame) {
    this.#tell({ type: "jump", frame });
  }

  /** @param {number} frame */
  aim(frame) {
    this.#tell({ type: "aim", frame });
  }

  /** @param {Loop | null} loop */
  turn(loop) {
    this.#tell({ type: "turn", loop });
  }

  /** @param {number[]} marks */
  keep(marks) {
    this.#tell({ type: "keep", marks });
  }

  close() {
    this.#tell({ type: "close" });
    this.closed = true;
    feeds.delete(this.id);
  }

  /** @param {{ type: string, frames: number, sentence: string }} message */
  hear({ type, frames, sentence }) {
    if (type === "length") this.to.length(frames);
    else this.fail(sentence);
  }

  /** @param {string} sentence */
  fail(sentence) {
    this.close();
    this.to.failed(sentence);
  }

  /** @param {object} message */
  #tell(message) {
    fetcher?.postMessage({ id: this.id, ...message });
  }
}
