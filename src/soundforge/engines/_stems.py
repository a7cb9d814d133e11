"""What finished stems say: where somebody sings, and the vectors by which stems that sound alike are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from soundforge.children import Limits, call, runner
from soundforge.engines._contract import OnProgress, Part
from soundforge.errors import Broken

VOCALS = "vocals"
_LIMITS = Limits(total_s=3600, silence_s=120, memory_mb=1536)


@dataclass(frozen=True)
class Likeness:
    """A vector, comparable with others of the same ``name``; raw numbers, to be scaled by the library that compares."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class HeardStems:
    """What was heard: a vector by stem, and ``vocals``, a stage of the analysis document; None without such a stem."""

    likeness: Mapping[str, Likeness]
    vocals: Part | None = None


class HearStems(Protocol):
    """Listens to finished stems."""

    async def __call__(
        self, files: Mapping[str, Path], *, folder: Path, on_progress: OnProgress | None = None
    ) -> HeardStems:
        """Listen to named FLAC files of one song, as long as it is. What is silent or below 3 s has no vector.

        Singing is looked for in the stem named "vocals". Raises ``Broken`` for a file that cannot be read, and what
        ``children`` raises for a child that fails.
        """
        ...


async def hear_stems(files: Mapping[str, Path], *, folder: Path, on_progress: OnProgress | None = None) -> HeardStems:
    """Listen in a child. See ``HearStems``."""
    request = {"files": [{"name": name, "path": str(path.absolute())} for name, path in files.items()]}
    answer = await call(runner("hear_stems"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
    try:
        return HeardStems(_likenesses(answer["embeddings"], files), _vocals(answer) if VOCALS in files else None)
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(
            "The hear_stems program sent a wrong result.", code="engine_garbage", detail=repr(error)
        ) from error


def _likenesses(embeddings: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Likeness]:
    found = {name: embeddings[name] for name in files}
    return {name: _likeness(one) for name, one in found.items() if one is not None}


def _likeness(document: Mapping[str, Any]) -> Likeness:
    values = tuple(float(value) for value in document["values"])
    if len(values) != document["dim"]:
        raise ValueError(f"{len(values)} values")
    return Likeness(str(document["name"]), values)


def _vocals(answer: Mapping[str, Any]) -> Part:
    return Part(VOCALS, {VOCALS: dict(answer["vocals"])}, version=str(answer["algorithm_version"]))
