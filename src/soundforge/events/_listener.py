"""One LISTEN connection a process, and who of this process hears what."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from soundforge import db, logs
from soundforge.errors import Unavailable
from soundforge.events._catalogue import CATALOGUE, Event, Resync
from soundforge.events._mailbox import Mailbox
from soundforge.events._recent import Recent
from soundforge.tables import CHANNEL

_log = logs.get(__name__)

_SHORTEST_WAIT_S = 0.1
_LONGEST_WAIT_S = 2.0
_PROBE_S = 15.0  # silence after which the connection must show that it lives


@dataclass(frozen=True, eq=False)
class _Subscriber:
    mailbox: Mailbox
    topic: str | None


class Listener:
    """Passes each event to the mailboxes of its owner, and of nobody else."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._subscribers: dict[UUID, set[_Subscriber]] = {}
        self.recent = Recent()

    @contextmanager
    def subscribe(self, owner_id: UUID, *, mailbox: Mailbox, topic: str | None = None) -> Iterator[Mailbox]:
        """Fill ``mailbox`` with the owner's events (of one ``topic`` only, if given) until the block ends.

        Subscribe first and read the snapshot second: then nothing falls between the two.
        """
        subscriber = _Subscriber(mailbox, topic)
        self._subscribers.setdefault(owner_id, set()).add(subscriber)
        try:
            yield mailbox
        finally:
            self._subscribers[owner_id].discard(subscriber)
            if not self._subscribers[owner_id]:
                del self._subscribers[owner_id]

    def count(self) -> int:
        """Return how many mailboxes are subscribed."""
        return sum(len(subscribers) for subscribers in self._subscribers.values())

    def hand_out(self, event: Event) -> None:
        """Put ``event`` into its owner's mailboxes."""
        self.recent.add(event)
        for subscriber in self._subscribers.get(event.owner_id, ()):
            if subscriber.topic is None or subscriber.topic == event.topic:
                subscriber.mailbox.put(event)

    def resync(self) -> None:
        """Tell everybody that events may have been missed."""
        self.recent.clear()
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                subscriber.mailbox.put(Resync())


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
