"""The radar of a song's figures, as points of an SVG whose middle is 0, 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from soundforge.formats import Measure

RADIUS = 80
_LABELS_AT = 1.13
_MIDDLE = 0.2  # a label this near to the vertical is centred


@dataclass(frozen=True)
class Spoke:
    """One axis: where it ends, where its name stands and how that is set."""

    name: str
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Radar:
    """What the template draws; ``shape`` and ``rings`` are the points of polygons."""

    shape: str
    rings: tuple[str, ...]
    spokes: tuple[Spoke, ...]
    words: str


def radar(measures: Sequence[Measure]) -> Radar:
    """Draw the figures clockwise from the top; one that was not found lies in the middle."""
    turns = [2 * math.pi * i / len(measures) for i in range(len(measures))]
    spokes = tuple(_spoke(one.name, turn) for one, turn in zip(measures, turns, strict=True))
    told = ", ".join(f"{one.name} {round(100 * one.share)}" for one in measures if one.share is not None)
    return Radar(
        shape=_points(turns, [one.share or 0 for one in measures]),
        rings=tuple(_points(turns, [share] * len(turns)) for share in (0.25, 0.5, 0.75, 1)),
        spokes=spokes,
        words=f"Of 100 each: {told}.",
    )


def _spoke(name: str, turn: float) -> Spoke:
    x = math.sin(turn)
    anchor = "middle" if abs(x) < _MIDDLE else "start" if x > 0 else "end"
    return Spoke(name, *_at(turn, 1), *_at(turn, _LABELS_AT), anchor)


def _points(turns: Sequence[float], shares: Sequence[float]) -> str:
    return " ".join("{},{}".format(*_at(turn, share)) for turn, share in zip(turns, shares, strict=True))


def _at(turn: float, share: float) -> tuple[float, float]:
    return round(RADIUS * share * math.sin(turn), 1), round(-RADIUS * share * math.cos(turn), 1)
