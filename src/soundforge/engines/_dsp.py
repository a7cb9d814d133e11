"""The built-in separator: signal processing alone, no model to download."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundforge.children import Limits, call, runner, threads_env
from soundforge.errors import Broken

from ._contract import OnProgress, Pcm, Separated, StemFile, Warning_
from ._paths import path_inside

STEMS = ("vocals", "drums", "bass", "other")
_MEMORY_MB = 1024
_BASE_S, _PER_MINUTE_S = 120, 120


class DspSeparator:
    """Separates with ``soundforge_runners.separate_dsp``."""

    name = "dsp"
    label = "Basic separation"

    def models(self) -> tuple[str, ...]:
        """Itself: it is always there."""
        return ("dsp",)

    def stems(self, model: str) -> tuple[str, ...]:  # noqa: ARG002 - there is one model
        """Vocals, drums, bass, other."""
        return STEMS

    def needs_mb(self, seconds: float) -> int:  # noqa: ARG002 - it works in blocks
        """As much for any length."""
        return _MEMORY_MB

    async def separate(
        self, pcm: Pcm, *, model: str, folder: Path, threads: int, on_progress: OnProgress | None = None
    ) -> Separated:
        """Write the stems into ``folder``; see ``Separator``."""
        request = {
            "pcm": str(pcm.path.absolute()),
            "sample_rate_hz": pcm.sample_rate_hz,
            "channels": pcm.channels,
            "frames": pcm.frames,
            "folder": str(folder.absolute()),
        }
        limits = Limits(_BASE_S + _PER_MINUTE_S * pcm.duration_s / 60, silence_s=120, memory_mb=_MEMORY_MB)
        answer = await call(
            runner("separate_dsp"), request, folder=folder, limits=limits, on_progress=on_progress, env=threads_env(threads)
        )
        return _separated(answer, folder, model)


def _separated(answer: Mapping[str, Any], folder: Path, model: str) -> Separated:
    try:
        stems = tuple(
            StemFile(str(one["name"]), path_inside(folder, one["path"]), path_inside(folder, one["peaks_path"]))
            for one in answer["stems"]
        )
        warnings = tuple(Warning_(str(one["code"]), str(one["sentence"])) for one in answer["warnings"])
        cost = {str(name): float(value) for name, value in answer["cost"].items()}
        return Separated(stems, float(answer["gain_db"]), warnings, "dsp", model, cost)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("The separator sent a wrong result.", code="engine_garbage", detail=repr(error)) from error
