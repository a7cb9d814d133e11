"""Engines that stay loaded between jobs, where somebody opened a place for them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from soundforge.children import Child, Limits, Warm, open_child, open_warm

_bound: list[Warm] = []


@asynccontextmanager
async def open_engines() -> AsyncIterator[None]:
    """Let engines of this process stay loaded for following jobs; all have ended afterwards."""
    async with open_warm() as warm:
        _bound.append(warm)
        try:
            yield
        finally:
            _bound.remove(warm)


@asynccontextmanager
async def warm_child(
    argv: Sequence[str], *, folder: Path, limits: Limits, env: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """A child that stays after ``open_engines``, else one in ``folder`` for this time alone."""
    if _bound:
        async with _bound[-1].take(argv, limits=limits, env=env) as child:
            yield child
    else:
        async with open_child(argv, folder=folder, limits=limits, env=env) as child:
            yield child


def warm_mb() -> int:
    """Memory that an idle engine holds and the next request may use."""
    return _bound[-1].rss_mb if _bound else 0
