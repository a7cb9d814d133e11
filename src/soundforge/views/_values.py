"""What pages, API and CLI show: frozen values, free of rows and sessions."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from soundforge.formats import sung_share

_CUES = {
    "first_downbeat": "First bar",
    "mix_in": "Mix in",
    "drop": "Drop",
    "vocals_in": "Vocals in",
    "vocals_out": "Vocals out",
    "mix_out": "Mix out",
    "fade_out": "Fade",
}


@dataclass(frozen=True)
class Songs:
    """What became of the songs that an import asked for: downloads in all, done, and failed for good."""

    total: int
    done: int
    failed: int
    active: int

    @property
    def text(self) -> str:
        """Return it for people, as in "31 of 42 songs, 2 failed"."""
        told = f"{self.done} of {self.total} songs"
        return f"{told}, {self.failed} failed" if self.failed else told


@dataclass(frozen=True)
class JobView:
    """One job as people see it. ``progress`` is 0–100."""

    id: UUID
    kind: str
    status: str
    progress: int
    stage: str
    run: int
    attempt: int
    max_attempts: int
    track_id: UUID | None
    parent_id: UUID | None
    title: str
    error_code: str | None
    error: str | None
    wait_reason: str | None
    waiting: str  # for a queued job asked for alone: "waiting: 2 ahead, about 4 min"
    next_attempt_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any]
    may_cancel: bool
    may_retry: bool
    songs: Songs | None = None  # of an import that asked for downloads
    stages_s: tuple[tuple[str, float], ...] = ()  # how long each stage of the last run took, in their order
    failed_lines: int = 0  # of an import: lines that came to nothing and that no later one has taken up

    @property
    def failed(self) -> int:
        """How much of an import can be tried again."""
        return self.failed_lines + (self.songs.failed if self.songs else 0)

    @property
    def ran_s(self) -> float | None:
        """How long its last run took, or None while it has not ended; in seconds."""
        return _between(self.started_at, self.finished_at)

    @property
    def waited_s(self) -> float | None:
        """How long it waited for its last run, or None before that began; in seconds."""
        return _between(self.created_at, self.started_at)

    @property
    def took(self) -> str:
        """How long its last run took, as in "0:42"; empty before it ended."""
        return "" if self.ran_s is None else _clock(self.ran_s)


@dataclass(frozen=True)
class Audio:
    """What can be played of a track: a FLAC file of ours. ``rate`` in Hz, ``frames`` per channel."""

    file: UUID
    rate: int
    frames: int


@dataclass(frozen=True)
class TrackRow:
    """One line of the library."""

    id: UUID
    title: str
    artist: str
    album: str
    bpm: float | None
    musical_key: str | None
    camelot: str | None
    duration_ms: int | None
    stems: tuple[str, ...]  # names of the newest separation, in the order of the mixer
    jobs: tuple[JobView, ...]  # what runs, waits or failed last, one per kind
    audio: Audio | None  # the mix; None until it is decoded
    cover_file_id: UUID | None
    created_at: datetime
    loudness_lufs: float | None = None
    year: int | None = None
    is_doubtful: bool = False  # found by a search: somebody should listen whether it is the right song


@dataclass(frozen=True)
class Neighbour:
    """A track that goes with another one."""

    track: TrackRow
    likeness: float | None  # how much alike they sound, -1 to 1; None where they were chosen to mix
    relation: str  # of its key to the other: "a fifth up"; empty where they were chosen by sound
    tempo_change: float | None  # per cent by which it is played faster to go along, also at half or twice the speed


@dataclass(frozen=True)
class NearView:
    """What a list of neighbours says of itself: "Sounds like", whose track, and what that means."""

    kind: str
    track_id: UUID
    stem: str
    words: str
    title: str
    note: str


@dataclass(frozen=True)
class LibraryPage:
    """One page of the library, ``next`` the cursor of the one after."""

    rows: tuple[TrackRow, ...]
    next: str | None
    total: int | None  # only counted for the first page
    near: NearView | None = None  # only told on the first page of neighbours
    rest: int = 0  # rows of a page seen before that it can no longer hold; they begin at ``next``


@dataclass(frozen=True)
class StemView:
    """One stem of a set; ``gain_db`` was applied when it was made and is undone by whoever plays it."""

    name: str
    file_id: UUID
    peaks_file_id: UUID | None
    gain_db: float


@dataclass(frozen=True)
class StemSet:
    """The stems that one separation made."""

    job_id: UUID
    engine: str
    model: str
    created_at: datetime
    stems: tuple[StemView, ...]
    warnings: tuple[str, ...]
    why: str = ""  # this model
    region_s: tuple[float, float] | None = None  # only this part of the song: a preview

    @property
    def is_basic(self) -> bool:
        """Whether the built-in separator made them, without any learned model."""
        return self.engine == "dsp"


@dataclass(frozen=True)
class CandidateView:
    """One place where the audio may be; ``score`` 0 to 100 says how well it agrees."""

    id: UUID
    title: str
    channel: str
    duration_ms: int | None
    score: float
    url: str
    is_chosen: bool


@dataclass(frozen=True)
class CueView:
    """A moment that somebody marked: a hot cue on pad ``slot``, or a memory cue."""

    id: UUID
    track_id: UUID
    slot: int | None
    t_s: float
    name: str
    colour: str

    @property
    def clock(self) -> str:
        """As people read it, to the hundredth: "1:02.35"."""
        return f"{int(self.t_s) // 60}:{self.t_s % 60:05.2f}"


@dataclass(frozen=True)
class TrackView:
    """Everything about one track."""

    row: TrackRow
    format: str | None
    sample_rate_hz: int | None
    channels: int | None
    source: str
    audio_file_id: UUID | None
    peaks_file_id: UUID | None
    warnings: tuple[str, ...]
    stem_sets: tuple[StemSet, ...]  # of the whole song, the newest first
    previews: tuple[StemSet, ...]  # of a region of it
    document: dict[str, Any]  # the analysis document, {} before there is one
    embedded: tuple[str, ...]  # what of it can be compared: "" for the song, names of stems
    document_version: str  # another one whenever the document is another
    jobs: tuple[JobView, ...]  # all jobs of the track, the newest first
    source_url: str | None = None  # where the audio is from
    spotify_url: str | None = None
    candidates: tuple[CandidateView, ...] = ()  # of the newest download that found any, the best first
    cue_points: tuple[CueView, ...] = ()  # hot cues by their pads, then memory cues by their time

    @property
    def download(self) -> JobView | None:
        """The newest download, if there was one."""
        return next((job for job in self.jobs if job.kind == "download"), None)

    @property
    def exports(self) -> list[JobView]:
        """What was packed and rendered, the newest of each name, at most five."""
        made = [job for job in self.jobs if job.kind == "export" and "file_id" in job.result]
        return list({job.result["name"]: job for job in reversed(made)}.values())[::-1][:5]

    @property
    def sets_by_name(self) -> list[tuple[UUID, str]]:
        """The newest four separations, the oldest of them first: job and model; a number tells equal ones apart."""
        sets, seen = self.stem_sets[:4][::-1], list[str]()
        for each in sets:
            seen.append(each.model)
        names = [f"{name} {seen[: i + 1].count(name)}" if seen.count(name) > 1 else name for i, name in enumerate(seen)]
        return [(each.job_id, name or "stems") for each, name in zip(sets, names, strict=True)]

    def found(self, field: str) -> str:
        """What was found of a field that its user put right, in a few words; empty where nobody did."""
        found = (self.document.get("corrections", {}).get(field) or {}).get("found") or {}
        words = {"tempo": "{bpm:.1f} BPM", "key": "{tonic} {mode}", "meter": "{signature}"}[field]
        return f"Found: {words.format(**found)}" if found else ""

    @property
    def sung(self) -> int | None:
        """Per cent of the song with singing; None where nobody has heard a vocal stem, or what it holds is a guess."""
        share = sung_share(self.document.get("vocals"))
        return None if share is None else round(100 * share)

    @property
    def sections(self) -> list[tuple[float, str, str]]:
        """Start in seconds, name and clock time of every section."""
        found = self.document.get("sections") or []
        return [
            (one["start_s"], (one.get("label") or one["group"]).capitalize(), _clock(one["start_s"])) for one in found
        ]

    @property
    def cues(self) -> list[tuple[float, str, str, str]]:
        """Second, name, clock time and kind of the cue points found, but for sections, which are shown as such."""
        found = self.document.get("cues") or []
        named = [(one["t_s"], _CUES.get(one["kind"], ""), _clock(one["t_s"]), one["kind"]) for one in found]
        return [cue for cue in named if cue[1]]


@dataclass(frozen=True)
class MixView:
    """A saved mix; ``link`` is where others of this studio hear it, if it was shared."""

    id: UUID
    name: str
    state: dict[str, Any]
    link: str | None
    updated_at: datetime


@dataclass(frozen=True)
class SharedView:
    """A shared mix as somebody with its link sees it: the track, the stems it was made with, and by whom."""

    mix: MixView
    track: TrackView
    stem_set: StemSet | None
    owner: str


def _between(began: datetime | None, ended: datetime | None) -> float | None:
    return max(0.0, (ended - began).total_seconds()) if began and ended else None


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def plain(value: Any) -> Any:
    """A frozen value of ours as JSON can hold it."""
    return json.loads(json.dumps(asdict(value), default=str))
