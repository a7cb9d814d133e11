/**
 * How sound travels: as it is (PCM) where there is room, packed without loss (FLAC) where there is not.
 *
 * On this machine itself it goes as it is. Elsewhere it begins packed, and what comes is timed: sound goes as it is once
 * the link carries six times what that takes, and packed again below three times.
 */

const ENOUGH = 6;
const TOO_LITTLE = 3;
const WINDOW_MS = 400;
const LOCAL = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether a host is this machine itself. @param {string} host */
export const isLocal = (host) => LOCAL.test(host);

export class Link {
  /** Bits a second that the link was seen to carry; 0: not known yet. */
  speed = 0;
  packed = true;
  #going = 0;
  #since = 0;
  #bytes = 0;

  /** Whether the next chunks shall come packed. @param {number} needed bits a second that sound takes as it is */
  packs(needed) {
    if (this.speed > ENOUGH * needed) this.packed = false;
    if (this.speed < TOO_LITTLE * needed) this.packed = true;
    return this.packed;
  }

  /** A request leaves. @param {number} now ms */
  leave(now) {
    if (this.#going++ > 0) return;
    this.#since = now;
    this.#bytes = 0;
  }

  /** Its answer is here, or will not come. @param {number} bytes @param {number} now ms */
  arrive(bytes, now) {
    this.#going--;
    this.#bytes += bytes;
    const time = now - this.#since;
    if ((time < WINDOW_MS && this.#going > 0) || this.#bytes === 0 || time <= 0) return;
    const speed = (8000 * this.#bytes) / time;
    this.speed = this.speed ? 0.6 * this.speed + 0.4 * speed : speed;
    this.#since = now;
    this.#bytes = 0;
  }
}

export const link = new Link();
