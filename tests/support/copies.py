"""Four copies of one sound in the mixer, two of them inverted: what is left of them is a stem that left the others."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page

from tests.support.browser import evaluate

WATCHER = Path(__file__).resolve().parents[1] / "web" / "js" / "recorder.js"
_OPEN = """
  const { Mix } = await import(app.replace("app.js", "mix.js"));
  const mix = new Mix();
  mix.set({ region: { start_s: 1, end_s: argument.loop_end_s }, looping: true, tempo: argument.tempo });
  const copies = [1, 2, 3, 4].map((number) => ({ name: `copy-${number}`, file: argument.file }));
  await mixer.open(copies, { rate: argument.rate, frames: 0, mix });
  await mixer.context.audioWorklet.addModule(argument.recorder);
  const watcher = new AudioWorkletNode(mixer.context, "watcher", { numberOfOutputs: 0, channelCount: 2 });
  const node = await mixer.node;
  node.connect(watcher);
  // Copies cancel: what is silent for half a minute Chromium takes from the device, and then no block is late any more.
  const hum = new ConstantSourceNode(mixer.context, { offset: 1e-4 });
  hum.connect(mixer.context.destination);
  hum.start();
  window.later = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  window.heard = () => new Promise((resolve) => {
    watcher.port.onmessage = ({ data }) => resolve(data);
    watcher.port.postMessage("dump");
  });
  while (!mixer.playing || mixer.held || mixer.position < 1.5) await later(0.01);
  const { loudest } = await heard();
  for (const source of [1, 3]) node.port.postMessage({ type: "gain", set: mixer.set, source, left: -1, right: -1 });
  await later(0.6); // gains glide there
  await heard();
  return loudest;
"""
_LISTEN = """
  const { context } = mixer;
  const late = () => context.playbackStats.underrunEvents;
  const [stalls, underruns, clock, wall] = [mixer.stalls, late(), context.currentTime, performance.now()];
  if (argument.tempo) mixer.mix.set({ tempo: argument.tempo });
  for (const seconds of argument.seeks) {
    await mixer.seek(seconds);
    while (mixer.held || mixer.position < seconds + 0.02) await later(0.005);
  }
  await later(argument.seconds);
  const { loudest, blocks } = await heard();
  return {
    loudest, blocks, stalls: mixer.stalls - stalls, underruns: late() - underruns,
    missed_s: (performance.now() - wall) / 1000 - (context.currentTime - clock),
  };
"""


@dataclass(frozen=True)
class Heard:
    """What went wrong while somebody listened."""

    loudest: float  # what the copies do not cancel, 0 to 4
    blocks: int  # of 128 samples that came out
    stalls: int  # holds for want of sound
    underruns: int  # blocks that came late, as the browser counts them
    missed_s: float  # how far the sound's clock fell behind the wall's


async def open_copies(page: Page, file: str, *, rate: int, recorder: str, tempo: float = 1, loop_end_s: float) -> float:
    """Loop copies of a file, from one second on, and invert two; gives how loud all four were before that."""
    given = {"file": file, "rate": rate, "recorder": recorder, "tempo": tempo, "loop_end_s": loop_end_s}
    return float(await evaluate(page, _OPEN, given))


async def listen(page: Page, seconds: float, *, tempo: float | None = None, seeks: tuple[float, ...] = ()) -> Heard:
    """Listen to the copies: after the seeks, for so long."""
    return Heard(**await evaluate(page, _LISTEN, {"seconds": seconds, "tempo": tempo, "seeks": seeks}))


@asynccontextmanager
async def busy() -> AsyncIterator[None]:
    """Keep one core busy, politely."""
    spin = "import os\nos.nice(10)\nwhile True: pass"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", spin)
    try:
        yield
    finally:
        process.kill()
        await process.wait()
