"""Commands that run a child themselves: a bar on a terminal, and nothing left when they are stopped."""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn

from soundforge.cli._output import errors
from soundforge.cli._signals import ending_in_order
from soundforge.engines import OnProgress


def run_foreground[T](work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end, or until a signal ends it: children and scratch files go, as with Ctrl-C."""
    with ending_in_order() as ending:
        return ending.run(work)


@contextmanager
def bar(what: str) -> Iterator[OnProgress]:
    """Draw a bar on standard error while the block lasts, if that is a terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(what, total=100)
        yield lambda percent, _stage: progress.update(task, completed=percent)
