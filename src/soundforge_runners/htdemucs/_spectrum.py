"""A segment's spectrum and back, as the network was trained with it.

Spectrum ``k`` of a segment covers the samples from ``k·hop − 1.5·hop``, ``4·hop`` long, under a periodic Hann window,
scaled by 1/√(4·hop); at the ends the segment is mirrored. Squared windows at that distance sum to 1.5 everywhere, so
the way back needs no division by an envelope.
"""

from typing import cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from soundforge_runners.htdemucs._architecture import Architecture

type Channels = NDArray[np.float32]  # [channels, samples]
type Planes = NDArray[np.float32]  # [2·channels, bins, frames]: real and imaginary parts as channels

_OVERLAP_GAIN = 1.5  # sum of the squared windows


def _window(network: Architecture) -> NDArray[np.float32]:
    n = network.nfft
    return cast("NDArray[np.float32]", (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)).astype(np.float32))


def spectrum(segment: Channels, network: Architecture) -> Planes:
    """Spectra of a whole segment, without the bin at half the rate."""
    hop, frames = network.hop, network.frames
    before = hop // 2 * 3
    after = before + frames * hop - segment.shape[1]
    padded = np.pad(segment, ((0, 0), (before, after)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, network.nfft, axis=1)[:, ::hop][:, :frames]
    scaled = windows * (_window(network) / np.float32(np.sqrt(network.nfft)))
    found = scipy.fft.rfft(scaled, axis=-1)[:, :, : network.bins]  # [channels, frames, bins]
    planes = np.empty((2 * len(segment), network.bins, frames), np.float32)
    planes[0::2] = found.real.transpose(0, 2, 1)
    planes[1::2] = found.imag.transpose(0, 2, 1)
    return planes


def samples(planes: Planes, network: Architecture) -> Channels:
    """The samples of a whole segment that have these spectra."""
    hop, frames = network.hop, network.frames
    channels, before = len(planes) // 2, hop // 2 * 3
    out = np.zeros((channels, (frames + 4) * hop), np.float32)
    window = _window(network) * np.float32(np.sqrt(network.nfft) / _OVERLAP_GAIN)
    for channel in range(channels):
        rows = np.zeros((frames, network.bins + 1), np.complex64)
        rows.real[:, :-1] = planes[2 * channel].T
        rows.imag[:, :-1] = planes[2 * channel + 1].T
        pieces = scipy.fft.irfft(rows, network.nfft, axis=-1) * window
        quarters = pieces.reshape(frames, 4, hop)
        for quarter in range(4):  # frames lie a hop apart: the n-th quarter of frame k falls on hop k + n
            target = out[channel, quarter * hop : (quarter + frames) * hop].reshape(frames, hop)
            target += quarters[:, quarter]
    return out[:, before : before + network.segment_frames]
