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
