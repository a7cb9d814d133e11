"""Faithful stems: what an engine separates becomes 24-bit FLAC files that sum to the decoded input.

Whatever the engine, its finished samples come in blocks. They wait as float32 in scratch files until the highest peak
is known; then all stems are written with one common gain, so that none passes full scale. The *closing* stem is not the
engine's: it is input − the quantised others, in whole steps of 24 bits, so the files sum to the input (times the gain)
to half a step. Without a closing stem every stem is the engine's own and nothing closes the sum.
"""

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soundforge_runners._peaks import PeaksWriter
from soundforge_runners._protocol import Refused
from soundforge_runners._sound_file import SoundOut

Samples: TypeAlias = NDArray[np.float32]  # [frames, channels], full scale is ±1
Steps: TypeAlias = NDArray[np.int32]  # the same in steps of 24 bits

FULL_SCALE = 1 << 23
BLOCK_FRAMES = 1 << 17
MAX_RATE_HZ = 655_350  # what FLAC can say
MAX_CHANNELS = 8
CLOSING = "other"  # the stem that closes the sum when all are made
COMPRESSION = 0.375  # FLAC level 3: 4 % larger files than level 5 for a third less time

_ONLY_SOME = {"code": "only_some_stems", "sentence": "Only some stems were made, so they do not add up to the song."}


@dataclass(frozen=True)
class Source:
    """Decoded audio: raw float32, little endian, channels interleaved, no header.

    ``frames`` frames of the file from frame ``first`` on: all of it, or a region that a user chose.
    """

    path: Path
    rate_hz: int
    channels: int
    frames: int
    first: int = 0

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> Self:
        """Take ``pcm``, ``sample_rate_hz``, ``channels``, ``frames`` and, if there is one, ``region`` of a request.

        ``region`` is ``[first, stop]`` in frames. Refuses what stems cannot be made of: ``no_sound``,
        ``pcm_incomplete`` or what FLAC has no room for.
        """
        path, frames = Path(request["pcm"]), int(request["frames"])
        rate_hz, channels = int(request["sample_rate_hz"]), int(request["channels"])
        first, stop = request.get("region") or (0, frames)
        if not 0 <= first < stop <= frames:
            raise Refused("no_sound", "There is no sound in this file.")
        if path.stat().st_size != frames * channels * 4:
            raise Refused("pcm_incomplete", "The decoded audio is not as long as it should be.", family="broken")
        if not 1 <= rate_hz <= MAX_RATE_HZ or not 1 <= channels <= MAX_CHANNELS:
            raise Refused("unsupported_format", "Stems cannot be kept at this sample rate or number of channels.")
        return cls(path, rate_hz, channels, stop - first, first)

    def read(self, start: int, stop: int) -> Samples:
        """Frames ``start`` to ``stop``, which may lie outside the file: silence there.

        Raises Refused (``not_finite``) for NaN or infinity, before an engine chokes on it in words of its own.
        """
        first, last = min(max(start, 0), self.frames), max(min(stop, self.frames), 0)
        out = np.zeros((stop - start, self.channels), np.float32)
        if last > first:
            count = (last - first) * self.channels
            flat = np.fromfile(self.path, "<f4", count, offset=(self.first + first) * self.channels * 4)
            out[first - start : last - start] = flat.reshape(-1, self.channels)
        if not np.isfinite(out).all():
            raise Refused("not_finite", "The decoded audio holds samples that are no numbers.", family="broken")
        return out


@dataclass(frozen=True)
class Outputs:
    """Which stems become files, which of them closes the sum, and what the engine must make for it."""

    names: tuple[str, ...]
    closing: str | None
    needed: tuple[str, ...]
    warnings: tuple[dict[str, str], ...] = ()

    @classmethod
    def from_request(cls, request: Mapping[str, Any], made: Sequence[str]) -> Self:
        """Take ``stems``, ``two_stem`` and ``raw`` of a request to an engine that can make the stems ``made``.

        Refuses (``unknown_stem``) what the engine cannot make.
        """
        wanted, voice = request.get("stems") or made, request.get("two_stem")
        if not {*wanted, *([voice] if voice else [])} <= set(made):
            raise Refused("unknown_stem", f"This model makes no stem of that name; it makes {', '.join(made)}.")
        if voice:
            return cls((voice, f"no_{voice}"), f"no_{voice}", (voice,))
        names = tuple(name for name in made if name in wanted)
        if len(names) < len(made):
            return cls(names, None, names, (_ONLY_SOME,))
        closing = CLOSING if CLOSING in names and not request.get("raw") else None
        return cls(names, closing, tuple(name for name in names if name != closing))

    def of(self, made: Mapping[str, Samples]) -> dict[str, Samples]:
        """What is to be written of a block of stems that the engine made."""
        return {name: made[name] for name in self.needed if name in made}


