/** Where a position goes next: straight on, or from a loop's end to its start; and the chunks that positions lie in. */

export const A_SECOND = 10; // chunks

/** Frames of a chunk. @param {number} rate Hz */
export const chunkFrames = (rate) => Math.ceil(rate / A_SECOND);

/** @typedef {{ start: number, end: number }} Loop in frames; `end` is the first frame that is not played */
/** @typedef {{ frame: number, count: number, at: number }} Span `count` frames from `frame` on, at index `at` of a block */

/**
 * A position further on. A position before the loop's end stays before it; one beyond it goes its way.
 * @param {number} frame @param {number} count @param {Loop | null} loop
 */
export function ahead(frame, count, loop) {
  const then = frame + count;
  if (!loop || frame >= loop.end || then < loop.end) return then;
  return loop.start + ((then - loop.end) % (loop.end - loop.start));
}

/**
 * The runs that `count` frames from `frame` on are made of.
 * @param {number} frame @param {number} count @param {Loop | null} loop @returns {Span[]}
 */
export function spans(frame, count, loop) {
  if (!loop || frame >= loop.end || frame + count <= loop.end) return [{ frame, count, at: 0 }];
  const found = [{ frame, count: loop.end - frame, at: 0 }];
  for (let at = loop.end - frame; at < count; at += loop.end - loop.start) {
    found.push({ frame: loop.start, count: Math.min(loop.end - loop.start, count - at), at });
  }
  return found;
}
