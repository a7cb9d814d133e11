"""Listen to a song: tempo, beats, key, chords, sections, loudness, cues and likeness from one shared spectrum.

numpy, scipy and soxr only; nothing is compiled at run time, and nothing here draws random numbers.
"""

from soundforge_runners.analysis._likeness import VECTOR_LENGTH, VECTOR_NAME, likeness_of
from soundforge_runners.analysis._source import EncodedSource, Source
from soundforge_runners.analysis._stages import ALGORITHM_VERSION, EMPTY, analyze
from soundforge_runners.analysis._vocals import vocals_of

__all__ = [
    "ALGORITHM_VERSION",
    "EMPTY",
    "VECTOR_LENGTH",
    "VECTOR_NAME",
    "EncodedSource",
    "Source",
    "analyze",
    "likeness_of",
    "vocals_of",
]
