/**
 * A worker that fetches the mixer's sound and hands it straight to the worklet, each set through a port of its own: the
 * page's thread draws meanwhile, and would hand it on later. `feed.js` is the page's end.
 *
 * In:  open {set, port} · jump {frame} · aim {frame} · turn {loop} · keep {marks} · close    all with the id of a set
 * Out: length {frames} · failed {sentence} with the id · unpack {data, rate, port}: the samples are awaited at the port
 */

import { Chunks } from "./chunks.js";

/** @type {Map<number, { chunks: Chunks, port: MessagePort }>} */
const sets = new Map();

self.onmessage = ({ data }) => {
  const set = sets.get(data.id);
  switch (data.type) {
    case "open":
      return void sets.set(data.id, { chunks: begin(data.id, data.set, data.port), port: data.port });
    case "jump":
      return set?.chunks.jump(data.frame);
    case "aim":
      return set?.chunks.aim(data.frame);
    case "turn":
      return set?.chunks.turn(data.loop);
    case "keep":
      return set?.chunks.keep(data.marks);
    case "close":
      set?.chunks.close();
      set?.port.close();
      sets.delete(data.id);
  }
};

/** @param {number} id @param {import("./chunks.js").Wanted} wanted @param {MessagePort} port to the worklet */
const begin = (id, wanted, port) =>
  new Chunks(wanted, {
    chunks: (fetched) => port.postMessage({ type: "chunks", set: id, ...fetched }, [fetched.data]),
    evict: (keep) => port.postMessage({ type: "evict", set: id, keep }),
    length: (frames) => self.postMessage({ type: "length", id, frames }),
    failed: (sentence) => self.postMessage({ type: "failed", id, sentence }),
    unpack,
  });

/** What only the page can do. @param {ArrayBuffer} data @param {number} rate Hz @returns {Promise<ArrayBuffer>} */
function unpack(data, rate) {
  const { port1, port2 } = new MessageChannel();
  self.postMessage({ type: "unpack", data, rate, port: port2 }, { transfer: [data, port2] });
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) => {
      port1.close();
      if (data.samples) resolve(data.samples);
      else reject(new Error(data.error));
    };
  });
}
