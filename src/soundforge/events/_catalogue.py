"""Every event there is. Ids and small values only: whoever needs more asks the database.

The class's name in snake case is the name on the wire and the name of its template
(``StemsReady`` → ``stems_ready`` → ``templates/events/<view>/stems_ready.html``).
"""

import re
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any, ClassVar, Self
from uuid import UUID


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True)
class Event:
    """Something that happened to what ``owner_id`` owns."""

    subject: ClassVar[str]  # the field whose id the event is about
    about: ClassVar[str]  # the first half of the topic

    owner_id: UUID

    @classmethod
    def name(cls) -> str:
        """Return the event's name on the wire."""
        return _snake_case(cls.__name__)

    @property
    def topic(self) -> str:
        """Where it is heard, for example ``jobs:<id>``."""
        return f"{self.about}:{getattr(self, self.subject)}"

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Of events with the same key only the latest need be told."""
        return (self.name(), getattr(self, self.subject))

    def after(self, _earlier: Self) -> Self:
        """Return what remains to be told when ``_earlier``, of the same key, was not told yet."""
        return self

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON document that travels."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"event": self.name(), "topic": self.topic, **values}

    @classmethod
    def from_wire(cls, document: dict[str, Any]) -> Self:
        """Read an event of this class; fields of a newer version are left out. Raises ValueError."""
        try:
            return cls(**{field.name: _value(field.name, document[field.name]) for field in fields(cls)})
        except (KeyError, TypeError) as error:
            msg = f"not a {cls.name()}: {error}"
            raise ValueError(msg) from error


@dataclass(frozen=True)
class JobChanged(Event):
    """A job's row changed. Sent by the trigger on ``jobs`` alone, so by whoever changes the row."""

    subject: ClassVar[str] = "job_id"
    about: ClassVar[str] = "jobs"

    job_id: UUID
    track_id: UUID | None
    parent_id: UUID | None
    kind: str
    status: str
    progress: int
    stage: str
    run: int
    error_code: str | None
    wait_reason: str | None

    @cached_property
    def state(self) -> tuple[object, ...]:
        """All but what moves while a job runs: as long as it stays the same, the job only got on."""
        return (self.status, self.run, self.wait_reason, self.error_code)


@dataclass(frozen=True)
class TrackAdded(Event):
    """A track came into the library, or came back."""

    subject: ClassVar[str] = "track_id"
    about: ClassVar[str] = "tracks"

    track_id: UUID


@dataclass(frozen=True)
class TrackChanged(Event):
    """Fields of a track have new values."""

    subject: ClassVar[str] = "track_id"
    about: ClassVar[str] = "tracks"

    track_id: UUID
    fields: tuple[str, ...]

    def after(self, _earlier: Self) -> Self:
        """Name the fields of both changes."""
        merged = tuple(dict.fromkeys((*_earlier.fields, *self.fields)))
        return type(self)(self.owner_id, self.track_id, merged)


@dataclass(frozen=True)
class CuesChanged(Event):
    """A track has other cue points."""

    subject: ClassVar[str] = "track_id"
    about: ClassVar[str] = "tracks"

    track_id: UUID


@dataclass(frozen=True)
class TrackRemoved(Event):
    """A track left the library."""

    subject: ClassVar[str] = "track_id"
    about: ClassVar[str] = "tracks"

    track_id: UUID


@dataclass(frozen=True)
class LibraryChanged(Event):
    """So many tracks came or went at once that reading everything anew is cheaper than being told of each."""

    subject: ClassVar[str] = "owner_id"
    about: ClassVar[str] = "libraries"


@dataclass(frozen=True)
class PlaylistChanged(Event):
    """A list has other entries, or was read to its end. ``entries`` are the ids of those that came, moved or went."""

    subject: ClassVar[str] = "playlist_id"
    about: ClassVar[str] = "playlists"

    playlist_id: UUID
    entries: tuple[str, ...] = ()

    def after(self, _earlier: Self) -> Self:
        """Name the entries of both changes."""
        merged = tuple(dict.fromkeys((*_earlier.entries, *self.entries)))
        return type(self)(self.owner_id, self.playlist_id, merged)


@dataclass(frozen=True)
class StemsReady(Event):
    """A separation's stems can be played."""

    subject: ClassVar[str] = "job_id"
    about: ClassVar[str] = "tracks"

    track_id: UUID
    job_id: UUID

    @property
    def topic(self) -> str:
        """Stems are heard where their track is."""
        return f"tracks:{self.track_id}"


@dataclass(frozen=True)
class AnalysisReady(Event):
    """One stage of an analysis can be read."""

    subject: ClassVar[str] = "job_id"
    about: ClassVar[str] = "tracks"

    track_id: UUID
    job_id: UUID
    stage: str

    @property
    def topic(self) -> str:
        """Results are heard where their track is."""
        return f"tracks:{self.track_id}"

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Each stage is news of its own."""
        return (self.name(), self.job_id, self.stage)


@dataclass(frozen=True)
class SessionEnded(Event):
    """A login or a token is void; with neither named, all of the owner's."""

    subject: ClassVar[str] = "session_id"
    about: ClassVar[str] = "sessions"

    session_id: UUID | None = None
    token_id: UUID | None = None

    @property
    def topic(self) -> str:
        """Sessions are heard by the owner's streams."""
        return f"sessions:{self.owner_id}"

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Each end counts."""
        return (self.name(), self.session_id, self.token_id)


@dataclass(frozen=True)
class Resync:
    """Something may have been missed: read everything anew."""


CATALOGUE: dict[str, type[Event]] = {
    event.name(): event
    for event in (
        *(JobChanged, TrackAdded, TrackChanged, TrackRemoved, LibraryChanged, CuesChanged, PlaylistChanged),
        *(StemsReady, AnalysisReady, SessionEnded),
    )
}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _value(name: str, value: Any) -> Any:
    if name.endswith("_id") and value is not None:
        return UUID(str(value))
    return tuple(value) if isinstance(value, list) else value
