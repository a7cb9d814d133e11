"""Figures of timbre, as every tutorial lists them."""

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._spectrum import HOP_S, Spectra
from soundforge_runners.analysis._tempo import periodicity, repetition

type Array = NDArray[np.float64]

_SHAPES = (("centroid_hz", 1), ("bandwidth_hz", 2), ("rolloff85_hz", 3), ("flatness", 4), ("zcr", 5))
_AUDIBLE_DB = 50.0
_TEMPOGRAM_BPM = np.array([30.0, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 200, 240, 300])


def audible(spectra: Spectra) -> NDArray[np.bool_]:
    """Mark the pitch frames that are within 50 dB of the loudest."""
    level = 10 * np.log10(spectra.shape[0] + 1e-12)
    return np.asarray(level > level.max(initial=-120) - _AUDIBLE_DB)


def timbre(spectra: Spectra, chroma: Chroma, curve: Array) -> dict[str, object]:
    """Mean and standard deviation over the audible frames (Peeters, CUIDADO 2004; MFCC after Logan, ISMIR 2000).

    `rms_dbfs` is of the mono sum as decoded; `contrast_db` goes from low to high; `tonnetz` after Harte (AMCMM 2006):
    fifths, minor and major thirds, a sine and a cosine each; `tempogram` is the mean autocorrelation of the onsets,
    `periodicity` that over the whole song.
    """
    heard = audible(spectra)
    shape, mfcc = spectra.shape[:, heard], spectra.mfcc[:, heard]
    named = {name: _figures(shape[row]) for name, row in _SHAPES}
    frames = min(chroma.whole.shape[1], len(heard))
    tones = chroma.whole[:, :frames][:, heard[:frames]].astype(np.float64)
    chroma_mean = chroma.whole.mean(axis=1, dtype=np.float64)
    return {
        **named,
        "rms_dbfs": _figures(20 * np.log10(np.maximum(shape[6] / spectra.gain, 1e-6))),
        "percussive_share": _figures(chroma.percussive[:frames][heard[:frames]]),
        "contrast_db": _figures(spectra.contrast_db),
        "mfcc": _figures(mfcc),
        "tonnetz": _figures(tonnetz(tones)),
        "chroma_mean": (chroma_mean / max(float(chroma_mean.max(initial=0)), 1e-9)).tolist(),
        "chroma_std": (tones / np.maximum(tones.max(axis=0), 1e-9)).std(axis=1).tolist(),
        "tempogram": _tempogram(curve),
        "periodicity": {"lags_per_s": 1 / HOP_S, "strength": periodicity(curve).tolist()},
    }


def tonnetz(chroma: Array) -> Array:
    """Place of each moment in the net of tones, [6, frames] from [12, frames]."""
    steps = np.array([[7 / 6], [7 / 6], [3 / 2], [3 / 2], [2 / 3], [2 / 3]])
    radius, turn = np.array([[1.0], [1.0], [1.0], [1.0], [0.5], [0.5]]), np.array([[0], [0.5]] * 3)
    basis = radius * np.sin(np.pi * (steps * np.arange(12) + turn))
    return np.asarray(basis @ (chroma / np.maximum(chroma.sum(axis=0), 1e-9)))


def _figures(values: NDArray[np.floating]) -> dict[str, object]:
    return {"mean": values.mean(axis=-1).tolist(), "std": values.std(axis=-1).tolist()}


def _tempogram(curve: Array) -> dict[str, list[float]] | None:
    strength = repetition(curve, _TEMPOGRAM_BPM)
    return None if strength is None else {"bpm": _TEMPOGRAM_BPM.tolist(), "strength": strength.tolist()}
