"""The vector by which songs, and stems, that sound alike are found."""

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chroma import Chroma, tuned_chroma
from soundforge_runners.analysis._document import Document, rounded
from soundforge_runners.analysis._features import audible
from soundforge_runners.analysis._loudness import measured
from soundforge_runners.analysis._rhythm import find_rhythm
from soundforge_runners.analysis._source import Source
from soundforge_runners.analysis._spectrum import HOP_S, Spectra, read_spectra
from soundforge_runners.analysis._tempo import onset_curve, periodicity
from soundforge_runners.analysis._tonality import is_empty

type Array = NDArray[np.float64]

VECTOR_NAME, VECTOR_LENGTH = "sfa-69-v1", 69
SHORTEST_S = 3.0
_COMB_BEATS = (0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1.0, 2.0, 4.0)


def likeness_of(source: Source) -> Document | None:
    """Give the vector of a sound by itself, as of a stem; None for silence and for less than 3 s."""
    loudness = measured(source) if source.duration_s >= SHORTEST_S else None
    if loudness is None or loudness.integrated_lufs is None:
        return None
    lufs = loudness.integrated_lufs
    spectra = read_spectra(source, lufs, lambda _share: None, is_opposite=loudness.is_opposite)
    if is_empty(spectra):
        return None
    chroma = tuned_chroma(spectra)
    rhythm = find_rhythm(spectra, chroma)
    document: Document = rounded(embedding_document(spectra, chroma, rhythm.bpm if rhythm else None))
    return document


def embedding_document(spectra: Spectra, chroma: Chroma, bpm: float | None) -> Document:
    """Give the vector with its name and length; `bpm` is None where there is no beat."""
    vector = likeness_vector(spectra, chroma.whole.mean(axis=1, dtype=np.float64), bpm)
    return {"name": VECTOR_NAME, "dim": VECTOR_LENGTH, "values": vector.tolist()}


def likeness_vector(spectra: Spectra, chroma_mean: Array, bpm: float | None) -> Array:
    """Describe timbre and rhythm in 69 numbers: cepstrum 26 and its motion 14, chroma 12, beat comb 9, onsets 8.

    Chroma is sorted, so that the key does not matter. Numbers are raw: who compares scales them by their own library.
    """
    heard = audible(spectra)
    mfcc = spectra.mfcc[:, heard].astype(np.float64)
    motion = np.diff(mfcc, axis=1).std(axis=1) if mfcc.shape[1] > 1 else np.zeros(len(mfcc))
    bands = spectra.onset_bands.astype(np.float64)
    chroma = np.sort(chroma_mean) / max(float(chroma_mean.sum()), 1e-9)
    beat = _beat_comb(periodicity(onset_curve(spectra.onset_bands)), bpm)
    blocks = (mfcc[1:].mean(axis=1), mfcc[1:].std(axis=1), motion, chroma, beat)
    return np.concatenate([*blocks, bands.mean(axis=1), bands.std(axis=1)])


def _beat_comb(strength: Array, bpm: float | None) -> Array:
    """How the onsets repeat at fractions and multiples of a beat, and the logarithm of the tempo.

    The studio does the same anew for a tempo that its user gives: soundforge.formats.
    """
    if bpm is None or not len(strength):
        return np.zeros(len(_COMB_BEATS) + 1)
    lags = [round(beats * 60 / bpm / HOP_S) for beats in _COMB_BEATS]
    return np.array([*(strength[lag] if 0 < lag < len(strength) else 0.0 for lag in lags), np.log2(bpm)])
