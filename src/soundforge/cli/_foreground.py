"""Commands that run a child themselves: a bar on a terminal, and nothing left when they are stopped."""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn

from soundforge.cli._output import errors
from soundforge.engines import OnProgress

STOPPED = 128 + signal.SIGTERM


def run_foreground[T](work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end; SIGTERM cancels it, so that children and scratch files go as with Ctrl-C."""
    try:
        return asyncio.run(_cancellable(work))
    except asyncio.CancelledError:
        sys.exit(STOPPED)


async def _cancellable[T](work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


@contextmanager
def bar(what: str) -> Iterator[OnProgress]:
    """Draw a bar on standard error while the block lasts, if that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(what, total=100)
        yield lambda percent, _stage: progress.update(task, completed=percent)
