"""A listener that hears how loud and how quick a stem is, and singing where vocals sound at all."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundforge.engines import HeardStems, Likeness, OnProgress, Part
from soundforge.errors import Broken


class FakeListener:
    """Fake of HearStems; with ``error`` it fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def __call__(
        self, files: Mapping[str, Path], *, folder: Path, on_progress: OnProgress | None = None
    ) -> HeardStems:
        folder.mkdir(parents=True, exist_ok=True)
        if self.error:
            raise self.error
        sounds = {name: await asyncio.to_thread(_read, path) for name, path in files.items()}
        if on_progress:
            on_progress(100.0, "vocals")
        vectors = {name: _vector(*sound) for name, sound in sounds.items()}
        likeness = {name: Likeness("sfa-69-v1", values) for name, values in vectors.items() if values}
        return HeardStems(likeness, _vocals(*sounds["vocals"]) if "vocals" in sounds else None)


def _read(path: Path) -> tuple[NDArray[np.float32], int]:
    try:
        return soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Broken("The stem cannot be read.", code="engine_garbage", detail=repr(error)) from error


def _vector(sound: NDArray[np.float32], rate_hz: int) -> tuple[float, ...]:
    if len(sound) < 3 * rate_hz or not np.abs(sound).max(initial=0) > 0:
        return ()
    loud, quick = float(np.abs(sound).mean()), float(np.abs(np.diff(sound, axis=0)).mean())
    return (loud, quick, *[0.0] * 67)


def _vocals(sound: NDArray[np.float32], rate_hz: int) -> Part:
    sounding = np.nonzero(np.abs(sound).max(axis=1, initial=0) > 0)[0] / rate_hz
    ends = (float(sounding[0]), float(sounding[-1])) if len(sounding) else ()
    spans = [{"start_s": ends[0], "end_s": ends[1], "confidence": 1.0}] if ends else []
    share = (ends[1] - ends[0]) * rate_hz / len(sound) if ends else 0.0
    return Part("vocals", {"vocals": {"share": share, "spans": spans}}, version="fake-1")
