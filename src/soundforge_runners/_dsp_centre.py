"""What stands in the middle of a stereo picture, and what does not.

The two channels of a bin are taken for the sum of a source in the centre (both channels alike) and of one whose place
is learnt from the music around it, per band and second; a Wiener filter for the two then cancels what is panned
instead of only weighing it. After N. Duong, E. Vincent, R. Gribonval, "Under-determined reverberant audio source
separation using a full-rank spatial covariance model", IEEE TASLP 18 (2010); variances by non-negative least squares.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from soundforge_runners._dsp_frames import Grid, Spectrum

type Plane = NDArray[np.float32]  # [frames, bins]

LIKENESS = 0.95  # of the two channels of a source in the centre: a little room on it is still the centre
SECONDS = 1.0  # over which the other source is taken to stand still
BAND_HZ = 86.0
ROUNDS = 2
_FLOOR = 1e-12


def reach_frames(grid: Grid) -> int:
    """How many frames to both sides a frame's result depends on."""
    return ROUNDS * (grid.frames_within(SECONDS) // 2 + 1)


def centre_of(spectrum: Spectrum, tonal: Plane, grid: Grid) -> Spectrum:
    """The part of a stereo spectrum that stands in the centre, as stereo.

    ``tonal`` weighs the bins by which the panned source is placed: the share that is not drums.
    """
    left, right = spectrum
    powers = (_power(left), _power(right), (left.real * right.real + left.imag * right.imag))
    off_centre = 1 - _similarity(left, right) ** 4
    centre, other, place = off_centre, off_centre, powers
    for _ in range(ROUNDS):
        place = _place(powers, tonal * off_centre * off_centre, grid)
        centre, other = _variances(powers, place)
        off_centre = other / (centre + other)
    return _wiener(spectrum, centre, other, place)


def _power(channel: NDArray[np.complex64]) -> Plane:
    power: Plane = channel.real**2 + channel.imag**2
    return power


def _similarity(left: NDArray[np.complex64], right: NDArray[np.complex64]) -> Plane:
    """1 where both channels are equally loud, towards 0 where one is silent."""
    a, b = np.abs(left), np.abs(right)
    similarity: Plane = np.minimum(2 * a * b / (a * a + b * b + _FLOOR), 1)
    return similarity


def _place(powers: tuple[Plane, Plane, Plane], weight: Plane, grid: Grid) -> tuple[Plane, Plane, Plane]:
    """Where the other source stands: its covariance (left, right, both), of trace 2, around every bin."""
    span, band = grid.frames_within(SECONDS) | 1, max(3, round(BAND_HZ / grid.bin_hz))
    left, right, both = (_around(weight * power, span, band) for power in powers)
    floor = 1e-4 * _around(powers[0] + powers[1], span, band) + _FLOOR
    scale = (2 / (left + right + 2 * floor)).astype(np.float32)
    return (left + floor) * scale, (right + floor) * scale, both * scale


def _around(plane: Plane, span: int, band: int) -> Plane:
    blurred: Plane = uniform_filter1d(
        uniform_filter1d(plane, span, axis=0, mode="nearest"), band, axis=1, mode="nearest"
    )
    return blurred


def _variances(powers: tuple[Plane, Plane, Plane], place: tuple[Plane, Plane, Plane]) -> tuple[Plane, Plane]:
    """Non-negative powers of the two sources that fit the covariance of each bin best."""
    left, right, both = powers
    a, b, c = place
    on_centre, on_other = left + right + 2 * LIKENESS * both, a * left + b * right + 2 * c * both
    cc, oo, co = 2 + 2 * LIKENESS**2, a * a + b * b + 2 * c * c, a + b + 2 * LIKENESS * c
    det = np.maximum(cc * oo - co * co, 1e-3)
    centre = np.maximum((oo * on_centre - co * on_other) / det, 0)
    other = np.maximum((cc * on_other - co * on_centre) / det, 0)
    centre = np.where(other > 0, centre, np.maximum(on_centre, 0) / cc) + _FLOOR
    other = np.where(centre > _FLOOR, other, np.maximum(on_other, 0) / oo) + _FLOOR
    return centre.astype(np.float32), other.astype(np.float32)


def _wiener(spectrum: Spectrum, centre: Plane, other: Plane, place: tuple[Plane, Plane, Plane]) -> Spectrum:
    left, right = spectrum
    a, b, c = place
    ll, rr, lr = centre + other * a, centre + other * b, LIKENESS * centre + other * c
    noise = 1e-3 * (ll + rr)
    ll, rr = ll + noise, rr + noise
    det = np.maximum(ll * rr - lr * lr, 1e-20)
    u, v = (rr * left - lr * right) * (centre / det), (ll * right - lr * left) * (centre / det)
    return np.stack([u + LIKENESS * v, LIKENESS * u + v]).astype(np.complex64)
