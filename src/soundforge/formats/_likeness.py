"""The likeness vector of a song at the tempo that its user gives. Pure.

Nine of its numbers tell how the onsets repeat beside the beat, and how fast the beat is. Counted at another tempo they
are other numbers, which the analysis document has all of: ``features.periodicity``.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

type Value = Mapping[str, Any]

_NAME: Final = "sfa-69-v1"
_FIRST: Final = 52  # behind cepstrum 26, its motion 14 and chroma 12
# As soundforge_runners.analysis._likeness has them: a test holds both together.
_BEATS: Final = (0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1.0, 2.0, 4.0)
_DIGITS: Final = 4


def vector_at(embedding: Value, features: Value, bpm: float) -> list[float]:
    """The vector with the beat counted at ``bpm``; unchanged where the analysis is too old to tell."""
    values, periodicity = list(embedding["values"]), features.get("periodicity") or {}
    strength = periodicity.get("strength") or ()
    if embedding["name"] != _NAME or not strength:
        return values
    lags = [round(beats * 60 / bpm * periodicity["lags_per_s"]) for beats in _BEATS]
    comb = [strength[lag] if 0 < lag < len(strength) else 0.0 for lag in lags]
    beat = [*comb, round(math.log2(bpm), _DIGITS)]
    return [*values[:_FIRST], *beat, *values[_FIRST + len(beat) :]]
