/**
 * How a track is mixed: faders, pans, mutes, solos, muted regions, tempo, pitch, loop, click. One `Mix` a track, kept
 * while pages change; the mixer follows the one of the song that plays. `state` is what the server keeps
 * (`library/_mix_state.py` says its shape).
 *
 * Events: "change" {keys}: which of the fields were set; "strips" stands for all that belongs to single stems.
 */

/** @typedef {{ db: number, pan: number, muted: boolean, soloed: boolean, mutes: [number, number][] }} StripState mutes in s */
/** @typedef {{ start_s: number, end_s: number }} Region */
/**
 * @typedef {{ tempo: number, semitones: number, region: Region | null, looping: boolean, click: boolean,
 *   click_db: number, count_in: boolean }} Settings tempo 1: as recorded
 */

/** A fader at its lower end is shut. */
export const SILENT_DB = -36;

/** @type {Settings} */
const PLAIN = { tempo: 1, semitones: 0, region: null, looping: false, click: false, click_db: -6, count_in: false };

/** @returns {StripState} */
const flat = () => ({ db: 0, pan: 0, muted: false, soloed: false, mutes: [] });

export class Mix extends EventTarget {
  /** @type {Map<string, StripState>} */
  strips = new Map();
  /** @type {Settings} */
  settings = { ...PLAIN };
  /** The separation it was made with, if it says so. */
  stems_job = "";
  /** Whether anything was set, here or by a state that was loaded. */
  touched = false;

  /** @param {string} name */
  strip(name) {
    const held = this.strips.get(name) ?? flat();
    this.strips.set(name, held);
    return held;
  }

  /** @param {string} name @param {Partial<StripState>} change */
  setStrip(name, change) {
    Object.assign(this.strip(name), change, change.soloed ? { muted: false } : {});
    this.#told(["strips"]);
  }

  /** @param {Partial<Settings>} change */
  set(change) {
    Object.assign(this.settings, change);
    this.#told(Object.keys(change));
  }

  /** Whether a stem is heard among those that play, with mutes and solos as they are. @param {string} name @param {string[]} names */
  heard(name, names) {
    const { muted, soloed } = this.strip(name);
    return !muted && (soloed || !names.some((other) => this.strip(other).soloed));
  }

  /**
   * Linear gains of a stem: its fader, then its place between left and right. In the middle nothing is changed; towards
   * a side the other one fades. @param {string} name @param {string[]} names @param {number} gainDb what was put on it
   */
  gains(name, names, gainDb) {
    const { db, pan } = this.strip(name);
    const gain = !this.heard(name, names) || db <= SILENT_DB ? 0 : 10 ** ((db - gainDb) / 20);
    return { left: gain * Math.min(1, 1 - pan), right: gain * Math.min(1, 1 + pan) };
  }

  /** What the server keeps of it. */
  get state() {
    const strips = Object.fromEntries([...this.strips].filter(([name]) => name !== "mix"));
    return { version: 1, stems_job: this.stems_job || null, strips, ...this.settings };
  }

  /** @param {any} state as the server gave it */
  load({ strips = {}, stems_job = "", ...settings }) {
    this.strips.clear();
    for (const [name, strip] of Object.entries(strips)) this.strips.set(name, { ...flat(), ...strip });
    this.stems_job = stems_job ?? "";
    for (const key of /** @type {(keyof Settings)[]} */ (Object.keys(PLAIN))) {
      Object.assign(this.settings, { [key]: settings[key] ?? PLAIN[key] });
    }
    this.#told(["strips", ...Object.keys(PLAIN)]);
  }

  /** All as it was recorded. */
  reset() {
    this.load({});
  }

  /** @param {string[]} keys */
  #told(keys) {
    this.touched = true;
    this.dispatchEvent(new CustomEvent("change", { detail: { keys } }));
  }
}

/** @type {Map<string, Mix>} */
const mixes = new Map();

/** The mix of a track, as it was left on this page. @param {string} track */
export function mixOf(track) {
  const held = mixes.get(track) ?? new Mix();
  mixes.set(track, held);
  return held;
}
