"""One LISTEN connection a process, and who of this process hears what."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import psycopg
from psycopg import sql

from soundforge import db, logs
from soundforge.errors import Unavailable
from soundforge.events._beat import Batch, Beat, Inbox
from soundforge.events._catalogue import CATALOGUE, Event, Resync
from soundforge.events._recent import Recent
from soundforge.tables import CHANNEL

_log = logs.get(__name__)

_SHORTEST_WAIT_S = 0.1
_LONGEST_WAIT_S = 2.0
_PROBE_S = 15.0  # silence after which the connection must show that it lives


class Listener:
    """Passes each event to those who listen to its owner, and to nobody else."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._beats: dict[UUID, Beat] = {}
        self.recent = Recent()

    @contextmanager
    def subscribe(self, owner_id: UUID) -> Iterator[Inbox]:
        """Give an inbox that is filled with the owner's events until the block ends.

        Subscribe first and read the snapshot second: then nothing falls between the two.
        """
        beat, inbox = self._beats.setdefault(owner_id, Beat(self.recent)), Inbox()
        beat.inboxes.add(inbox)
        try:
            yield inbox
        finally:
            beat.inboxes.discard(inbox)
            if not beat.inboxes:
                del self._beats[owner_id]

    def since(self, owner_id: UUID, place: str) -> Batch | None:
        """What subscribers were told after ``place``, or None when that cannot be told. Ask when subscribed."""
        return self._beats[owner_id].since(owner_id, place)

    def count(self) -> int:
        """Return how many inboxes are subscribed."""
        return sum(len(beat.inboxes) for beat in self._beats.values())

    def hand_out(self, event: Event) -> None:
        """Tell those who listen to the event's owner."""
        self.recent.add(event)
        if beat := self._beats.get(event.owner_id):
            beat.put(event)

    def resync(self) -> None:
        """Tell everybody that events may have been missed."""
        self.recent.clear()
        for beat in self._beats.values():
            beat.put(Resync())


@asynccontextmanager
async def open_listener() -> AsyncIterator[Listener]:
    """Listen on the bound database until the block ends; reconnects by itself.

    Raises ``Unavailable`` ("database_away") when the first connection fails.
    """
    listener = Listener()
    task = asyncio.create_task(_listen(listener, await _connect()), name="events-listener")
    try:
        yield listener
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen(listener: Listener, connection: psycopg.AsyncConnection) -> None:
    while True:
        try:
            await _pass_on(listener, connection)
        except psycopg.OperationalError as error:
            _log.warning("events.connection_lost", error=str(error).strip())
        finally:
            await connection.close()
        connection = await _reconnect()
        listener.resync()  # what was told meanwhile is lost


async def _pass_on(listener: Listener, connection: psycopg.AsyncConnection) -> None:
    while True:
        async for notification in connection.notifies(timeout=_PROBE_S):
            event = _read(notification.payload)
            if event is not None:
                listener.hand_out(event)
        await connection.execute("SELECT 1")


async def _connect() -> psycopg.AsyncConnection:
    connection = await db.connect()
    try:
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
    except BaseException:
        await connection.close()
        raise
    return connection


async def _reconnect() -> psycopg.AsyncConnection:
    wait_s = _SHORTEST_WAIT_S
    while True:
        try:
            return await _connect()
        except (Unavailable, psycopg.OperationalError) as error:
            _log.debug("events.reconnect_failed", error=str(error))
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def _read(payload: str) -> Event | None:
    """Read one notification; what a newer or foreign program sent is left aside."""
    try:
        document = json.loads(payload)
        return CATALOGUE[document["event"]].from_wire(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("events.unreadable", error=str(error), payload=payload[:200])
        return None
