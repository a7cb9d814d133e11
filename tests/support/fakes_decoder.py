"""A decoder without a child, for tests of those who use one."""

import asyncio
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from soundforge.engines import Decoded, OnProgress, Pcm, Tags, Warning_
from soundforge.errors import Invalid, SoundForgeError


class FakeDecoder:
    """Decodes WAV, AIFF, FLAC, Ogg and M4A in this process; says ``tags``; fails with ``fault``; waits for ``gate``."""

    def __init__(
        self, *, tags: Tags | None = None, fault: SoundForgeError | None = None, gate: asyncio.Event | None = None
    ) -> None:
        self.tags, self.fault, self.gate = tags or Tags(), fault, gate
        self.started = asyncio.Event()
        self.decoded: list[Path] = []

    async def decode(
        self, source: Path, out: Path, *, folder: Path, max_duration_s: float, on_progress: OnProgress | None = None
    ) -> Decoded:
        folder.mkdir(parents=True, exist_ok=True)
        self.started.set()
        if self.gate:
            await self.gate.wait()
        if self.fault:
            raise self.fault
        pcm, kind, warnings = _decode(source, out, max_duration_s)
        self.decoded.append(source)
        if on_progress:
            on_progress(50.0, "decoding")
            on_progress(100.0, "decoding")
        return Decoded(pcm, kind, self.tags, None, warnings)


def _read(source: Path) -> tuple[str, NDArray[np.float32], int]:
    try:
        kind = str(soundfile.info(source).format).lower()
        samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return _read_m4a(source)
    return kind, samples, rate


def _read_m4a(source: Path) -> tuple[str, NDArray[np.float32], int]:
    try:
        with av.open(str(source)) as container:
            rate = int(container.streams.audio[0].rate)
            frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    except (av.FFmpegError, IndexError) as error:
        raise Invalid("This is not an audio file.", code="not_audio") from error
    return "m4a", np.concatenate(frames, axis=1).T.astype(np.float32), rate


def _decode(source: Path, out: Path, max_duration_s: float) -> tuple[Pcm, str, tuple[Warning_, ...]]:
    if not source.stat().st_size:
        raise Invalid("The file is empty.", code="empty_file")
    kind, samples, rate = _read(source)
    if not np.isfinite(samples).all():
        raise Invalid("The file holds samples that are no numbers.", code="nan_samples")
    if len(samples) > max_duration_s * rate:
        raise Invalid("The audio is too long.", code="too_long")
    warnings: tuple[Warning_, ...] = ()
    if samples.shape[1] > 2:
        samples = np.repeat(samples.mean(axis=1, keepdims=True), 2, axis=1)
        warnings = (Warning_("downmixed", "The file has more than two channels; they were mixed to stereo."),)
    samples.astype("<f4").tofile(out)
    return Pcm(out, rate, samples.shape[1], len(samples)), kind, warnings
