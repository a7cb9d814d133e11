/** Packed sound, unpacked on the page's own thread: browsers decode nowhere else. */

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
