"""The analyzer: a child that listens to PCM and hands over each stage as it is done."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from soundforge.children import Limits, call, path_inside, runner
from soundforge.errors import Broken

from ._contract import Analyzed, OnProgress, Part, Pcm, Warning_

_PEAKS_FILE = "peaks.dat"
_SILENCE_S, _MEMORY_MB = 120, 1536
_BASE_S, _PER_MINUTE_S = 60, 20


class ChildAnalyzer:
    """Analyses with ``soundforge_runners.analyze``."""

    async def analyze(
        self,
        pcm: Pcm,
        *,
        folder: Path,
        threads: int,  # noqa: ARG002 - the runner keeps to one, so that equal sound gives equal bytes
        on_progress: OnProgress | None = None,
        on_part: Callable[[Part], None] | None = None,
    ) -> Analyzed:
        """Analyse ``pcm``; the peaks file lies in ``folder``. See ``Analyzer``."""
        parts: list[Part] = []

        def take(message: Mapping[str, Any]) -> None:
            parts.append(_part(message, folder))
            if on_part:
                on_part(parts[-1])

        limits = Limits(_BASE_S + _PER_MINUTE_S * pcm.duration_s / 60, silence_s=_SILENCE_S, memory_mb=_MEMORY_MB)
        request = _request(pcm, folder)
        answer = await call(
            runner("analyze"), request, folder=folder, limits=limits, on_progress=on_progress, on_part=take
        )
        return _analyzed(answer, parts)


def _request(pcm: Pcm, folder: Path) -> dict[str, Any]:
    return {
        "path": str(pcm.path.absolute()),
        "sample_rate_hz": pcm.sample_rate_hz,
        "channels": pcm.channels,
        "frames": pcm.frames,
        "peaks_path": str((folder / _PEAKS_FILE).absolute()),
    }


def _part(message: Mapping[str, Any], folder: Path) -> Part:
    try:
        path = path_inside(folder, message["path"]) if "path" in message else None
        return Part(str(message["stage"]), dict(message["document"]), path, str(message["version"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Broken("The analyze program sent a wrong part.", code="engine_garbage", detail=repr(error)) from error


def _analyzed(answer: Mapping[str, Any], parts: Iterable[Part]) -> Analyzed:
    try:
        warnings = tuple(Warning_(str(one["code"]), str(one["sentence"])) for one in answer["warnings"])
        cost = {str(name): float(value) for name, value in answer["cost"].items()}
        return Analyzed(tuple(parts), str(answer["algorithm_version"]), tuple(dict.fromkeys(warnings)), cost)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("The analyze program sent a wrong result.", code="engine_garbage", detail=repr(error)) from error
