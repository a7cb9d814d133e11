"""One owner's events, told at most once in a beat: the very same batch to all who listen.

What follows from a batch alone is so worked out once, however many pages are open; and a page that changes faster than
anybody sees costs no more than one that changes ten times a second.
"""

import asyncio
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from soundforge.events._catalogue import Event, Resync
from soundforge.events._mailbox import Mailbox
from soundforge.events._recent import Recent

BEAT_S = 0.1


@dataclass(frozen=True, eq=False)
class Batch:
    """What is told at one beat. ``place`` (see ``Recent``) is how far whoever heard it has heard."""

    events: tuple[Event | Resync, ...] = ()
    place: str = ""

    @cached_property
    def kinds(self) -> frozenset[type[Event | Resync]]:
        """What happened at all."""
        return frozenset(type(event) for event in self.events)


class Inbox:
    """One reader's batches; those that a slow reader leaves waiting become one, conflated."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._waiting: Batch | None = None
        self._filled = asyncio.Event()

    def put(self, batch: Batch) -> None:
        """Add a batch that came after those before; never blocks."""
        self._waiting = _join(self._waiting, batch) if self._waiting else batch
        self._filled.set()

    def wake(self) -> None:
        """Let the reader go on, though there may be nothing to take."""
        self._filled.set()

    async def take(self) -> Batch:
        """Wait until there is something, or somebody wakes the reader, and take all of it."""
        await self._filled.wait()
        taken, self._waiting = self._waiting or Batch(), None
        self._filled.clear()
        return taken


class Beat:
    """Gathers an owner's events, and puts them into all inboxes: at once after a silence, else with the next beat."""

    def __init__(self, recent: Recent) -> None:
        """Begin with nobody listening."""
        self.inboxes: set[Inbox] = set()
        self._recent = recent
        self._waiting = Mailbox()
        self._place = recent.place()  # up to which everything was told
        self._next: asyncio.Handle | None = None

    def put(self, event: Event | Resync) -> None:
        """Add an event, which ``Recent`` knows already."""
        self._waiting.put(event)
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._tell)

    def since(self, owner_id: UUID, place: str) -> Batch | None:
        """What was told since ``place``, or None when that is unknown. What still waits comes with the next beat."""
        missed = self._recent.since(owner_id, place)
        if missed is None:
            return None
        return Batch(tuple(event for event in missed if event not in self._waiting), self._place)

    def _tell(self) -> None:
        self._next = None
        if not (events := self._waiting.take()):
            return  # a beat has gone by in silence: the next event is told at once
        self._place = self._recent.place()
        batch = Batch(events, self._place)
        for inbox in self.inboxes:
            inbox.put(batch)
        self._next = asyncio.get_running_loop().call_later(BEAT_S, self._tell)


def _join(earlier: Batch, later: Batch) -> Batch:
    joined = Mailbox()
    for event in (*earlier.events, *later.events):
        joined.put(event)
    return Batch(joined.take(), later.place)
