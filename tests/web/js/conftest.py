"""A served sample page in Debian's Chromium, and what went wrong on it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from starlette.applications import Starlette

from tests.support.leaks import keep_process, our_children
from tests.web.js.server import create_app

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
FLAGS += ["--host-resolver-rules=MAP studio.lan 127.0.0.1"]  # plain HTTP that is not this machine's own
READY = "!!(window.htmx && customElements.get('sf-timeline'))"
TURN = """
  const node = await mixer.node;
  await until(() => mixer.set); // it has told that it has the sources
  for (const source of [1, 3]) {
    node.port.postMessage({ type: "gain", set: mixer.set, source, left: -1, right: -1 });
  }
"""  # two of four copies are turned over: together they are silence, where they stay together
LISTEN = """
  const context = mixer.context;
  await context.audioWorklet.addModule("/recorder.js");
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0, channelCount: 2 });
  (await mixer.node).connect(recorder);
  const dump = () => new Promise((resolve) => {
    recorder.port.onmessage = ({ data }) => resolve(data);
    recorder.port.postMessage("dump");
  });
  const flat = (blocks) => blocks.flatMap((block) => [...block]);
  const packed = async (blocks) => {
    const reader = new FileReader();
    reader.readAsDataURL(new Blob(blocks));
    await new Promise((resolve) => (reader.onload = resolve));
    return reader.result.split(",")[1] ?? "";
  };
  const loudestOf = (blocks) =>
    blocks.reduce((most, block) => block.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0);
  const after = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
"""
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


class Server(uvicorn.Server):
    """Runs inside the test's loop and leaves the signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to pytest."""
        yield


@dataclass
class Studio:
    """The served sample pages, and a browser's page."""

    app: Starlette
    url: str
    page: Page
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    async def open(self, path: str = "/") -> Page:
        """Open a page and wait until its scripts stand."""
        await self.page.goto(self.url + path)
        await until(self.page, READY)
        return self.page

    def watch(self, page: Page) -> None:
        """Note every error the page reports: a refusal by the policy is one."""

        def noted(message: ConsoleMessage) -> None:
            if message.type == "error" and not any(part in message.text for part in self.expected):
                self.faults.append(message.text)

        page.on("console", noted)
        page.on("pageerror", lambda error: self.faults.append(str(error)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all browser tests; each opens a context of its own."""
    before = our_children()
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for process in our_children() - before:
            keep_process(process.pid)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[tuple[Starlette, str]]:
    """The sample application on a free port."""
    app = create_app()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        serving = Server(config)
        running = asyncio.create_task(serving.serve(sockets=[listening]))
        yield app, f"http://127.0.0.1:{listening.getsockname()[1]}"
        app.state.stopping.set()
        app.state.released.set()
        serving.should_exit = True
        await running


@pytest_asyncio.fixture(loop_scope="session")
async def studio(server: tuple[Starlette, str], browser: Browser) -> AsyncIterator[Studio]:
    """A page of the test's own; no script error and no breach of the policy may have happened at the end."""
    app, url = server
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = await context.new_page()
    await page.add_init_script(WATCH_POLICY)
    made = Studio(app, url, page)
    made.watch(page)
    yield made
    await context.close()
    assert made.faults == []


async def until(page: Page, expression: str, *, within_s: float = 8) -> None:
    """Wait for an expression to hold; Playwright's own `wait_for_function` compiles text, which our policy forbids."""
    body = f"""async () => {{
      const end = performance.now() + {1000 * within_s};
      while (!({expression})) {{
        if (performance.now() > end) throw new Error("not within {within_s} s: " + {expression!r});
        await new Promise((resolve) => setTimeout(resolve, 10));
      }}
    }}"""
    await page.evaluate(body)


async def evaluate(page: Page, body: str, argument: Any = None) -> Any:
    """Run a function body in the page with the product's modules at hand."""
    modules = """
      const { mixer, events, now } = await import("/static/v1/js/player.js");
      const until = async (holds, within = 15000) => {
        const end = performance.now() + within;
        while (!holds()) {
          if (performance.now() > end) throw new Error(`not within ${within} ms: ${holds}`);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
    """
    return await page.evaluate(f"async (argument) => {{ {modules} {body} }}", argument)
