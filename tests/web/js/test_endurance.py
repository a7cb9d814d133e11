"""A minute of four stems while the machine is busy: nothing is missing, and no stem has left the others."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page

from tests.web.js.conftest import Studio, evaluate
from tests.web.js.server import RATE

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.browser,
    pytest.mark.timeout(240),
]

_log = logging.getLogger(__name__)
WATCH = """
  await mixer.context.audioWorklet.addModule("/recorder.js");
  const watcher = new AudioWorkletNode(mixer.context, "watcher", { numberOfOutputs: 0, channelCount: 2 });
  const node = await mixer.node;
  node.connect(watcher);
  for (const source of [1, 3]) node.port.postMessage({ type: "gain", set: mixer.set, source, left: -1, right: -1 });
  await until(() => mixer.playing && !mixer.held);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const dump = () => new Promise((resolve) => {
    watcher.port.onmessage = ({ data }) => resolve(data);
    watcher.port.postMessage("dump");
  });
"""


async def listen(page: Page, seconds: float, tempo: float = 1) -> dict[str, Any]:
    """Loop four copies of one sound, two of them inverted, and count what goes wrong.

    stalls: holds for want of chunks; underruns: blocks that the audio thread delivered late, as the browser counts
    them; missed_s: how far the sound's clock fell behind; loudest: what the copies do not cancel.
    """
    heard: dict[str, Any] = await evaluate(
        page,
        f"""
        const {{ Mix }} = await import("/static/v1/js/mix.js");
        const mix = new Mix();
        mix.set({{ region: {{ start_s: 1, end_s: 90 }}, looping: true, tempo: {tempo} }});
        const copies = ["a", "b", "c", "d"].map((name) => ({{ name, file: `mix-${{name}}` }}));
        await mixer.open(copies, {{ rate: {RATE}, frames: 0, mix }});
        {WATCH}
        await dump();
        const {{ context }} = mixer;
        const stats = () => context.playbackStats?.underrunEvents ?? 0;
        const [stalls, underruns, clock, wall] = [mixer.stalls, stats(), context.currentTime, performance.now()];
        await new Promise((resolve) => setTimeout(resolve, {1000 * seconds}));
        const told = await dump();
        return {{
          ...told,
          stalls: mixer.stalls - stalls,
          underruns: stats() - underruns,
          missed_s: (performance.now() - wall) / 1000 - (context.currentTime - clock),
        }};
        """,
    )
    _log.info("%.0f s at tempo %s: %s", seconds, tempo, heard)
    return heard


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


async def test_a_minute_under_load_has_no_gap_and_the_stems_stay_together(studio: Studio) -> None:
    page = await studio.open()
    async with busy():
        heard = await listen(page, 60)
    assert heard["stalls"] == 0
    assert heard["loudest"] == 0
    assert heard["blocks"] * 128 / RATE == pytest.approx(60, abs=2)
