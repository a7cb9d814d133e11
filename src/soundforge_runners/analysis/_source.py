"""Raw float32 PCM, read block by block: memory does not grow with the song."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import soundfile
from numpy.typing import NDArray

type Samples = NDArray[np.float32]

BLOCK_FRAMES = 1 << 19


@dataclass(frozen=True)
class Source:
    """Interleaved little-endian float32 without a header, as the decoder writes it."""

    path: Path
    sample_rate_hz: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz

    def blocks(self) -> Iterator[Samples]:
        """Give float32 [frames, channels], at most `BLOCK_FRAMES` at a time; what is no number becomes 0."""
        left = self.frames
        with self.path.open("rb") as file:
            while left > 0:
                flat = np.fromfile(file, dtype="<f4", count=min(left, BLOCK_FRAMES) * self.channels)
                block = flat[: len(flat) // self.channels * self.channels].reshape(-1, self.channels)
                if not len(block):
                    return
                left -= len(block)
                yield block if np.isfinite(block).all() else np.nan_to_num(block, posinf=0, neginf=0)


class EncodedSource(Source):
    """A file that libsndfile reads, such as a stem that we wrote."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read what the file says of itself. Raises soundfile.LibsndfileError for what is no sound file."""
        about = soundfile.info(path)
        return cls(path, about.samplerate, about.channels, about.frames)

    def blocks(self) -> Iterator[Samples]:
        """Give float32 [frames, channels], at most `BLOCK_FRAMES` at a time."""
        with soundfile.SoundFile(self.path) as file:
            yield from file.blocks(BLOCK_FRAMES, dtype="float32", always_2d=True)
