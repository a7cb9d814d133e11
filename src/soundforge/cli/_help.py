"""A command that waits for jobs works them itself where nobody else does."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from soundforge import app, jobs
from soundforge.config import Settings
from soundforge.db import reading

_LOOK_S = 5.0  # a heartbeat: after a crash of the server, living workers have told of themselves again by then


class Help:
    """Works queues that no living worker serves, from the moment on that none does, to the end of the command."""

    def __init__(self, rooms: app.Rooms, stack: AsyncExitStack) -> None:
        """Work nothing yet."""
        self._rooms = rooms
        self._stack = stack
        self._helped: set[str] = set()
        self._missed: set[str] = set(jobs.QUEUE_LIMITS)  # at the look before: at the first one there is no doubt
        self._looked_at = float("-inf")

    async def look(self) -> None:
        """Begin to work those queues that were served by nobody at this look and the one before.

        Looks once in a heartbeat, however often it is called. Raises ``Unavailable`` while the database is away.
        """
        scale = self._rooms.settings.time_scale
        if time.monotonic() - self._looked_at < _LOOK_S * scale:
            return
        async with reading() as session:
            served = await jobs.list_worked(session, stale_s=jobs.STALE_S * scale)
        missing = jobs.QUEUE_LIMITS.keys() - served - self._helped
        await self._work(missing & self._missed)
        self._missed, self._looked_at = missing, time.monotonic()

    async def _work(self, missing: set[str]) -> None:
        if not missing:
            return
        queues = ",".join(f"{queue}:{limit}" for queue, limit in jobs.QUEUE_LIMITS.items() if queue in missing)
        helping: Settings = self._rooms.settings.model_copy(update={"queues": queues})
        await self._stack.enter_async_context(
            app.open_workers(app.Rooms(helping, self._rooms.dsn, self._rooms.storage))
        )
        self._helped |= missing


@asynccontextmanager
async def open_help(rooms: app.Rooms) -> AsyncIterator[Help]:
    """Work every queue here that no living worker serves, and each that loses its last one, until the block ends."""
    async with AsyncExitStack() as stack:
        helping = Help(rooms, stack)
        await helping.look()
        yield helping
