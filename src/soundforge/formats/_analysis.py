"""The analysis of a song as one JSON document: the same keys in the same order, whatever was found."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

SCHEMA: Final = 1

# Each is present; null where its stage failed, has not run, or the song is too short for it.
DOCUMENT_KEYS: Final = (
    "tempo",
    "meter",
    "beats",
    "downbeats",
    "key",
    "chords",
    "sections",
    "cues",
    "loudness",
    "energy",
    "vocals",
    "features",
    "waveform",
    "embedding",
    "pictures",
)


@dataclass(frozen=True)
class AnalysisSource:
    """What was analysed. Title, artist and album are empty for a file outside any library."""

    sha256: str
    duration_s: float
    sample_rate_hz: int
    channels: int
    title: str = ""
    artist: str = ""
    album: str = ""


@dataclass(frozen=True)
class AnalysisStage:
    """One finished stage: a part of the document, under its top-level keys."""

    stage: str
    algorithm_version: str
    document: Mapping[str, Any]


def analysis_document(
    source: AnalysisSource, stages: Sequence[AnalysisStage], warnings: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Put the stages together; where two carry the same key, the later one counts, but a null covers nothing.

    Times are seconds from the start of the file. Numbers that JSON cannot hold (NaN, infinity) become null.
    """
    found: dict[str, Any] = {}
    for stage in stages:
        found.update({key: value for key, value in stage.document.items() if value is not None or key not in found})
    of_stages = [warning for stage in stages for warning in stage.document.get("warnings", ())]
    told = [warning for number, warning in enumerate(of_stages) if warning not in of_stages[:number]]
    more = sorted(found.keys() - {*DOCUMENT_KEYS, "warnings"})
    return {
        "schema": SCHEMA,
        "algorithm_version": max((stage.algorithm_version for stage in stages), default=None),
        "stages": {stage.stage: stage.algorithm_version for stage in stages},
        "source": asdict(source),
        **{key: _plain(found.get(key)) for key in (*DOCUMENT_KEYS, *more)},
        "warnings": _plain([*told, *warnings]),
        "corrections": {},
        "cue_points": [],
    }


def analysis_json(document: Mapping[str, Any]) -> bytes:
    """Write a document as UTF-8 JSON, a line for each top-level key: short, yet a diff shows what changed."""
    lines = [f"{_compact(key)}: {_compact(value)}" for key, value in document.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
