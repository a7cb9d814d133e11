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

export class Link {
  /** Bits a second that the link was seen to carry; 0: not known yet. */
  speed = 0;
  packed = true;
  #going = 0;
  #since = 0;
  #bytes = 0;

  /** @param {string} host */
  constructor(host) {
    this.local = LOCAL.test(host);
  }

  /** Whether the next chunks shall come packed. @param {number} needed bits a second that sound takes as it is */
  packs(needed) {
    if (this.local) return false;
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

export const link = new Link(location.hostname);

/** @type {Map<number, OfflineAudioContext>} one for each sample rate: what decodes there is not resampled */
const decoders = new Map();

/**
 * The samples of a FLAC file of 16 bits, interleaved, as they went in.
 * @param {ArrayBuffer} data @param {number} rate Hz
 */
export async function unpack(data, rate) {
  const decoder = decoders.get(rate) ?? new OfflineAudioContext(1, 1, rate);
  decoders.set(rate, decoder);
  const sound = await decoder.decodeAudioData(data);
  const channels = sound.numberOfChannels;
  const samples = new Int16Array(sound.length * channels);
  for (let channel = 0; channel < channels; channel++) {
    const from = sound.getChannelData(channel);
    const above = scale(from);
    for (let i = 0; i < from.length; i++) {
      const sample = /** @type {number} */ (from[i]);
      samples[i * channels + channel] = Math.round(sample * (sample > 0 ? above : 32768));
    }
  }
  return samples.buffer;
}

/**
 * What a browser divided positive samples by: 32767 in Chromium, 32768 elsewhere. Only one of the two brings them back
 * to whole numbers; where they are too soft to tell, both round to the same.
 * @param {Float32Array} sound
 */
function scale(sound) {
  let [one, other] = [0, 0];
  for (const sample of sound) {
    if (sample <= 0) continue;
    one += Math.abs(sample * 32767 - Math.round(sample * 32767));
    other += Math.abs(sample * 32768 - Math.round(sample * 32768));
  }
  return one < other ? 32767 : 32768;
}
