"""What every separator shares: the request that a runner gets, and its answer as frozen values."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soundforge.children import path_inside
from soundforge.errors import Broken

from ._contract import Pcm, Separated, SeparateOptions, StemFile, Warning_


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
    """The part of a request that all separators understand; ``options`` have been checked."""
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
    if options.region_s:
        request["region"] = [round(second * pcm.sample_rate_hz) for second in options.region_s]
        request["region"][1] = min(request["region"][1], pcm.frames)
    return request


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
