"""What a page hears of its feed, collected for a test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from soundforge.db import transaction
from soundforge.events import Listener, TrackRemoved, publish
from soundforge.library import Query
from soundforge.web._stream import GOODBYE, PING, RESYNC, Feed, messages
from soundforge.web._stream_library import LOADERS
from tests.support.house import House

DEADLINE_S = 20.0
LARGEST_BYTES = 2000


class Ear:
    """Hears one page's feed."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = False
        self._changed = asyncio.Condition()

    async def listen(self, stream: AsyncIterator[bytes]) -> None:
        async for message in stream:
            await self._note(message)
        self.ended = True
        await self._note(b"")

    async def _note(self, message: bytes) -> None:
        async with self._changed:
            self.heard.append(message)
            self._changed.notify_all()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self._changed:
            while not is_so():
                await self._changed.wait()

    async def until_told(self, piece: str) -> bytes:
        await self.until(lambda: any(piece.encode() in message for message in self.heard))
        return next(message for message in self.heard if piece.encode() in message)

    def pieces(self) -> list[bytes]:
        """Every message by itself, as a page takes them in."""
        return [piece for message in self.heard for piece in message.split(b"\n\n")]

    def bytes_told(self) -> bytes:
        return b"".join(message for message in self.heard if message not in (PING, RESYNC, GOODBYE))


@asynccontextmanager
async def hearing(
    house: House,
    name: str,
    query: Query | None = None,
    *,
    view: str = "library",
    place: str | None = None,
    **more: Any,
) -> AsyncIterator[Ear]:
    async def allowed() -> bool:
        return True

    feed = Feed(house.users[name], view, query or Query(), allowed, **more)
    listener, ear = house.studio.listener, Ear()
    await _caught_up(listener)
    stream = messages(feed, house.studio, place or listener.recent.place(), LOADERS)
    task = asyncio.create_task(ear.listen(stream))
    try:
        await ear.until(lambda: bool(ear.heard))
        yield ear
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _caught_up(listener: Listener) -> None:
    """Wait until everything that was told so far has been heard: a page that opens now hears what comes now."""
    marker, place = TrackRemoved(owner_id=uuid4(), track_id=uuid4()), listener.recent.place()
    async with transaction() as session:
        await publish(session, marker)
    async with asyncio.timeout(DEADLINE_S):
        while not listener.recent.since(marker.owner_id, place):
            await asyncio.sleep(0.005)
