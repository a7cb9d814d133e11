"""The studio as its users meet it: server, workers and engines in a process of their own, and Debian's Chromium."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.support.leaks import keep_process

FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
PASSWORD = "correct horse battery"
_ROOT = Path(__file__).resolve().parents[2]
_READY = re.compile(rb"is ready: (\S+)")
_MODULES = """
  const app = document.querySelector('script[src$="app.js"]').src;
  const { mixer, events, now } = await import(app.replace("app.js", "player.js"));
"""
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
window.heard = [];
window.pings = 0;
const fetched = window.fetch;
window.fetch = async (...args) => {
  const answer = await fetched(...args);
  if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) return answer;
  const [page, ours] = answer.body.tee();
  (async () => {
    let text = "";
    for await (const bytes of ours.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      const messages = text.split("\\n\\n");
      text = messages.pop();
      window.heard.push(...messages.filter((message) => message !== "event: ping"));
      window.pings += messages.filter((message) => message === "event: ping").length;
    }
  })().catch(() => null);
  return new Response(page, { status: answer.status, headers: answer.headers });
};
"""


@dataclass
class Studio:
    """A running `soundforge serve`; it may be stopped and started again on the same port."""

    dsn: str
    data: Path
    queues: str = ""
    url: str = ""
    link: str = ""
    process: asyncio.subprocess.Process | None = None
    log: list[str] = field(default_factory=list)
    _reading: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Start it and wait until it says where it is."""
        env = {**os.environ, "SOUNDFORGE_DATA": str(self.data), "SOUNDFORGE_DATABASE_URL": self.dsn}
        env |= {"PYTHONPATH": str(_ROOT / "src"), "SOUNDFORGE_PORT": self.url.rpartition(":")[2].strip("/") or "0"}
        if self.queues:
            env["SOUNDFORGE_QUEUES"] = self.queues
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "soundforge", "serve"]
        self.process = await asyncio.create_subprocess_exec(
            *command, cwd=_ROOT, env=env, stdout=pipe, stderr=pipe, start_new_session=True
        )
        self._reading = [asyncio.create_task(self._note(self.process))]
        async with asyncio.timeout(60):
            self.link = await self._address(self.process)
        self.url = re.sub(r"(?<=\d)/.*", "/", self.link)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, by default in order."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.send_signal(number)
        await asyncio.wait_for(self.process.wait(), 30)
        await asyncio.gather(*self._reading)
        self.process = None

    async def _address(self, process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if found := _READY.search(line):
                return found[1].decode()
        raise AssertionError("the studio ended before it was ready:\n" + "\n".join(self.log[-20:]))

    async def _note(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self.log.append(line.decode(errors="replace").rstrip())


@asynccontextmanager
async def run_studio(dsn: str, data: Path, *, queues: str = "", kept: bool = False) -> AsyncIterator[Studio]:
    """Serve a studio until the block ends; ``kept``: it belongs to the whole session."""
    studio = Studio(dsn, data, queues)
    await studio.start()
    if kept and studio.process:
        keep_process(studio.process.pid)
    try:
        yield studio
    finally:
        await studio.stop()


@dataclass
class Visit:
    """A browser of its own in the studio: pages, what went wrong on them, and what they asked for."""

    studio: Studio
    context: BrowserContext
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def open(self, path: str = "") -> Page:
        """Open a page in a new tab and wait until it hears the server."""
        page = await self.context.new_page()
        page.on("console", self._noted)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._asked)
        await page.goto(self.studio.url + path)
        return page

    async def live(self, path: str = "") -> Page:
        """Open a page that has a feed, and wait until it hears the server."""
        page = await self.open(path)
        await page.wait_for_selector("#link[data-state='live']")
        return page

    def _noted(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in self.expected):
            self.faults.append(f"{message.text} {message.location.get('url', '')}")

    def _asked(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url.removeprefix(self.studio.url)}")


@asynccontextmanager
async def visit(browser: Browser, studio: Studio, cookie: str = "", **options: Any) -> AsyncIterator[Visit]:
    """Give a browser context; at its end no script error and no breach of the policy may have happened."""
    context = await browser.new_context(
        **{"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", "accept_downloads": True, **options}
    )
    await context.add_init_script(_WATCH)
    if cookie:
        await context.add_cookies([{"name": "sfa_session", "value": cookie, "url": studio.url}])
    made = Visit(studio, context)
    try:
        yield made
    finally:
        await context.close()
    assert made.faults == [], made.faults


async def until(page: Page, expression: str, *, within_s: float = 10) -> Any:
    """Wait for an expression to be true, and give it. Playwright's own waiting compiles text: our policy forbids it."""
    return await evaluate(
        page,
        f"""
        const end = performance.now() + {1000 * within_s};
        for (;;) {{
          const found = {expression};
          if (found) return found;
          if (performance.now() > end) throw new Error("not within {within_s} s: " + {expression!r});
          await new Promise((resolve) => setTimeout(resolve, 20));
        }}""",
    )


async def evaluate(page: Page, body: str, argument: Any = None) -> Any:
    """Run a function body in the page with the player's `mixer`, `events` and `now` at hand."""
    return await page.evaluate(f"async (argument) => {{ {_MODULES} {body} }}", argument)


async def settled(condition: Any, *, within_s: float = 10) -> Any:
    """Wait until an async condition gives something true, and give it."""
    end = time.monotonic() + within_s
    while not (found := await condition()):
        assert time.monotonic() < end, f"not within {within_s} s"
        await asyncio.sleep(0.05)
    return found
