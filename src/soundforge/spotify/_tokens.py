"""The token of our Spotify app: kept in this process alone, read without a lock, asked for once.

Rule 11. Whoever needs the token reads one frozen record; only when that is old, or the server has refused it, a single
task fetches the next one, and everybody waits for that task. It belongs to nobody who waits: a caller that is cancelled
takes nothing from the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field

from soundforge.errors import Forbidden, SoundForgeError

_REMEMBER_REFUSAL_S = 60.0
_EARLIER_S = 60.0


@dataclass(frozen=True)
class Grant:
    """A token as the server gives it out, and for how long."""

    token: str = field(repr=False)
    expires_in_s: float


@dataclass(frozen=True)
class _Held:
    token: str = field(repr=False)
    good_until: float


class TokenCache:
    """One app's token. ``fetch`` asks the server; ``now`` is a clock that never goes back."""

    def __init__(self, fetch: Callable[[], Awaitable[Grant]], *, now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._held: _Held | None = None
        self._refused: tuple[Forbidden, float] | None = None
        self._refresh: asyncio.Task[str] | None = None

    async def get(self, *, reject: str = "") -> str:
        """Return a token that is good; ``reject`` names one that the server just refused.

        Raises what ``fetch`` raises; a refusal of the credentials is remembered for a minute, so that a wrong secret
        does not hammer the server.
        """
        held = self._held
        if held and held.token != reject and self._now() < held.good_until:
            return held.token
        if self._refused and self._now() < self._refused[1]:
            raise copy(self._refused[0])  # one that is raised twice would carry the traces of both
        if self._refresh is None:
            self._refresh = asyncio.create_task(self._renew())
            self._refresh.add_done_callback(_look_at)
        return await asyncio.shield(self._refresh)

    async def aclose(self) -> None:
        """End a fetch that nobody waits for any more."""
        if self._refresh:
            self._refresh.cancel()
            with suppress(asyncio.CancelledError, SoundForgeError):
                await self._refresh

    async def _renew(self) -> str:
        try:
            grant = await self._fetch()
        except Forbidden as refusal:
            self._refused = refusal, self._now() + _REMEMBER_REFUSAL_S
            raise
        finally:
            self._refresh = None
        good_for = max(grant.expires_in_s - _EARLIER_S, grant.expires_in_s / 2)
        self._held = _Held(grant.token, self._now() + good_for)
        return grant.token


def _look_at(task: asyncio.Task[str]) -> None:
    """Take the error of a fetch whose last caller went away, or the loop would complain that nobody saw it."""
    if not task.cancelled():
        task.exception()
