"""What every separator shares: the request that a runner gets, and its answer as frozen values."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundforge.children import path_inside
from soundforge.errors import Broken, Invalid

from ._contract import Pcm, Separated, SeparateOptions, StemFile, Warning_
from ._model_store import ModelStore


@dataclass(frozen=True)
class Shelf:
    """The models of the store that the engine ``engine`` can run."""

    engine: str
    store: Callable[[], ModelStore]

    def models(self) -> tuple[str, ...]:
        """Those whose weights are on this machine, the best first."""
        store = self.store()
        return tuple(name for name, spec in store.models.items() if self.engine in spec.engines and store.is_here(name))

    def stems(self, model: str) -> tuple[str, ...]:
        """What the table of models says; raises Invalid (``unknown_model``)."""
        spec = self.store().models.get(model)
        if spec is None or self.engine not in spec.engines:
            raise Invalid("This engine has no such model.", code="unknown_model")
        return spec.stems

    async def request(self, pcm: Pcm, folder: Path, model: str, options: SeparateOptions) -> dict[str, Any]:
        """What a runner with weights is asked; ``options`` have been checked. Raises what the model store raises."""
        return {
            **separation_request(pcm, folder, options),
            "members": await self._members(model, options),
            "made": list(self.stems(model)),
            "overlap": options.overlap,
            "shifts": options.shifts,
        }

    async def _members(self, model: str, options: SeparateOptions) -> list[dict[str, Any]]:
        """The files of weights that the wanted stems need, each with the stems that are taken from it; none: all."""
        wanted = options.stems or ((options.two_stem,) if options.two_stem else ())
        paths = await self.store().get_files(model, wanted)
        return [
            {"path": str(paths[file.name].absolute()), "stems": list(file.makes)}
            for file in self.store().spec(model).files_for(wanted)
        ]


def most_work_s(slowest: float, request: Mapping[str, Any]) -> float:
    """How long a request may take at most, given so many seconds per second of music, shift and file of weights."""
    first, stop = request.get("region") or (0, request["frames"])
    passes = len(request["members"]) * max(1, request["shifts"]) / (1 - request["overlap"])
    return float(600 + slowest * (stop - first) / request["sample_rate_hz"] * passes)


@contextmanager
def scratch_ends(folder: Path) -> Iterator[None]:
    """Remove the scratch files of a child that failed: one that was killed cannot do it itself."""
    try:
        yield
    except BaseException:
        for path in folder.glob("*.f32"):
            path.unlink(missing_ok=True)
        raise


def separation_request(pcm: Pcm, folder: Path, options: SeparateOptions) -> dict[str, Any]:
    """The part of a request that all separators understand; ``options`` have been checked.

    Raises Invalid (``no_sound``) where there is nothing to separate, so that no engine is troubled with it.
    """
    first, stop = (round(second * pcm.sample_rate_hz) for second in options.region_s or (0, pcm.duration_s))
    if not first < min(stop, pcm.frames):
        raise Invalid("There is no sound in this file.", code="no_sound")
    request: dict[str, Any] = {
        "pcm": str(pcm.path.absolute()),
        "sample_rate_hz": pcm.sample_rate_hz,
        "channels": pcm.channels,
        "frames": pcm.frames,
        "folder": str(folder.absolute()),
        "stems": list(options.stems),
        "two_stem": options.two_stem,
        "raw": options.raw,
    }
    return {**request, "region": [first, min(stop, pcm.frames)]} if options.region_s else request


def separated_from(answer: Mapping[str, Any], folder: Path, *, engine: str, model: str) -> Separated:
    """A runner's answer; raises Broken (``engine_garbage``) for what is none."""
    try:
        stems = tuple(
            StemFile(str(one["name"]), path_inside(folder, one["path"]), path_inside(folder, one["peaks_path"]))
            for one in answer["stems"]
        )
        warnings = tuple(Warning_(str(one["code"]), str(one["sentence"])) for one in answer["warnings"])
        gain_db, cost = float(answer["gain_db"]), {name: float(value) for name, value in answer["cost"].items()}
        closing = str(answer["closing"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("The separation sent a wrong result.", code="engine_garbage", detail=repr(error)) from error
    return Separated(stems, gain_db, warnings, engine=engine, model=model, cost=cost, closing=closing)
