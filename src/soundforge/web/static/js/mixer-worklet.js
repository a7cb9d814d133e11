/**
 * The mixer's processor: the engine at the browser's audio thread. `engine/engine.js` says which messages it knows. A set
 * is opened with a port, at which its chunks come: heeded only from then on, so that none finds the set unknown.
 */

import { Engine } from "./engine/engine.js";

class MixerProcessor extends AudioWorkletProcessor {
  /** @param {{ processorOptions: { stretch: WebAssembly.Module | null } }} options */
  constructor(options) {
    super();
    const { stretch } = options.processorOptions;
    this.engine = new Engine(sampleRate, stretch, (message) => this.port.postMessage(message));
    this.port.onmessage = ({ data }) => {
      this.engine.receive(data);
      if (data.port) data.port.onmessage = (/** @type {MessageEvent} */ event) => this.engine.receive(event.data);
    };
  }

  /** @override @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    const output = outputs[0];
    const left = output?.[0];
    if (left) this.engine.process(left, output[1] ?? left, currentTime);
    return true;
  }
}

registerProcessor("soundforge-mixer", MixerProcessor);