class StemWriter:
    """Takes the stems of one song block by block and leaves FLAC and peaks files in a folder."""

    def __init__(self, source: Source, folder: Path, names: Sequence[str], *, closing: str | None) -> None:
        """Write the stems ``names`` into ``folder``; ``closing`` names the one that closes the sum, if any does.

        Refuses (``disk_full``) when scratch and results cannot fit.
        """
        if closing is not None and closing not in names:
            raise ValueError(f"{closing} is not among {names}")
        self._source, self._folder, self._names, self._closing = source, folder, tuple(names), closing
        self._open = [name for name in names if name != closing]
        self._frames, self._peak = dict.fromkeys(self._open, 0), 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._check_room()
        self._scratch: dict[str, BinaryIO] = {name: (folder / f"{name}.f32").open("w+b") for name in self._open}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, scratch in self._scratch.items():
            (self._folder / f"{name}.f32").unlink(missing_ok=True)
            with suppress(OSError):  # of a disk that is full; nobody will read it any more
                scratch.close()

    def add(self, block: Mapping[str, Samples]) -> None:
        """Take the next finished samples of some stems, float32 [frames, channels] each; stems need not keep step.

        The closing stem may be among them; it is passed over. Raises Refused (``not_finite``) for NaN.
        """
        for name, stem in block.items():
            if name == self._closing:
                continue
            samples = np.ascontiguousarray(stem, "<f4")
            if samples.ndim != 2 or samples.shape[1] != self._source.channels:
                raise ValueError(f"{name}: {samples.shape} instead of {self._source.channels} channels")
            self._keep_peak(samples)
            self._scratch[name].write(samples.tobytes())
            self._frames[name] += len(samples)

    def finish(self, on_progress: Callable[[float], None] = lambda _share: None) -> dict[str, Any]:
        """Encode everything; ``on_progress`` hears the share done, 0 to 1.

        Gives ``{"stems": [{"name", "path", "peaks_path"}], "gain_db", "closing"}``: played at ``-gain_db`` the stems
        have the level of the input; ``closing`` is empty when nothing closes the sum.
        """
        if set(self._frames.values()) != {self._source.frames}:
            raise ValueError(f"{self._frames} of {self._source.frames} frames came")
        if self._closing is not None:
            self._keep_closing_peak()
        gain_db = self._gain_db()
        files = {name: (self._folder / f"{name}.flac", self._folder / f"{name}.dat") for name in self._names}
        self._encode(np.float64(10 ** (gain_db / 20)), files, on_progress)
        stems = [{"name": name, "path": str(flac), "peaks_path": str(dat)} for name, (flac, dat) in files.items()]
        return {"stems": stems, "gain_db": gain_db, "closing": self._closing or ""}

    def _check_room(self) -> None:
        samples = self._source.frames * self._source.channels
        need = samples * 4 * len(self._open) + samples * 3 * len(self._names)
        if shutil.disk_usage(self._folder).free < need:
            raise Refused("disk_full", "There is not enough disk space for the stems.", family="unavailable")

    def _keep_peak(self, samples: Samples) -> None:
        peak = float(np.max(np.abs(samples), initial=0.0))
        if not math.isfinite(peak):
            raise Refused("not_finite", "The separation gave samples that are no numbers.", family="broken")
        self._peak = max(self._peak, peak)

    def _keep_closing_peak(self) -> None:
        for start, stop in self._blocks():
            rest = self._source.read(start, stop)
            for name in self._open:
                rest -= self._scratch_samples(name, start, stop)
            self._keep_peak(rest)

    def _blocks(self) -> Iterator[tuple[int, int]]:
        frames = self._source.frames
        return ((start, min(start + BLOCK_FRAMES, frames)) for start in range(0, frames, BLOCK_FRAMES))

    def _scratch_samples(self, name: str, start: int, stop: int) -> Samples:
        channels, scratch = self._source.channels, self._scratch[name]
        scratch.seek(start * channels * 4)
        return np.frombuffer(scratch.read((stop - start) * channels * 4), "<f4").reshape(-1, channels)

    def _gain_db(self) -> float:
        """The common gain, in whole hundredths of a dB, 0 when nothing passes full scale.

        Rounding may carry the closing stem half a step per stem past its own peak; that room is kept free.
        """
        limit = (FULL_SCALE - 2 - len(self._names)) / FULL_SCALE
        return 0.0 if self._peak <= limit else math.floor(2000 * math.log10(limit / self._peak)) / 100

    def _encode(
        self, gain: np.float64, files: Mapping[str, tuple[Path, Path]], on_progress: Callable[[float], None]
    ) -> None:
        rate, channels, frames = self._source.rate_hz, self._source.channels, self._source.frames
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(_Files(flac, dat, rate, channels)) for name, (flac, dat) in files.items()
            }
            for start, stop in self._blocks():
                for name, steps in self._quantised(start, stop, gain).items():
                    writers[name].write(steps)
                on_progress(stop / frames)

    def _quantised(self, start: int, stop: int, gain: np.float64) -> dict[str, Steps]:
        steps = {name: to_steps(self._scratch_samples(name, start, stop), gain) for name in self._open}
        if self._closing is not None:
            whole = to_steps(self._source.read(start, stop), gain)
            for one in list(steps.values()):
                whole -= one
            steps[self._closing] = whole
        return steps


class _Files:
    """The two files of one stem."""

    def __init__(self, flac: Path, dat: Path, rate_hz: int, channels: int) -> None:
        with ExitStack() as stack:
            self._flac = stack.enter_context(SoundOut(flac, rate_hz, channels, "PCM_24", compression=COMPRESSION))
            self._peaks = stack.enter_context(PeaksWriter(dat, rate_hz, channels))
            self._end = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.close()

    def write(self, steps: Steps) -> None:
        self._flac.write(steps << 8)  # libsndfile takes the upper 24 of 32 bits
        self._peaks.add(steps.astype(np.float32) / np.float32(FULL_SCALE))


def to_steps(samples: Samples, gain: np.float64) -> Steps:
    """Quantise float samples times ``gain`` to whole steps of 24 bits, half to even; not limited to full scale."""
    return np.rint(samples * (gain * FULL_SCALE)).astype(np.int32)
