/**
 * A worker that compiles the stretcher. It alone may compile WebAssembly: its own answer carries the policy that allows
 * it (`web/_security_headers.py`), so that no page needs to.
 */

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ module: await WebAssembly.compile(await (await fetch(data.url)).arrayBuffer()) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
