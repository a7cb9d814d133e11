"""The vectors by which stems that sound alike are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from soundforge.children import Limits, call, runner
from soundforge.engines._contract import OnProgress
from soundforge.errors import Broken

_LIMITS = Limits(total_s=3600, silence_s=120, memory_mb=1536)


@dataclass(frozen=True)
class Likeness:
    """A vector, comparable with others of the same ``name``; raw numbers, to be scaled by the library that compares."""

    name: str
    values: tuple[float, ...]


class HearLikeness(Protocol):
    """Listens to finished stems."""

    async def __call__(
        self, files: Mapping[str, Path], *, folder: Path, on_progress: OnProgress | None = None
    ) -> dict[str, Likeness]:
        """Give a vector for each named FLAC file; what is silent or shorter than 3 s has none.

        Raises ``Broken`` for a file that cannot be read, and what ``children`` raises for a child that fails.
        """
        ...


async def hear_likeness(
    files: Mapping[str, Path], *, folder: Path, on_progress: OnProgress | None = None
) -> dict[str, Likeness]:
    """Listen in a child. See ``HearLikeness``."""
    request = {"files": [{"name": name, "path": str(path.absolute())} for name, path in files.items()]}
    answer = await call(runner("likeness"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
    return _likenesses(answer, files)


def _likenesses(answer: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Likeness]:
    try:
        found = {name: answer["embeddings"][name] for name in files}
        return {name: _likeness(one) for name, one in found.items() if one is not None}
    except (KeyError, TypeError, ValueError) as error:
        raise Broken("The likeness program sent a wrong result.", code="engine_garbage", detail=repr(error)) from error


def _likeness(document: Mapping[str, Any]) -> Likeness:
    values = tuple(float(value) for value in document["values"])
    if len(values) != document["dim"]:
        raise ValueError(f"{len(values)} values")
    return Likeness(str(document["name"]), values)
