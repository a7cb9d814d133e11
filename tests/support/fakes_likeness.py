"""A listener that hears how loud and how quick a stem is, and nothing else."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from soundforge.engines import Likeness, OnProgress
from soundforge.errors import Broken


class FakeLikeness:
    """Fake of HearLikeness; with ``error`` it fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def __call__(
        self, files: Mapping[str, Path], *, folder: Path, on_progress: OnProgress | None = None
    ) -> dict[str, Likeness]:
        folder.mkdir(parents=True, exist_ok=True)
        if self._error:
            raise self._error
        found = {name: await asyncio.to_thread(_hear, path) for name, path in files.items()}
        if on_progress:
            on_progress(100.0, "likeness")
        return {name: Likeness("sfa-69-v1", values) for name, values in found.items() if values}


def _hear(path: Path) -> tuple[float, ...]:
    try:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Broken("The stem cannot be read.", code="engine_garbage", detail=repr(error)) from error
    if len(sound) < 3 * rate or not np.abs(sound).max(initial=0) > 0:
        return ()
    loud, quick = float(np.abs(sound).mean()), float(np.abs(np.diff(sound, axis=0)).mean())
    return (loud, quick, *[0.0] * 67)
