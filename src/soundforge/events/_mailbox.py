"""One reader's events, conflated: a slow reader gets fewer of them, never old ones and never too many."""

import asyncio
from collections.abc import Hashable

from soundforge.events._catalogue import Event, Resync

LARGEST = 5000  # events that wait; beyond them reading everything anew is cheaper


class Mailbox:
    """Holds the latest event of each key, in the order in which the latest came. One reader takes them."""

    def __init__(self, *, largest: int = LARGEST) -> None:
        """Hold at most ``largest`` events; more become one ``Resync``."""
        self._largest = largest
        self._waiting: dict[Hashable, Event | Resync] = {}
        self._filled = asyncio.Event()

    def put(self, event: Event | Resync) -> None:
        """Add an event; never blocks."""
        if isinstance(event, Resync) or Resync in self._waiting:
            self._waiting = {Resync: Resync()}
        else:
            earlier = self._waiting.pop(event.key, None)
            self._waiting[event.key] = event.after(earlier) if isinstance(earlier, type(event)) else event
            if len(self._waiting) > self._largest:
                self._waiting = {Resync: Resync()}
        self._filled.set()

    def wake(self) -> None:
        """Let the reader go on, though there may be nothing to take."""
        self._filled.set()

    async def take(self) -> list[Event | Resync]:
        """Wait until there is something, or somebody wakes the reader, and take all of it."""
        await self._filled.wait()
        taken = list(self._waiting.values())
        self._waiting = {}
        self._filled.clear()
        return taken
