"""Small frozen values that go in and out of the library."""

from dataclasses import dataclass, field
from typing import Any, TypedDict
from uuid import UUID, uuid4


@dataclass(frozen=True)
class NewFile:
    """An object that lies in storage already, about to become real by its row."""

    key: str
    size_bytes: int
    sha256: str
    media_type: str
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class NewTrack:
    """A decoded song about to enter the library."""

    title: str
    artist: str
    album: str
    source: str
    audio: NewFile
    mix: NewFile
    cover: NewFile | None
    audio_sha256: str
    frames: int
    duration_ms: int
    sample_rate_hz: int
    channels: int
    format: str
    isrc: str | None = None
    year: int | None = None
    warnings: tuple[str, ...] = ()
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class NewStem:
    """One separated stem."""

    name: str
    audio: NewFile
    peaks: NewFile | None
    gain_db: float


@dataclass(frozen=True)
class NewPart:
    """One finished stage of an analysis; ``file`` when the stage made one (peaks)."""

    stage: str
    algorithm_version: str
    document: dict[str, Any]
    file: NewFile | None = None


@dataclass(frozen=True)
class NewCorrection:
    """What a user says of one field, and what the analysis says of it; None where it says nothing."""

    field: str
    value: dict[str, Any]
    found: dict[str, Any] | None


@dataclass(frozen=True)
class Figures:
    """What an analysis found that lists show and sort by."""

    bpm: float | None
    musical_key: str | None
    camelot: str | None
    loudness_lufs: float | None = None


@dataclass(frozen=True)
class Query:
    """What somebody wants to see of the library."""

    search: str = ""  # words and fields as they were typed: see _terms
    sort: str = "created"  # a name of TRACK_SORTS; or "near", where ``among`` or ``bpm`` is given: the nearest first
    descending: bool = True
    among: tuple[UUID, ...] | None = None  # only these, the nearest first
    keys: tuple[str, ...] = ()  # only these places on the Camelot wheel
    bpm: float | None = None  # only tempos as near as a deck can bridge, also half or twice as fast
    apart_from: UUID | None = None  # all but this one


@dataclass(frozen=True)
class Selection:
    """Tracks that shall be acted on together: these, or all that a query finds but some."""

    ids: tuple[UUID, ...] = ()
    query: Query | None = None
    without: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class NewSong:
    """A song that somebody wants: as much as is known of it before there is any audio."""

    title: str
    artist: str
    album: str = ""
    duration_ms: int | None = None
    source: str = "text"  # spotify, youtube, soundcloud, bandcamp, text
    source_url: str = ""
    spotify_id: str = ""
    isrc: str = ""
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class Linked:
    """The track that a song became, or was already."""

    track_id: UUID
    is_new: bool
    has_audio: bool


@dataclass(frozen=True)
class NewPlaylist:
    """A list about to be read. ``kind`` is playlist, album or list; ``source_id`` tells it from others of its kind."""

    kind: str
    source_id: str
    title: str
    made_by: str = ""
    total: int | None = None


@dataclass(frozen=True)
class NewEntry:
    """One entry of a list: its track, or in ``skip`` why there is none. ``entry_id`` is what the source calls it."""

    position: int
    entry_id: str
    title: str
    track_id: UUID | None = None
    skip: str | None = None


@dataclass(frozen=True)
class NewCandidate:
    """One place where a track's audio may be; ``score`` 0 to 100."""

    title: str
    channel: str
    duration_ms: int | None
    score: float
    url: str
    is_chosen: bool = False


@dataclass(frozen=True)
class NewAudio:
    """Decoded audio about to become a track's: what ``NewTrack`` has beside its words."""

    audio: NewFile
    mix: NewFile
    cover: NewFile | None
    audio_sha256: str
    frames: int
    duration_ms: int
    sample_rate_hz: int
    channels: int
    format: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewCue:
    """A moment to be marked, ``t_s`` seconds into the track: a hot cue on pad ``slot`` (1 to 8), or a memory cue.

    Without a colour it gets the one of its pad.
    """

    t_s: float
    slot: int | None = None
    name: str = ""
    colour: str = ""


class CueChange(TypedDict, total=False):
    """What of a cue point becomes another; ``slot`` None makes it a memory cue."""

    t_s: float
    slot: int | None
    name: str
    colour: str
