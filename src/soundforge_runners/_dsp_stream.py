"""Separation without a model, block by block: drums, then bass, then what stands in the centre as the voice.

Each block of frames is read with so many frames of context on both sides as any step looks at, so the result does not
depend on where blocks begin; memory does not depend on the length.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners import _dsp_centre as centre
from soundforge_runners import _dsp_repetition as repetition
from soundforge_runners._dsp_bass import SMOOTH_FRAMES, bass_share
from soundforge_runners._dsp_frames import FIRST_FRAME, Grid, Spectrum, Synthesis, analyse
from soundforge_runners._dsp_percussion import TIME_S, percussive_share
from soundforge_runners._stems import Samples, Source

type Plane = NDArray[np.float32]  # [frames, bins]

STEMS = ("vocals", "drums", "bass", "other")
REST = "other"  # what is left over
BLOCK_S = 20.0
NEAR_MONO_DB = -27.0
VOICE_HZ = (150.0, 9000.0)
CENTRE_FROM_HZ = 220.0  # below, there is no telling where a sound stands, and nearly all of it is the bass
VOICE_PART = 0.8  # of the middle; the rest stays in other, which would be empty where it stands in the middle too
VOICE_WIDTH = 0.15  # of what is off the centre goes with the voice, or a chorus effect on it would leave it out
LONE = (0.25, 0.5)  # the voice's share of a near-mono song: at least, and by how much more where nothing comes back
DRUMS_WIDTH = 0.7  # how much of the drums' share of what is off the centre goes with the drums
_STATISTICS_FRAMES = 1 << 20


@dataclass(frozen=True)
class Picture:
    """What the first pass finds: how wide the sound is, dB of its smaller over its larger principal component."""

    width_db: float

    @property
    def near_mono(self) -> bool:
        """Whether there is too little difference between the channels to tell the centre from the rest."""
        return self.width_db < NEAR_MONO_DB


def look(source: Source) -> Picture:
    """First pass over the file: the covariance of its channels."""
    if source.channels != 2:
        return Picture(-np.inf)  # and no centre to speak of
    covariance = np.zeros((2, 2))
    for start in range(0, source.frames, _STATISTICS_FRAMES):
        block = source.read(start, min(start + _STATISTICS_FRAMES, source.frames)).astype(np.float64)
        covariance += block.T @ block
    small, large = np.linalg.eigvalsh(covariance)[[0, -1]]
    return Picture(float(10 * np.log10(max(small, 1e-20) / max(large, 1e-20))) if large > 0 else -np.inf)


def separate(source: Source, picture: Picture, *, block_s: float = BLOCK_S) -> Iterator[dict[str, Samples]]:
    """Second pass: finished samples of all stems but the rest, in order, float32 [frames, channels]."""
    grid = Grid.for_rate(source.rate_hz)
    end, step = grid.end_frame(source.frames), grid.frames_within(block_s)
    voices = {name: Synthesis(grid, source.channels) for name in STEMS if name != REST}
    context = context_frames(grid, picture)
    for first in range(FIRST_FRAME, end, step):
        last = min(first + step, end)
        lo, hi = max(FIRST_FRAME, first - context), min(end, last + context)
        samples = source.read(grid.start_of(lo), grid.start_of(hi - 1) + grid.size)
        parts = split(analyse(samples, grid), grid, picture)
        begin, stop = grid.start_of(first), min(grid.start_of(last), source.frames)
        inside = slice(max(0, -begin), max(0, stop - begin))  # neither before the file nor behind it
        done = {name: voices[name].add(part[:, first - lo : last - lo])[inside] for name, part in parts.items()}
        del samples, parts  # the caller and the next block need the room
        yield done


def context_frames(grid: Grid, picture: Picture) -> int:
    """Frames on both sides of a block that its result depends on."""
    local = grid.frames_within(TIME_S) + SMOOTH_FRAMES
    return local + (repetition.reach_frames(grid) if picture.near_mono else centre.reach_frames(grid))


def split(spectrum: Spectrum, grid: Grid, picture: Picture) -> dict[str, Spectrum]:
    """Spectra of vocals, drums and bass."""
    strokes = percussive_share(_loudness(spectrum), grid)
    wide = not picture.near_mono
    middle = _middle(spectrum, 1 - strokes, grid) if wide else spectrum
    tonal = 1 - strokes
    summed = tonal * (
        _loudness(middle.sum(axis=0, keepdims=True)) / np.float32(np.sqrt(2)) if wide else _loudness(spectrum)
    )
    bass = tonal * bass_share(summed, grid)
    voice = _voice_share(tonal - bass, summed, grid, wide=wide)
    drums = (strokes * (middle + DRUMS_WIDTH * (spectrum - middle))).astype(np.complex64)
    voice_spectrum = (voice * (middle + VOICE_WIDTH * (spectrum - middle))).astype(np.complex64)
    return {"vocals": voice_spectrum, "drums": drums, "bass": bass * middle}


def _voice_share(rest: Plane, summed: Plane, grid: Grid, *, wide: bool) -> Plane:
    """The voice's share of what is neither drums nor bass; of a near-mono song it is a guess."""
    if wide:
        voice: Plane = rest * np.float32(VOICE_PART)
    else:
        voice = rest * (LONE[0] + LONE[1] * repetition.lone_share(np.sqrt(rest) * summed, grid))
    voice[:, : grid.bin_at(VOICE_HZ[0])] = 0
    voice[:, grid.bin_at(VOICE_HZ[1]) :] = 0
    return voice


def _middle(spectrum: Spectrum, tonal: Plane, grid: Grid) -> Spectrum:
    middle = centre.centre_of(spectrum, tonal, grid)
    lowest = grid.bin_at(CENTRE_FROM_HZ)
    middle[:, :, :lowest] = spectrum[:, :, :lowest]
    return middle


def _loudness(spectrum: Spectrum) -> Plane:
    """Magnitude over all channels."""
    loudness: Plane = np.sqrt((spectrum.real**2 + spectrum.imag**2).sum(axis=0))
    return loudness
