/** Writes down what comes in: left and right of every block, and whether anything was heard yet. */
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.left = [];
    this.right = [];
    this.port.onmessage = () => {
      this.port.postMessage({ left: this.left, right: this.right });
      this.left = [];
      this.right = [];
    };
  }

  process(inputs) {
    const [left, right] = inputs[0];
    if (left) {
      this.left.push(left.slice());
      this.right.push(right.slice());
    }
    return true;
  }
}
registerProcessor("recorder", Recorder);

/** Keeps the loudest sample and the number of blocks only: for minutes. */
class Watcher extends AudioWorkletProcessor {
  constructor() {
    super();
    this.loudest = 0;
    this.blocks = 0;
    this.port.onmessage = () => {
      this.port.postMessage({ loudest: this.loudest, blocks: this.blocks });
      this.loudest = this.blocks = 0;
    };
  }

  process(inputs) {
    for (const channel of inputs[0]) for (const sample of channel) this.loudest = Math.max(this.loudest, Math.abs(sample));
    if (inputs[0].length) this.blocks++;
    return true;
  }
}
registerProcessor("watcher", Watcher);

/** Holds the audio thread up, once. */
class Late extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.ms = processorOptions.ms;
  }

  process() {
    const end = Date.now() + this.ms;
    while (Date.now() < end);
    return false;
  }
}
registerProcessor("late", Late);
