"""The bass: its pitch by a sum over harmonics, then a comb of the partials that may be its own.

Pitch after A. Klapuri, "Multiple fundamental frequency estimation by summing harmonic amplitudes", ISMIR 2006, with a
penalty on energy halfway between the harmonics, which keeps the octave.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from soundforge_runners._dsp_frames import Grid

type Plane = NDArray[np.float32]  # [frames, bins]

LOWEST_HZ = 27.5
HIGHEST_HZ = 215.0
STEPS_PER_OCTAVE = 36
PARTIALS_HEARD = 10  # in finding the pitch
PARTIALS = 24  # in taking it out
TOP_HZ = 2500.0
ALL_BELOW_HZ = 100.0  # no other tone lives there
NO_TONE_HZ = 15.0  # and none at all below this: a constant that some recordings and samples stand on
SMOOTH_FRAMES = 7
GROWTH = 1.5  # a partial may be so much louder than the two below it and still be all bass
LOBE_BINS = 1.2  # half the width of a partial in the window's spectrum


def bass_share(magnitude: Plane, grid: Grid) -> Plane:
    """The share of each bin's power, 0 to 1, that belongs to the bass, given the magnitude of what is not drums."""
    bins = min(grid.bins, grid.bin_at(TOP_HZ) + 8)
    low = magnitude[:, :bins]
    pitch = _pitch(np.sqrt(low), grid.bin_hz)
    share = np.zeros_like(magnitude)
    share[:, :bins] = _comb(low, pitch / grid.bin_hz)
    share[:, : grid.bin_at(ALL_BELOW_HZ)] = 1
    share[:, : grid.bin_at(NO_TONE_HZ)] = 0
    return share


def _pitch(loudness: Plane, bin_hz: float) -> NDArray[np.float64]:
    """The most salient fundamental of every frame, in Hz."""
    octaves = np.log2(HIGHEST_HZ / LOWEST_HZ)
    candidates = LOWEST_HZ * 2 ** (np.arange(int(octaves * STEPS_PER_OCTAVE) + 1) / STEPS_PER_OCTAVE)
    salience = loudness @ _harmonic_sums(candidates / bin_hz, loudness.shape[1])
    best = uniform_filter1d(salience, SMOOTH_FRAMES, axis=0, mode="nearest").argmax(axis=1)
    pitch: NDArray[np.float64] = candidates[best]
    return pitch


def _harmonic_sums(fundamentals: NDArray[np.float64], bins: int) -> Plane:
    """A matrix [bins, candidates] that adds up what lies on the harmonics and takes off what lies between."""
    sums = np.zeros((bins, len(fundamentals)), np.float32)
    column = np.arange(len(fundamentals))
    for number in range(1, PARTIALS_HEARD + 1):
        for factor, weight in ((number, 1.0), (number - 0.5, -0.6)):
            place = fundamentals * factor
            below = np.minimum(place.astype(int), bins - 2)
            part = np.clip(place - below, 0, 1)
            np.add.at(sums, (below, column), weight * 0.85 ** (number - 1) * (1 - part))
            np.add.at(sums, (below + 1, column), weight * 0.85 ** (number - 1) * part)
    return sums


def _comb(low: Plane, fundamental: NDArray[np.float64]) -> Plane:
    """Shares of the partials of one pitch per frame (in bins); one much louder than those below it is not all bass."""
    frames, bins = low.shape
    row = np.arange(frames)
    share = np.zeros_like(low)
    heights = np.stack([_height(low, row, number * fundamental) for number in range(1, PARTIALS + 1)])
    kept = heights.copy()
    for number in range(2, PARTIALS):  # the fundamental may be weak: the second partial is not held to it
        below = np.maximum(kept[number - 1], kept[number - 2])
        kept[number] = np.minimum(heights[number], GROWTH * below)
    own = (kept / (heights + 1e-9)) ** 2
    for number in range(1, PARTIALS + 1):
        place = number * fundamental
        nearest = np.rint(place).astype(int)
        for bin_ in (nearest + offset for offset in range(-3, 4)):
            inside = np.clip(1 - np.maximum(np.abs(bin_ - place) - LOBE_BINS, 0), 0, 1)
            value = own[number - 1] * inside * ((bin_ > 0) & (bin_ < bins))
            at = np.clip(bin_, 0, bins - 1)
            share[row, at] = np.maximum(share[row, at], value)
    return share


def _height(low: Plane, row: NDArray[np.int_], place: NDArray[np.float64]) -> Plane:
    """Magnitude of a partial: the highest of the three bins around its place; 0 above the range."""
    last = low.shape[1] - 3
    nearest = np.rint(place).astype(int)
    at = np.clip(nearest, 1, last)
    height: Plane = np.maximum(np.maximum(low[row, at], low[row, at - 1]), low[row, at + 1]) * (nearest < last)
    return height
