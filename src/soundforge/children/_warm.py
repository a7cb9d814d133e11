"""Children that stay for the next request: what takes seconds to load is loaded once.

At most one stays at a time, for each holds the memory of its engine. It ends when it has been idle for long, after so
many requests, when another program is wanted, and with whatever opened us; one that failed never stays. Its folder
lies where ``open_warm`` was told: in a node's own, where the next start's sweep and ``db verify`` look.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ._child import Child, open_child
from ._limits import Limits

type Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


@dataclass
class _Resident:
    """A child that may stay, what it was started as, and what ends it."""

    child: Child
    key: Key
    end: AsyncExitStack
    requests: int = 0
    idle_since: float = field(default_factory=time.monotonic)


class Warm:
    """Keeps the child that was used last. Made by ``open_warm``."""

    def __init__(self, folder: Path, *, idle_s: float, requests: int) -> None:
        """Let children live in folders below ``folder``; end them after ``idle_s`` or so many ``requests``."""
        self._folder, self._idle_s, self._requests = folder, idle_s, requests
        self._resident: _Resident | None = None
        self._started = 0

    @property
    def rss_mb(self) -> int:
        """Memory of the idle child, which a request to it would use again."""
        return self._resident.child.rss_mb if self._resident and self._resident.child.alive else 0

    @asynccontextmanager
    async def take(
        self, argv: Sequence[str], *, limits: Limits, env: Mapping[str, str] | None = None
    ) -> AsyncIterator[Child]:
        """Give the child that waits if it is the same program in the same environment, else a new one.

        Whoever takes it has it alone. After an error or a cancel it is ended.
        """
        key: Key = (tuple(argv), tuple(sorted((env or {}).items())))
        resident, self._resident = self._resident, None
        if resident and (resident.key != key or not resident.child.alive):
            await resident.end.aclose()
            resident = None
        resident = resident or await self._start(key, limits)
        try:
            yield resident.child
        except BaseException:
            await resident.end.aclose()
            raise
        resident.requests += 1
        await self._keep(resident)

    async def end_idle(self) -> None:
        """End the child that waits if it has waited too long."""
        resident = self._resident
        if resident and (time.monotonic() - resident.idle_since >= self._idle_s or not resident.child.alive):
            await self.end()

    async def end(self) -> None:
        """End the child that waits."""
        resident, self._resident = self._resident, None
        if resident:
            await resident.end.aclose()

    async def _start(self, key: Key, limits: Limits) -> _Resident:
        self._started += 1
        argv, env = key
        folder = self._folder / str(self._started)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_remove, folder)
            child = await stack.enter_async_context(open_child(argv, folder=folder, limits=limits, env=dict(env)))
            return _Resident(child, key, stack.pop_all())

    async def _keep(self, resident: _Resident) -> None:
        """Let it stay, unless it is worn; one that came back meanwhile makes way."""
        if not resident.child.alive or resident.requests >= self._requests:
            await resident.end.aclose()
            return
        resident.idle_since = time.monotonic()
        before, self._resident = self._resident, resident
        if before:
            await before.end.aclose()


_open: list[Warm] = []


@asynccontextmanager
async def open_warm(folder: Path, *, idle_s: float = 300, requests: int = 50) -> AsyncIterator[Warm]:
    """Keep ``warm_child``'s children of this process warm while this is open; they live in ``folder``.

    Afterwards neither they nor the folder are left. It is made with the first child.
    """
    warm = Warm(folder, idle_s=idle_s, requests=requests)
    watching = asyncio.create_task(_watch(warm, idle_s))
    _open.append(warm)
    try:
        yield warm
    finally:
        _open.remove(warm)
        watching.cancel()
        await asyncio.wait([watching])
        await warm.end()
        await _remove(folder)


@asynccontextmanager
async def warm_child(
    argv: Sequence[str], *, folder: Path, limits: Limits, env: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """Give a child that stays where ``open_warm`` is open, else one in ``folder`` for this time alone."""
    if _open:
        async with _open[-1].take(argv, limits=limits, env=env) as child:
            yield child
    else:
        async with open_child(argv, folder=folder, limits=limits, env=env) as child:
            yield child


def warm_mb() -> int:
    """Return the memory that an idle child holds and the next request may use, in MB."""
    return _open[-1].rss_mb if _open else 0


async def _remove(folder: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _watch(warm: Warm, idle_s: float) -> None:
    while True:
        await asyncio.sleep(idle_s / 4)
        await warm.end_idle()
