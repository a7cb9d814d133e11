/**
 * The cue points of a track, as this page knows them: what `<sf-cues>` reads off the server's panel, and what was just
 * done and is on its way there. Timelines draw them.
 *
 * Events: "change".
 */

/** @typedef {{ id: string, slot: number | null, t_s: number, name: string, colour: string }} Cue slot null: a memory cue */

/** The colours of the pads, 1 to 8. */
export const COLOURS = ["green", "aqua", "blue", "purple", "pink", "red", "orange", "yellow"];
const MEMORY_COLOUR = "yellow";

export class Cues extends EventTarget {
  /** @type {Cue[]} in the order of time */
  list = [];

  /** @param {number} slot */
  hot(slot) {
    return this.list.find((cue) => cue.slot === slot) ?? null;
  }

  /** @param {string} id */
  find(id) {
    return this.list.find((cue) => cue.id === id) ?? null;
  }

  /** @param {Cue[]} list */
  read(list) {
    this.list = list.sort((a, b) => a.t_s - b.t_s);
    this.dispatchEvent(new Event("change"));
  }

  /** Adds a cue, or changes the one of this id. @param {Partial<Cue> & { id: string }} cue */
  put(cue) {
    const slot = cue.slot ?? null;
    const colour = slot === null ? MEMORY_COLOUR : (COLOURS[slot - 1] ?? MEMORY_COLOUR);
    const held = this.find(cue.id) ?? { id: cue.id, slot, t_s: 0, name: "", colour };
    this.read([...this.list.filter(({ id }) => id !== cue.id), { ...held, ...cue }]);
  }

  /** @param {string} id */
  drop(id) {
    this.read(this.list.filter((cue) => cue.id !== id));
  }
}

/** @type {Map<string, Cues>} */
const all = new Map();

/** @param {string} track */
export function cuesOf(track) {
  const held = all.get(track) ?? new Cues();
  all.set(track, held);
  return held;
}
