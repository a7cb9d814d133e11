"""Measure the mixer in Debian's Chromium: first sound, seeks, gaps, stems that stay together (`make bench-mixer`).

    python -m bench.mixer [--rounds 10] [--minutes 10] [--tempos 1,0.8,1.25]

A real studio in a process of its own with PostgreSQL and a song of four minutes in four stems of 24 bits, as it comes
over the wire from this machine: plain, and packed as for far listeners. A sound counts when the audio thread renders
it; what the device adds is told beside. The long run loops four copies of a stem, two of them inverted, with one core
kept busy, and shares its minutes among the tempos. Times are of this machine; its load is printed.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from playwright.async_api import Browser, Page, async_playwright

from bench.mixer_song import SECONDS, add_stems_song
from soundforge import accounts
from soundforge.db import open_database, transaction
from tests.support.accounts import set_password
from tests.support.browser import FLAGS, Studio, evaluate, run_studio
from tests.support.copies import WATCHER, Heard, busy, listen, open_copies
from tests.support.db import run_test_server
from tests.support.require import chromium
from tests.web.js.server import RATE

FIRST_SOUND_MS = 250
SEEK_MS = 50
BEHIND_S = 0.1
SEEKS, SEEK_ROUNDS = 20, 2
SOUNDS = """
  const sounds = async (holds) => {
    const node = await mixer.node;
    await new Promise((resolve) => node.port.addEventListener("message", function heard({ data }) {
      if (!data.sounds || !holds({ at: data.frame / mixer.rate, data })) return;
      node.port.removeEventListener("message", heard);
      resolve();
    }));
    return performance.now();
  };
"""
FIRST = f"""
  {SOUNDS}
  const began = performance.now();
  document.querySelector("#stage [data-play]").click();
  const waited = await sounds(() => mixer.sources.length === 4) - began;
  const {{ baseLatency, outputLatency }} = mixer.context;
  return {{ waited, device: 1000 * Math.max(baseLatency, outputLatency) }};
"""
# Tells when, by the clock on the wall, the audio thread rendered each moment of its own clock.
EAR = """
  registerProcessor("ear", class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.log = [];
      this.port.onmessage = () => { this.port.postMessage(this.log); this.log = []; };
    }
    process() { this.log.push([currentTime, Date.now()]); return true; }
  });
"""
JUMPS = f"""
  {SOUNDS}
  const node = await mixer.node;
  await mixer.context.audioWorklet.addModule(argument.ear);
  const ear = new AudioWorkletNode(mixer.context, "ear", {{ numberOfOutputs: 0 }});
  node.connect(ear);
  const dates = () => new Promise((resolve) => {{
    ear.port.onmessage = ({{ data }}) => resolve(data);
    ear.port.postMessage("dates");
  }});
  const waits = {{ page: [], rendered: [] }};
  for (const to of argument.to) {{
    await dates();
    const began = performance.now(), date = Date.now();
    let time = 0;
    const heard = sounds(({{ at, data }}) => Math.abs(at - to) < 0.5 && (time = data.time));
    await mixer.seek(to);
    waits.page.push(await heard - began);
    const away = ([at]) => Math.abs(at - time);
    const [, rendered] = (await dates()).reduce((one, other) => (away(other) < away(one) ? other : one));
    waits.rendered.push(rendered - date);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }}
  return waits;
"""
FAR = "mixer.local = false;"


@dataclass
class Bench:
    """What is measured with, and what was found: name → (figures, limit)."""

    studio: Studio
    browser: Browser
    cookie: str
    track: UUID
    stem: UUID
    found: dict[str, tuple[list[float], float | None]] = field(default_factory=dict)

    def note(self, name: str, values: list[float], limit: float | None = None) -> None:
        """Keep figures, and what none of them shall pass."""
        self.found.setdefault(name, ([], limit))[0].extend(values)


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Bench]:
    """A studio with the song, and a browser."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_database(dsn):
            async with transaction() as session:
                owner = await accounts.ensure_owner(session)
                await set_password(session, owner, "a long enough password")
            track, stem = await add_stems_song(owner.id, Path(folder) / "storage")
            async with transaction() as session:
                cookie = await accounts.start_session(session, owner.id, agent="bench")
        async with run_studio(dsn, Path(folder), queues="none") as studio, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            yield Bench(studio, browser, cookie, track, stem)
            await browser.close()


