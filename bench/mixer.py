"""Measure the mixer in Debian's Chromium: first sound, seeks, gaps, stems that stay together (`make bench-mixer`).

    python -m bench.mixer [--minutes 10]

Four stems of 96 s from the tests' sample server, PCM and packed; times are of this machine, its load is printed. The
long run loops at the recorded tempo and at 80 %, with one core kept busy.
"""

import argparse
import asyncio
import logging
import os
import socket
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from playwright.async_api import Page, async_playwright

from tests.web.js.conftest import CHROMIUM, FLAGS, READY, Server, evaluate, until
from tests.web.js.server import RATE, create_app
from tests.web.js.test_endurance import busy, listen

SEEKS = """
  const { link } = await import("/static/v1/js/link.js");
  link.local = argument;
  const names = ["vocals", "drums", "bass", "other"];
  await mixer.open(names.map((name) => ({ name, file: name })), { rate: %d, frames: 0 });
  await until(() => mixer.playing && !mixer.held && mixer.position > 0.2);
  const waits = [];
  const node = await mixer.node;
  for (let i = 0; i < 20; i++) {
    const to = (i * 37.3) %% 90;
    const began = performance.now();
    const sounds = new Promise((resolve) => node.port.addEventListener("message", function heard({ data }) {
      if (!data.sounds || Math.abs(data.frame / mixer.rate - to) > 0.5) return;
      node.port.removeEventListener("message", heard);
      resolve();
    }));
    await mixer.seek(to);
    await sounds;
    waits.push(performance.now() - began);
  }
  return waits;
"""
FIRST = """
  const node = mixer.node && (await mixer.node);
  const began = performance.now();
  document.querySelector(".stage [data-play]").click();
  await until(() => mixer.playing && !mixer.held && mixer.sources.length === 4);
  return performance.now() - began;
"""


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Page, str]]:
    """The sample page in a browser."""
    app = create_app()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
        running = asyncio.create_task(serving.serve(sockets=[listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await browser.new_page()
            await page.goto(url)
            yield page, url
            await browser.close()
        app.state.stopping.set()
        serving.should_exit = True
        await running


def told(name: str, waits: list[float]) -> None:
    """One line of the table."""
    high = sorted(waits)[round(0.95 * (len(waits) - 1))]
    print(f"{name:32} median {statistics.median(waits):5.0f} ms   p95 {high:5.0f} ms   of {len(waits)}")


async def main(minutes: float) -> None:
    """Measure and print."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    async with opened() as (page, url):
        first = []
        for _ in range(5):
            await page.goto(url)
            await until(page, READY)
            await asyncio.sleep(1)  # as long as nobody needs to find the button
            first.append(await evaluate(page, FIRST))
        told("first sound, four stems", first)
        told("seek to sound, PCM", await evaluate(page, SEEKS % RATE, argument=True))
        told("seek to sound, packed", await evaluate(page, SEEKS % RATE, argument=False))
        async with busy():
            for tempo in (1, 0.8):
                await page.goto(url)
                await until(page, READY)
                heard = await listen(page, 60 * minutes, tempo)
                print(f"{minutes:g} min at tempo {tempo}, one core busy: {heard}")
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    asyncio.run(main(parser.parse_args().minutes))
