"""Basic separation: always there, needs no model; ``soundforge_runners.separate_dsp`` does the work."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundforge.children import Limits, call, runner, threads_env
from soundforge.errors import Broken, Invalid

from ._contract import OnProgress, Pcm, Separated, StemFile, Warning_
from ._paths import path_inside

_MODEL = "dsp"
_STEMS = ("vocals", "drums", "bass", "other")
_NEEDS_MB = 640  # measured: 410 at 44.1 kHz stereo, 490 at 192 kHz; the same for any length
_SLOWEST = 1.0  # seconds of work per second of music on a busy machine; 0.1 on a free one


class DspSeparator:
    """Drums by their strokes, bass by its partials, voice by its place in the middle. See ``Separator``."""

    name = "dsp"
    label = "Basic separation"

    def models(self) -> tuple[str, ...]:
        """The one that is always there."""
        return (_MODEL,)

    def stems(self, model: str) -> tuple[str, ...]:
        """Vocals, drums, bass and other."""
        _check(model)
        return _STEMS

    def needs_mb(self, seconds: float) -> int:  # noqa: ARG002 - the contract's; here length does not matter
        """Memory of the child."""
        return _NEEDS_MB

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
        """Write the stems into ``folder``; raises Invalid (``unknown_model``) and what ``children`` raises."""
        _check(model)
        limits = Limits(total_s=120 + _SLOWEST * pcm.duration_s, silence_s=120, memory_mb=2 * _NEEDS_MB)
        answer = await call(
            runner("separate_dsp"),
            {**_request(pcm, folder), "raw": raw},
            folder=folder,
            limits=limits,
            on_progress=on_progress,
            env=threads_env(threads),
        )
        return _separated(answer, folder)


def _check(model: str) -> None:
    if model != _MODEL:
        raise Invalid("This engine has no such model.", code="unknown_model")


def _request(pcm: Pcm, folder: Path) -> dict[str, Any]:
    return {
        "pcm": str(pcm.path.absolute()),
        "sample_rate_hz": pcm.sample_rate_hz,
        "channels": pcm.channels,
        "frames": pcm.frames,
        "folder": str(folder.absolute()),
    }


def _separated(answer: Mapping[str, Any], folder: Path) -> Separated:
    try:
        stems = tuple(
            StemFile(str(one["name"]), path_inside(folder, one["path"]), path_inside(folder, one["peaks_path"]))
            for one in answer["stems"]
        )
        warnings = tuple(Warning_(str(one["code"]), str(one["sentence"])) for one in answer["warnings"])
        gain_db, cost = float(answer["gain_db"]), {name: float(value) for name, value in answer["cost"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("The separation sent a wrong result.", code="engine_garbage", detail=repr(error)) from error
    return Separated(stems, gain_db, warnings, engine=DspSeparator.name, model=_MODEL, cost=cost)
