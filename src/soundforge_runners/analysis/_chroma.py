"""Tuned chroma of the harmonic part: what key, chords and downbeats are read from."""

from dataclasses import dataclass

import numpy as np

from soundforge_runners.analysis._pitch import chroma_bands, harmonic_part
from soundforge_runners.analysis._source import Samples
from soundforge_runners.analysis._spectrum import Spectra

_COMPRESSION = 30.0
_WHOLE_RANGE, _BASS_RANGE = (31.0, 94.0), (28.0, 52.0)


@dataclass(frozen=True)
class Chroma:
    """[12, pitch frames] each, C first."""

    whole: Samples
    bass: Samples


def tuned_chroma(spectra: Spectra) -> Chroma:
    """Harmonic part, logarithmic magnitudes (Mueller & Ewert, ISMIR 2011), folded with the song's own tuning."""
    pitch = harmonic_part(spectra.pitch)
    loud = float(np.percentile(pitch.max(axis=0), 95)) if pitch.size else 0.0
    level = np.log1p(pitch * np.float32(_COMPRESSION / max(loud, 1e-9)))
    whole, bass = (chroma_bands(spectra.tuning_cents, *span) @ level for span in (_WHOLE_RANGE, _BASS_RANGE))
    return Chroma(whole=whole, bass=bass)