@asynccontextmanager
async def stage(bench: Bench) -> AsyncIterator[Page]:
    """The song's page in a browser that never saw it."""
    context = await bench.browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    await context.add_cookies([{"name": "sfa_session", "value": bench.cookie, "url": bench.studio.url}])
    page = await context.new_page()
    await page.goto(f"{bench.studio.url}tracks/{bench.track}")
    await page.wait_for_selector("#stage[data-view=track] .strip >> nth=3")
    await asyncio.sleep(1)  # as long as anybody needs to find the button
    yield page
    await context.close()


async def measure_waits(bench: Bench, rounds: int) -> None:
    """From a click to the first sound, and from a click to the sound somewhere else, far from what was fetched."""
    for number in range(rounds):
        for form in ("plain", "packed"):
            async with stage(bench) as page:
                near = form == "plain" or None  # the limits are for this machine's own browser
                if not near:
                    await evaluate(page, FAR)
                first = await evaluate(page, FIRST)
                bench.note(f"first sound, {form}, ms", [first["waited"]], near and FIRST_SOUND_MS)
                bench.note("the device adds, ms", [first["device"]])
                if number < SEEK_ROUNDS:
                    to = [(number * 7 + 87.3 * jump) % (SECONDS - 10) for jump in range(1, SEEKS + 1)]
                    ear = f"data:text/javascript,{quote(EAR)}"
                    waits = await evaluate(page, JUMPS, {"to": to, "ear": ear})
                    bench.note(f"seek to sound, {form}, ms", waits["rendered"], near and SEEK_MS)
                    bench.note(f"  until the page hears of it, {form}, ms", waits["page"])


async def measure_minutes(bench: Bench, minutes: float, tempos: list[float]) -> None:
    """Offsets at the start, after twenty seeks and to the end; stalls and underruns while one core is busy."""
    async with stage(bench) as page, busy():
        recorder = f"data:text/javascript,{quote(WATCHER.read_text('utf-8'))}"
        loud = await open_copies(page, str(bench.stem), rate=RATE, recorder=recorder, loop_end_s=SECONDS - 5)
        print(f"four copies before two were inverted: {loud:.2f} of full scale")
        note(bench, "at the start", await listen(page, 2))
        jumps = tuple((87.3 * jump) % (SECONDS - 10) for jump in range(1, SEEKS + 1))
        note(bench, "through 20 seeks", await listen(page, 1, seeks=jumps), gapless=False)
        for tempo in tempos:
            share = minutes / len(tempos)
            heard = await listen(page, 60 * share, tempo=tempo)
            note(bench, f"{share:g} min at tempo {tempo:g}, one core busy", heard)
            print(f"  {share:g} min at {tempo:g}: {heard}, load {os.getloadavg()[0]:.1f}", flush=True)


def note(bench: Bench, when: str, heard: Heard, *, gapless: bool = True) -> None:
    """Keep what was heard. A seek is a hold by itself, so stalls count between seeks alone."""
    bench.note(f"{when}: what copies do not cancel", [heard.loudest], 0)
    bench.note(f"{when}: underruns", [float(heard.underruns)], 0)
    if gapless:
        bench.note(f"{when}: stalls", [float(heard.stalls)], 0)
        bench.note(f"{when}: clock behind, s", [heard.missed_s], BEHIND_S)


def report(bench: Bench) -> None:
    """Print every figure: the median, the 95th of a hundred, the worst, and the limit."""
    print(f"\n{'':68}{'of':>4}{'median':>9}{'p95':>9}{'worst':>9}{'limit':>8}")
    for name, (values, limit) in bench.found.items():
        high = sorted(values)[round(0.95 * (len(values) - 1))]
        mark = "" if limit is None or high <= limit else "  over"
        told = f"{limit:8g}" if limit is not None else f"{'':8}"
        middle = statistics.median(values)
        print(f"{name:68}{len(values):4}{middle:9.1f}{high:9.1f}{max(values):9.1f}{told}{mark}")


async def main(dsn: str, rounds: int, minutes: float, tempos: list[float]) -> None:
    """Measure and print."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    async with opened(dsn) as bench:
        if rounds:
            await measure_waits(bench, rounds)
            print(f"load average {os.getloadavg()[0]:.1f} after the waits", flush=True)
        if minutes:
            await measure_minutes(bench, minutes, tempos)
        report(bench)
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--tempos", default="1,0.8,1.25")
    arguments = parser.parse_args()
    at = [float(tempo) for tempo in arguments.tempos.split(",")]
    with run_test_server() as server:
        asyncio.run(main(server.create_database(), arguments.rounds, arguments.minutes, at))
