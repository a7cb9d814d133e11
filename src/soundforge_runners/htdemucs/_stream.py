"""A song of any length through the network, as the official program does it, at a memory that does not grow.

Segments start every ``(1 − overlap)`` of their length; each counts most in its middle (a triangle), and the sum is
divided by the weights that fell on it. The last ones are short: they are read with what lies around them, in their
middle. A *shift* moves all of that against the song by up to half a second; the results of all shifts are averaged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from soundforge_runners._track import Channels, Track

type Stems = NDArray[np.float32]  # [stems, 2, samples]

MAX_SHIFT_S = 0.5
_SEED = 0  # the same song gives the same stems, today and tomorrow


class Separating(Protocol):
    """What ``Network`` is to us."""

    def run(self, segments: Iterator[Channels]) -> Iterator[Stems]:
        """Separate segments, in order."""
        ...


@dataclass(frozen=True)
class Piece:
    """A segment's place. Frames ``start`` to ``start + length`` of shift ``shift``'s own count lie in it."""

    shift: int
    start: int
    length: int


@dataclass(frozen=True)
class Plan:
    """Where segments lie. ``moves`` tells for every shift how many samples before the song it begins to count."""

    frames: int
    segment: int
    stride: int
    moves: tuple[int, ...]

    @classmethod
    def of(
        cls, frames: int, segment: int, rate_hz: int, *, overlap: float, shifts: int, offsets: Sequence[int] = ()
    ) -> "Plan":
        """A song of ``frames`` samples; ``offsets`` (0 to half a second in samples) instead of random ones."""
        stride = max(1, int((1 - overlap) * segment))
        if not shifts:
            return cls(frames, segment, stride, (0,))
        most = int(MAX_SHIFT_S * rate_hz)
        drawn = offsets or [int(one) for one in np.random.default_rng(_SEED).integers(0, most, shifts, endpoint=True)]
        return cls(frames, segment, stride, tuple(most - offset for offset in drawn))

    @property
    def pieces(self) -> list[Piece]:
        """All segments, in the order of their places, shifts side by side."""
        found = [
            Piece(shift, start, min(self.segment, self.frames + move - start))
            for shift, move in enumerate(self.moves)
            for start in range(0, self.frames + move, self.stride)
        ]
        return sorted(found, key=lambda piece: (piece.start, piece.shift))

    def read(self, track: Track, piece: Piece) -> Channels:
        """The segment of a piece, with what lies around it if it is short."""
        start = piece.start - self.moves[piece.shift] - (self.segment - piece.length) // 2
        return track.read(start, start + self.segment)


def separate(track: Track, network: Separating, plan: Plan) -> Iterator[tuple[Stems, float]]:
    """Finished samples ``[stems, 2, samples]`` of the song, in order, and the share of the work that is done."""
    pieces = plan.pieces
    sums = [_Sum(plan, move) for move in plan.moves]
    outs = network.run(plan.read(track, piece) for piece in pieces)
    for number, (piece, out) in enumerate(zip(pieces, outs, strict=True), 1):
        before = (plan.segment - piece.length) // 2
        sums[piece.shift].add(piece.start, out[:, :, before : before + piece.length])
        ready = min(one.ready for one in sums)
        if ready:
            mean = sum((one.take(ready) for one in sums[1:]), start=sums[0].take(ready))
            yield mean / np.float32(len(sums)) if len(sums) > 1 else mean, number / len(pieces)


class _Sum:
    """Overlap-add of one shift: takes segments in order, keeps the samples that later ones still add to."""

    def __init__(self, plan: Plan, move: int) -> None:
        self._plan, self._skip = plan, move  # what lies before the song is thrown away
        up = np.arange(1, plan.segment // 2 + 1)
        down = np.arange(plan.segment - plan.segment // 2, 0, -1)
        window = np.concatenate([up, down]).astype(np.float32)
        self._window = window / window.max()
        self._weight = np.zeros(plan.segment, np.float32)
        self._end = plan.frames + move
        self._open: Stems | None = None
        self._done: list[Stems] = []

    @property
    def ready(self) -> int:
        """How many finished samples wait."""
        return sum(block.shape[2] for block in self._done)

    def add(self, start: int, out: Stems) -> None:
        """Add the segment that begins at ``start``; what lies before the next one's start is finished."""
        length = out.shape[2]
        if self._open is None:
            self._open = np.zeros((*out.shape[:2], self._plan.segment), np.float32)
        self._open[:, :, :length] += self._window[:length] * out
        self._weight[:length] += self._window[:length]
        count = min(self._plan.stride, self._end - start)
        self._finish(count)

    def take(self, count: int) -> Stems:
        """Hand out the next ``count`` finished samples."""
        whole = self._done[0] if len(self._done) == 1 else np.concatenate(self._done, axis=2)
        self._done = [whole[:, :, count:]] if whole.shape[2] > count else []
        return whole[:, :, :count]

    def _finish(self, count: int) -> None:
        if self._open is None:
            return
        skipped = min(self._skip, count)
        self._skip -= skipped
        if skipped < count:
            self._done.append(self._open[:, :, skipped:count] / self._weight[skipped:count])
        for buffer in (self._open, self._weight):
            buffer[..., :-count] = buffer[..., count:].copy()
            buffer[..., -count:] = 0
