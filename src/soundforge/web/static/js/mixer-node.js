/** The mixer's place in the browser: an audio context, the worklet, and the stretcher compiled for it. */

const STRETCH = new URL("../vendor/signalsmith-stretch-1.3.2/stretch.wasm", import.meta.url).href;
const PATIENCE_MS = 15_000;

/** @type {Promise<WebAssembly.Module | null> | null} */
let compiling = null;

/** The stretcher, compiled once; null where the browser does not compile it: then tempo and pitch stay as they are. */
export function compileStretch() {
  compiling ??= new Promise((resolve) => {
    const worker = new Worker(new URL("./stretch-compiler.js", import.meta.url), { name: "stretch-compiler" });
    const finish = (/** @type {WebAssembly.Module | null} */ module, /** @type {unknown} */ why = "") => {
      if (!module) console.warn(`Tempo and pitch are not to be had: ${why}`);
      worker.terminate();
      resolve(module);
    };
    worker.onmessage = ({ data }) => finish(data.module ?? null, data.error);
    worker.onerror = (event) => finish(null, event.message);
    setTimeout(() => finish(null, "the compiler did not answer"), PATIENCE_MS);
    worker.postMessage({ url: STRETCH });
  });
  return compiling;
}

/**
 * @param {number} rate of the files, Hz; the browser resamples once, at the end
 * @param {number} gain @param {(report: any) => void} heard @param {() => void} broke
 */
export function openNode(rate, gain, heard, broke) {
  // Sound for a few hundredths of a second lies ready: whole machines stand still for 30 ms, and nobody plays along.
  const context = new AudioContext({ sampleRate: rate, latencyHint: "playback" });
  const master = new GainNode(context, { gain });
  master.connect(context.destination);
  return { context, master, node: connect(context, master, heard, broke) };
}

/** @param {AudioContext} context @param {GainNode} master @param {(report: any) => void} heard @param {() => void} broke */
async function connect(context, master, heard, broke) {
  const [stretch] = await Promise.all([
    compileStretch(),
    context.audioWorklet.addModule(new URL("./mixer-worklet.js", import.meta.url).href),
  ]);
  const node = new AudioWorkletNode(context, "soundforge-mixer", {
    numberOfInputs: 0,
    outputChannelCount: [2],
    processorOptions: { stretch },
  });
  node.port.onmessage = (event) => heard(event.data);
  node.onprocessorerror = broke;
  node.connect(master);
  return node;
}
