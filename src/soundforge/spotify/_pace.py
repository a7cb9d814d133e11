"""How fast we may ask: two at a time, five a second, and not at all while Spotify told us to stay away.

Spotify counts requests of 30 seconds for each app, does not tell how many it allows, and answers 429 with a
``Retry-After`` that is now and then a whole day. A worker waits half a minute at most; beyond that the breaker opens
and every call fails at once with the time when it is worth coming back.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from soundforge.errors import Unavailable

from ._failures import busy, quota_used

AT_ONCE: Final = 2
A_SECOND: Final = 5
LONGEST_WAIT_S: Final = 30.0
BACK_OFF_S: Final = (1.0, 2.0, 4.0)
_QUOTA_S: Final = 3600.0  # where a used-up quota comes without a time
_A_DAY_S: Final = 86_400.0


class Clock(Protocol):
    """Time that only goes forward, and waiting; a test has one that waits without waiting."""

    def now(self) -> float:
        """Return seconds since some moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after so many seconds."""
        ...


class RealClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the machine started."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Pace:
    """The one gate that all requests to one service of Spotify's pass, in the order they come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)
        self._next_start = 0.0
        self._away: tuple[float, Callable[[float], Unavailable]] | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn; raises ``spotify_busy`` or ``spotify_quota_used`` at once while the breaker is open."""
        self.check()
        async with self._places:
            start = max(self._next_start, self._clock.now())
            self._next_start = start + 1 / A_SECOND
            while (left := start - self._clock.now()) > 0:
                await self._clock.sleep(left)
            self.check()  # it may have opened while we waited
            yield

    def check(self) -> None:
        """Raise while the breaker is open."""
        if self._away is None:
            return
        until, failure = self._away
        if (left := until - self._clock.now()) > 0:
            raise failure(left)
        self._away = None

    def stay_away(self, seconds: float | None, *, quota: bool) -> None:
        """Open the breaker for everybody, and raise its error."""
        known = seconds if seconds is not None else _QUOTA_S
        self._away = self._clock.now() + min(known, _A_DAY_S), quota_used if quota else busy
        self.check()

    async def wait(self, seconds: float) -> None:
        """Let nobody through for a while that is short enough to wait for, and come back after it."""
        until = self._clock.now() + seconds
        self._next_start = max(self._next_start, until)
        await self._clock.sleep(seconds)


def jittered(seconds: float) -> float:
    """Spread what would otherwise come back all at once: up to half as long again."""
    return seconds * (1 + random.random() / 2)  # noqa: S311 - no secret hangs on it
