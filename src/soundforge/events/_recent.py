"""What was told lately, so that a page that connects a moment after it was drawn misses nothing."""

from collections.abc import Hashable
from uuid import UUID, uuid4

from soundforge.events._catalogue import Event

KEEP = 500  # events of each owner, the latest of each key


class Recent:
    """Numbers events as they pass, and remembers the latest ones of each owner.

    A *place* is ``"<epoch>-<number>"``. The epoch names this process's life since its last gap:
    after a restart or a lost connection nobody can tell what a reader missed.
    """

    def __init__(self) -> None:
        """Start an epoch."""
        self.clear()

    def clear(self) -> None:
        """Forget everything: from here on older places are unknown."""
        self._epoch = uuid4().hex[:12]
        self._number = 0
        self._latest: dict[UUID, dict[Hashable, tuple[int, Event]]] = {}
        self._forgotten: dict[UUID, int] = {}

    def add(self, event: Event) -> None:
        """Number and remember an event."""
        self._number += 1
        latest = self._latest.setdefault(event.owner_id, {})
        latest.pop(event.key, None)
        latest[event.key] = (self._number, event)
        if len(latest) > KEEP:
            number, _event = latest.pop(next(iter(latest)))
            self._forgotten[event.owner_id] = number

    def place(self) -> str:
        """Where we are now."""
        return f"{self._epoch}-{self._number}"

    def since(self, owner_id: UUID, place: str) -> list[Event] | None:
        """The owner's events after ``place``, or None when that cannot be told."""
        epoch, _, number = place.rpartition("-")
        if epoch != self._epoch or not number.isdigit() or int(number) < self._forgotten.get(owner_id, 0):
            return None
        return [event for at, event in self._latest.get(owner_id, {}).values() if at > int(number)]
