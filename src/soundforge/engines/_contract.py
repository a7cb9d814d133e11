"""What an engine is: decoders, separators and analyzers as Protocols, and the values they exchange.

An engine works on files of one folder that its caller owns and removes; it knows no database, no storage and no job.
Durations end in ``_s``, counts of frames are per channel.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from soundforge.errors import Invalid

type OnProgress = Callable[[float, str], None]  # percent 0..100, stage; cheap, called on the event loop

MAX_OVERLAP, MAX_SHIFTS = 0.9, 10


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
    year: int | None = None


@dataclass(frozen=True)
class Decoded:
    """A decoded file. ``format`` is one of ``wav aiff flac mp3 aac ogg opus m4a``; ``cover`` a JPEG or PNG file."""

    pcm: Pcm
    format: str
    tags: Tags
    cover: Path | None = None
    warnings: tuple[Warning_, ...] = ()


@dataclass(frozen=True)
class SeparateOptions:
    """What may be asked of a separation; the defaults are what is done when nothing is said.

    ``stems``      the wanted ones, in any order; empty: all that the model makes. Only some do not sum to the song
    ``two_stem``   this stem and ``no_<stem>``, which closes the sum
    ``raw``        the model's own last stem, not one that closes the sum
    ``region_s``   only this part of the song, from and to in seconds: the stems are as long as the region
    ``overlap``    share of a segment, 0 to 0.9, that the next one covers again; more costs more
    ``shifts``     how often the song is separated, shifted against the segments, and averaged, 0 to 10
    ``precision``  "float32", or "bfloat16" where ``Separator.precisions`` has it: faster, 35 dB from exact

    An engine without segments passes over the last three.
    """

    stems: tuple[str, ...] = ()
    two_stem: str = ""
    raw: bool = False
    region_s: tuple[float, float] | None = None
    overlap: float = 0.25
    shifts: int = 1
    precision: str = "float32"

    def check(self, made: Sequence[str], precisions: Sequence[str], duration_s: float | None = None) -> None:
        """Refuse what a model that makes the stems ``made`` cannot do. Raises Invalid; ``fields`` name the option.

        Codes: ``unknown_stem``, ``unknown_precision`` and ``unknown_option``. Without ``duration_s`` the region's end
        is not looked at.
        """
        missing = [name for name in (*self.stems, self.two_stem) if name and name not in made]
        if missing:
            sentence = f"This model makes no {missing[0]}; it makes {', '.join(made)}."
            raise Invalid(sentence, code="unknown_stem", fields={"stems": sentence})
        if self.precision not in precisions:
            other = f"This engine cannot work in {self.precision} here; it can in {', '.join(precisions)}."
            raise Invalid(other, code="unknown_precision", fields={"precision": other})
        faults = self._faults(duration_s)
        if faults:
            raise Invalid("These options cannot be.", code="unknown_option", fields=faults)

    def _faults(self, duration_s: float | None) -> dict[str, str]:
        faults = {}
        if self.stems and self.two_stem:
            faults["two_stem"] = "Choose some stems, or one stem and the rest, not both."
        if self.raw and self.two_stem:
            faults["raw"] = "Of two stems the second is always the rest of the song; leave out raw."
        if not 0 <= self.overlap <= MAX_OVERLAP:
            faults["overlap"] = f"The overlap is a number from 0 to {MAX_OVERLAP}."
        if not 0 <= self.shifts <= MAX_SHIFTS:
            faults["shifts"] = f"The shifts are a whole number from 0 to {MAX_SHIFTS}."
        start, stop = self.region_s or (0, 1)
        if not 0 <= start < stop < math.inf or (self.region_s and duration_s is not None and start >= duration_s):
            faults["region_s"] = "The region must begin before it ends, and inside the song."
        return faults


DEFAULT_OPTIONS = SeparateOptions()


@dataclass(frozen=True)
class StemFile:
    """One stem: 24-bit FLAC at the source's rate and length, and its waveform peaks (audiowaveform .dat)."""

    name: str
    path: Path
    peaks_path: Path | None


@dataclass(frozen=True)
class Separated:
    """The stems of a song. ``cost`` has cpu_s, wall_s, peak_rss_mb.

    Played at ``-gain_db`` they sum to the input, if there is a ``closing`` stem; it is empty when nothing closes the
    sum (some stems only, or raw).
    """

    stems: tuple[StemFile, ...]
    gain_db: float
    warnings: tuple[Warning_, ...]
    engine: str
    model: str
    cost: Mapping[str, float] = field(default_factory=dict)
    closing: str = ""


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

    def precisions(self) -> tuple[str, ...]:
        """Number formats it can work in on this machine, the default first, e.g. ``float32``, ``bfloat16``."""
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
        options: SeparateOptions = DEFAULT_OPTIONS,
        on_progress: OnProgress | None = None,
    ) -> Separated:
        """Write the stems into ``folder``. Raises Invalid for a model or an option that is none."""
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
