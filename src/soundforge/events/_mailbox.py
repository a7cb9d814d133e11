"""Events that wait to be told, conflated: never old ones and never too many."""

from collections.abc import Hashable

from soundforge.events._catalogue import Event, Resync

LARGEST = 5000  # events that wait; beyond them reading everything anew is cheaper


class Mailbox:
    """Holds the latest event of each key, in the order in which the latest came."""

    def __init__(self, *, largest: int = LARGEST) -> None:
        """Hold at most ``largest`` events; more become one ``Resync``."""
        self._largest = largest
        self._waiting: dict[Hashable, Event | Resync] = {}

    def __contains__(self, event: Event) -> bool:
        """Whether it waits here, or what has its key."""
        return event.key in self._waiting

    def put(self, event: Event | Resync) -> None:
        """Add an event."""
        if isinstance(event, Resync) or Resync in self._waiting:
            self._waiting = {Resync: Resync()}
            return
        earlier = self._waiting.pop(event.key, None)
        self._waiting[event.key] = event.after(earlier) if isinstance(earlier, type(event)) else event
        if len(self._waiting) > self._largest:
            self._waiting = {Resync: Resync()}

    def take(self) -> tuple[Event | Resync, ...]:
        """Take out everything."""
        taken, self._waiting = tuple(self._waiting.values()), {}
        return taken
