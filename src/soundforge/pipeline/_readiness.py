"""A machine without the downloader leaves downloads queued, for another one or until it is installed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from soundforge import jobs
from soundforge.pipeline._ports import ports
from soundforge.sources import Downloader
from soundforge.tables import Kind

_LOOK_S = 2.0


async def lacking(downloader: Downloader | None = None) -> tuple[Kind, ...]:
    """The kinds of jobs that this machine cannot work now."""
    return () if await asyncio.to_thread((downloader or ports().downloader).is_ready) else (Kind.DOWNLOAD,)


@asynccontextmanager
async def open_readiness(node: jobs.Node) -> AsyncIterator[None]:
    """Look now and then what this machine has, and work the queue of downloads accordingly, while the block lasts."""
    task = asyncio.create_task(_look_again(node, ports().downloader), name=f"readiness-{node.name}")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _look_again(node: jobs.Node, downloader: Downloader) -> None:
    works: bool | None = None
    while True:
        ready = Kind.DOWNLOAD not in await lacking(downloader)
        if ready != works and await jobs.set_working(node, Kind.DOWNLOAD, works=ready):
            works = ready
        await asyncio.sleep(node.scaled(_LOOK_S))
