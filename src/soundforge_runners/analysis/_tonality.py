"""Whether there is harmony to speak of: not in noise, not in a single tone."""

import numpy as np

from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._spectrum import Spectra

_AUDIBLE = 0.05
_LEAST_CONTRAST = 0.12
_FEWEST_CLASSES = 3
_CLASS_LEVEL = 0.25


def is_empty(spectra: Spectra) -> bool:
    """Tell whether there is no sound above 40 Hz, as in a constant offset; edges of 5 % do not count."""
    return spectra.pitch.size == 0 or float(np.percentile(spectra.pitch.max(axis=0), 95)) < _AUDIBLE


def is_tonal(spectra: Spectra, chroma: Chroma) -> bool:
    """Tell whether pitch classes stand out within moments, and at least three of them over the song."""
    if spectra.pitch.size == 0:
        return False
    return contrast(chroma) >= _LEAST_CONTRAST and pitch_classes(chroma) >= _FEWEST_CLASSES


def contrast(chroma: Chroma) -> float:
    """Median over the louder half of the frames of the spread of chroma beside its mean."""
    total = chroma.whole.sum(axis=0)
    loud = chroma.whole[:, total >= np.median(total)]
    return float(np.median(loud.std(axis=0) / np.maximum(loud.mean(axis=0), 1e-9)))


def pitch_classes(chroma: Chroma) -> int:
    """Count the pitch classes whose mean reaches a quarter of the strongest's."""
    mean = chroma.whole.mean(axis=1)
    return int((mean >= _CLASS_LEVEL * max(float(mean.max()), 1e-9)).sum())
