"""Beside every body: writes its progress and looks for reasons to stop it."""

import asyncio
import time
from enum import Enum, auto

from soundforge import logs
from soundforge.errors import Unavailable
from soundforge.jobs._fence import Superseded
from soundforge.jobs._kinds import KINDS
from soundforge.jobs._run import AWAY_LIMIT_S, Run

_log = logs.get(__name__)

_LOOK_S = 0.25  # Oban's wake-up call of a cancellation, and our own shutdown
_TICK_S = 0.5  # progress, and the cancellation's column: the wake-up call may be lost, and a command sends none
_SHORTEST_S = 0.01
_STUCK_S = 10.0  # a tick that takes longer counts as a database that is away


class Stop(Enum):
    """Why a run has to stop before its body is through."""

    CANCELLED = auto()
    SUPERSEDED = auto()
    SHUTDOWN = auto()
    DATABASE_AWAY = auto()
    TIMED_OUT = auto()


async def watch(run: Run) -> Stop:
    """Return as soon as there is a reason to stop ``run``; never from its completing transaction on.

    What a body does after that (an import removes the received file) is short, and nobody else would do it.
    """
    watcher = _Watcher(run)
    while True:
        await _sleep(run, max(_SHORTEST_S, run.node.scaled(_LOOK_S)))
        if run.may_stop():
            stop = watcher.look() or await watcher.tick()
            if stop is not None and run.may_stop():
                return stop


class _Watcher:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._began = self._ticked = time.monotonic()
        self._away_since: float | None = None

    def look(self) -> Stop | None:
        """What can be seen without the database."""
        if self._run.oban_job.cancelled():
            return Stop.CANCELLED
        if self._run.node.stopping.is_set():
            return Stop.SHUTDOWN
        if time.monotonic() - self._began > KINDS[self._run.kind].limit_s:
            return Stop.TIMED_OUT
        return None

    async def tick(self) -> Stop | None:
        """Write progress when it is due, and read what the row says about it."""
        if self._run.is_writing or time.monotonic() - self._ticked < self._run.node.scaled(_TICK_S):
            return None
        self._ticked = time.monotonic()
        try:
            async with asyncio.timeout(_STUCK_S):
                cancelled = await self._run.tick()
        except Superseded:
            return Stop.SUPERSEDED
        except (Unavailable, TimeoutError) as error:
            return self._wait_for_database(error)
        self._away_since = None
        return Stop.CANCELLED if cancelled else None

    def _wait_for_database(self, error: Exception) -> Stop | None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            _log.warning("job.database_away", job_id=str(self._run.job_id), run=self._run.run, error=str(error))
        away_s = now - self._away_since
        return Stop.DATABASE_AWAY if away_s >= self._run.node.scaled(AWAY_LIMIT_S) else None


async def _sleep(run: Run, seconds: float) -> None:
    try:
        await asyncio.wait_for(run.node.stopping.wait(), seconds)
    except TimeoutError:
        return
    await asyncio.sleep(0.0 if not run.closing else _SHORTEST_S)
