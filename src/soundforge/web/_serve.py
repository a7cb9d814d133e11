"""Serving: uvicorn under our own signals, and a watch over the event loop."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from soundforge import logs
from soundforge.config import Settings, address_of
from soundforge.errors import Broken
from soundforge.web._studio import Studio

_log = logs.get(__name__)

_GRACE_S = 5
_BLOCKED_S = 0.1  # a loop that stands still longer makes every page wait
_LOOK_S = 0.05


class _Server(uvicorn.Server):
    """Leaves signals to the composition root: uvicorn would raise them again before anything else is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


async def serve_web(studio: Studio, pages: ASGIApp, listening: socket.socket, *, told: Callable[[str], None]) -> None:
    """Serve pages and API on a bound socket until ``studio.stopping`` is set; ``told`` hears the address.

    Whose ``X-Forwarded-…`` headers are believed says the environment (``FORWARDED_ALLOW_IPS``): uvicorn reads it.
    """
    config = uvicorn.Config(
        pages, log_config=None, lifespan="off", timeout_graceful_shutdown=_GRACE_S, server_header=False
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]), name="web")
    host, port = listening.getsockname()[:2]
    _log.info("web.listening", host=host, port=port)
    listening.listen(512)
    told(address_of(host, port))
    stopping = asyncio.create_task(studio.stopping.wait(), name="stopping")
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        studio.stopping.set()  # feeds end by themselves
        server.should_exit = True
        stopping.cancel()
        await task


def bind_port(settings: Settings) -> socket.socket:
    """Take the address of the settings; raises ``Broken`` ("port_in_use")."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Said to be TCP, so that connections do not wait for more to send (asyncio sets TCP_NODELAY on those that say it):
    # an answer of two parts would take 40 ms longer.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        sentence = f"Port {settings.port} on {settings.host} cannot be used; choose another with SOUNDFORGE_PORT."
        raise Broken(sentence, code="port_in_use", detail=str(error)) from error
    return taken


@asynccontextmanager
async def open_monitor() -> AsyncIterator[None]:
    """Warn whenever the event loop stood still for over 100 ms."""
    task = asyncio.create_task(_monitor(), name="loop-monitor")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _monitor() -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(_LOOK_S)
        blocked_s = time.monotonic() - before - _LOOK_S
        if blocked_s > _BLOCKED_S:
            _log.warning("loop.blocked", ms=round(blocked_s * 1000))
