"""What an engine is: decoders, separators and analyzers as Protocols, and the values they exchange.

An engine works on files of one folder that its caller owns and removes; it knows no database, no storage and no job.
Durations end in ``_s``, counts of frames are per channel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

type OnProgress = Callable[[float, str], None]  # percent 0..100, stage; cheap, called on the event loop


@dataclass(frozen=True)
class Pcm:
    """Decoded audio that we wrote ourselves: raw float32, little endian, channels interleaved, no header."""

    path: Path
    sample_rate_hz: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz

    @property
    def size_bytes(self) -> int:
        """Size the file must have."""
        return self.frames * self.channels * 4


@dataclass(frozen=True)
class Warning_:  # noqa: N801 - a value for the user, not Python's Warning
    """Something the user should know about a result that is good nevertheless."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Tags:
    """What the file says of itself; empty where it says nothing. Clean text: no control characters, ≤ 500 letters."""

    title: str = ""
    artist: str = ""
    album: str = ""
    isrc: str = ""


@dataclass(frozen=True)
class Decoded:
    """A decoded file. ``format`` is one of ``wav aiff flac mp3 aac ogg opus m4a``; ``cover`` a JPEG or PNG file."""

    pcm: Pcm
    format: str
    tags: Tags
    cover: Path | None = None
    warnings: tuple[Warning_, ...] = ()


@dataclass(frozen=True)
class StemFile:
    """One stem: 24-bit FLAC at the source's rate and length, and its waveform peaks (audiowaveform .dat)."""

    name: str
    path: Path
    peaks_path: Path | None


@dataclass(frozen=True)
class Separated:
    """The stems of a song. Played ``-gain_db`` they sum to the input; ``cost`` has cpu_s, wall_s, peak_rss_mb."""

    stems: tuple[StemFile, ...]
    gain_db: float
    warnings: tuple[Warning_, ...]
    engine: str
    model: str
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One finished stage of an analysis: its document, the file that belongs to it (peaks), the algorithm's version."""

    stage: str
    document: Mapping[str, Any]
    path: Path | None = None
    version: str = ""


@dataclass(frozen=True)
class Analyzed:
    """All parts of an analysis, in the order they came; ``cost`` has cpu_s, wall_s, peak_rss_mb."""

    parts: tuple[Part, ...]
    algorithm_version: str
    warnings: tuple[Warning_, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)


class Decoder(Protocol):
    """Turns one untrusted file into PCM."""

    async def decode(
        self, source: Path, out: Path, *, folder: Path, max_duration_s: float, on_progress: OnProgress | None = None
    ) -> Decoded:
        """Decode ``source`` into the new file ``out``; ``folder`` is scratch and takes the cover.

        Rate and channels stay as they are, but more than two channels become stereo. Raises Invalid with code
        ``empty_file``, ``not_audio``, ``no_audio_stream``, ``truncated``, ``nan_samples``, ``too_long``,
        ``too_large``, ``encrypted`` or ``unsupported_codec``, and what ``children`` raises for a child that fails.
        """
        ...


class Separator(Protocol):
    """Splits PCM into stems."""

    @property
    def name(self) -> str:
        """Short name, as in job parameters, e.g. ``dsp``."""
        ...

    @property
    def label(self) -> str:
        """Name for people."""
        ...

    def models(self) -> tuple[str, ...]:
        """Names of the models that could run here now, the best first; empty when the engine is not installed."""
        ...

    def stems(self, model: str) -> tuple[str, ...]:
        """Names of the stems the model makes, in the order they are shown."""
        ...

    def needs_mb(self, seconds: float) -> int:
        """Memory the child needs for a song of that length."""
        ...

    async def separate(
        self,
        pcm: Pcm,
        *,
        model: str,
        folder: Path,
        threads: int,
        raw: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Separated:
        """Write the stems into ``folder``; ``raw``: the model's own ``other``, not one that closes the sum."""
        ...


class Analyzer(Protocol):
    """Listens to PCM."""

    async def analyze(
        self,
        pcm: Pcm,
        *,
        folder: Path,
        threads: int,
        on_progress: OnProgress | None = None,
        on_part: Callable[[Part], None] | None = None,
    ) -> Analyzed:
        """Analyse; ``on_part`` hears each stage as it is done, peaks first. Files lie in ``folder``."""
        ...
