"""Who may hear a file is looked up when they begin to listen, not anew for each second of it.

A mixer asks for every second of up to six stems by itself, and a seek waits for the answers: two transactions took
most of their time. An answer is kept for a minute, as feeds do it, and no longer than until anything but the way of a
job was told to the owner: a login that ended, a track that went.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from soundforge.events import JobChanged, Listener
from soundforge.tables import File
from soundforge.web._security import Credentials

KEPT_S: Final = 60.0
MOST: Final = 2000


@dataclass(frozen=True)
class _Known:
    file: File
    place: str
    until_s: float


class KnownFiles:
    """Files by who asked for them: credentials as they were shown, and the file's id."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Start with none."""
        self._clock_s = clock_s
        self._known: dict[tuple[Credentials, UUID], _Known] = {}

    def find(self, credentials: Credentials, file_id: UUID, listener: Listener) -> File | None:
        """The file that these credentials were given lately, if nothing since then may have changed that."""
        known = self._known.pop((credentials, file_id), None)
        if known is None or self._clock_s() > known.until_s:
            return None
        told = listener.recent.since(known.file.owner_id, known.place)
        if told is None or any(not isinstance(event, JobChanged) for event in told):
            return None
        self._known[credentials, file_id] = known
        return known.file

    def keep(self, credentials: Credentials, file: File, place: str) -> None:
        """Remember a file that was looked up after ``place`` (of ``Listener.recent``)."""
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[credentials, file.id] = _Known(file, place, self._clock_s() + KEPT_S)
