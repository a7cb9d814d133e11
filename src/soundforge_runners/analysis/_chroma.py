"""Tuned chroma of the harmonic part: what key, chords and downbeats are read from."""

from dataclasses import dataclass

import numpy as np

from soundforge_runners.analysis._pitch import chroma_bands, harmonic_part
from soundforge_runners.analysis._source import Samples
from soundforge_runners.analysis._spectrum import Spectra

_COMPRESSION = 30.0
_WHOLE_RANGE, _MIDDLE_RANGE, _BASS_RANGE = (31.0, 94.0), (50.0, 76.0), (28.0, 52.0)


@dataclass(frozen=True)
class Chroma:
    """[12, pitch frames] each, C first."""

    whole: Samples
    middle: Samples
    """D3 to E5, where chords are played: a seventh here is seldom the melody's."""
    bass: Samples
    percussive: Samples
    """[pitch frames]: share of the energy that does not last, 0..1."""


def tuned_chroma(spectra: Spectra) -> Chroma:
    """Harmonic part, logarithmic magnitudes (Mueller & Ewert, ISMIR 2011), folded with the song's own tuning."""
    pitch = harmonic_part(spectra.pitch)
    lasting, total = np.einsum("pt,pt->t", pitch, pitch), np.einsum("pt,pt->t", spectra.pitch, spectra.pitch)
    loud = float(np.percentile(pitch.max(axis=0), 95)) if pitch.size else 0.0
    level = np.log1p(pitch * np.float32(_COMPRESSION / max(loud, 1e-9)))
    spans = (_WHOLE_RANGE, _MIDDLE_RANGE, _BASS_RANGE)
    whole, middle, bass = (chroma_bands(spectra.tuning_cents, *span) @ level for span in spans)
    share = (1 - lasting / np.maximum(total, np.float32(1e-12))).clip(0, 1)
    return Chroma(whole=whole, middle=middle, bass=bass, percussive=share.astype(np.float32))
