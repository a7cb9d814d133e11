"""Time and pitch of a rendered mix: the same WebAssembly that the page plays through, fed in the same way.

`static/js/engine/stretch.js` says why: signalsmith-stretch changes the time, a resampler behind it the pitch. Here the
resampler is soxr, and the random numbers that the library asks for are always the same, so that a file is rendered to
the same samples each time.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import soxr
from numpy.typing import NDArray
from wasmtime import Caller, Func, FuncType, Instance, Memory, Module, Store, ValType
from wasmtime import Engine as Machine

type Samples = NDArray[np.float64]  # [frames, 2]
type Buffer = NDArray[np.float32]

BLOCK_S, INTERVAL_S = 0.12, 0.03
ROOM = 32_768  # frames of the library's buffers
STEP = 4096  # stretched frames made at once
_PAGE = 65_536
# The library's functions; its build gives them one letter each.
_START, _MAIN, _BUFFERS, _INPUT_LATENCY, _OUTPUT_LATENCY = "f", "y", "h", "k", "l"
_CONFIGURE, _SEEK, _PROCESS, _MEMORY = "p", "v", "w", "e"


def stretched(
    blocks: Iterator[Samples], frames: int, rate_hz: int, *, tempo: float, semitones: int, wasm: Path
) -> Iterator[Samples]:
    """Play `blocks`, together `frames` frames, at `tempo` (0.5..1.5) and `semitones` higher (-12..12).

    Gives blocks of round(frames / tempo) frames in all; the first of them is the first frame of the sound.
    """
    factor = 2 ** (semitones / 12)
    wanted = round(frames / tempo)
    resampler = soxr.ResampleStream(factor * rate_hz, rate_hz, 2, dtype="float32", quality="VHQ")
    slower = Stretcher(wasm, rate_hz).play(_Feed(blocks), tempo / factor)
    done = 0
    while done < wanted:
        piece = next(slower)
        block = piece if factor == 1 else resampler.resample_chunk(piece)
        block = block[: wanted - done]
        done += len(block)
        if len(block):
            yield block.astype(np.float64)


class _Feed:
    """The sound frame by frame; silence before and behind it."""

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self._blocks = blocks
        self._rest = np.empty((0, 2), np.float32)

    def take(self, count: int) -> Buffer:
        """Give the next [count, 2]."""
        held = [self._rest]
        have = len(self._rest)
        while have < count and (block := next(self._blocks, None)) is not None:
            held.append(block.astype(np.float32))
            have += len(block)
        joined = np.concatenate(held)
        self._rest = joined[count:]
        return np.pad(joined[:count], ((0, max(0, count - len(joined))), (0, 0)))


class Stretcher:
    """signalsmith-stretch, for two channels at one rate."""

    def __init__(self, wasm: Path, rate_hz: int) -> None:
        """Make the machine; takes some tenths of a second."""
        machine = Machine()
        self._store = Store(machine)
        module = Module(machine, wasm.read_bytes())
        self._calls = Instance(self._store, module, self._imports()).exports(self._store)
        self._memory = cast("Memory", self._calls[_MEMORY])
        self._call(_START)
        self._call(_MAIN, 0, 0)
        self._call(_CONFIGURE, 2, round(BLOCK_S * rate_hz), round(INTERVAL_S * rate_hz), 1)
        self._buffers = int(self._call(_BUFFERS, 2, ROOM))
        self._before, self._after = int(self._call(_INPUT_LATENCY)), int(self._call(_OUTPUT_LATENCY))

    def play(self, feed: _Feed, ratio: float) -> Iterator[Buffer]:
        """Give [STEP, 2] for ever, `ratio` frames of the feed to one; the first is the first frame of the feed."""
        self._write(0, np.zeros((self._after, 2), np.float32))
        self._write(self._after, feed.take(self._before))
        self._call(_SEEK, self._after + self._before, ratio)
        count = round(ratio * self._after)
        self._write(0, feed.take(count))
        self._call(_PROCESS, count, self._after)
        owed = 0.0
        while True:
            owed += STEP * ratio
            count = int(owed)
            owed -= count
            self._write(0, feed.take(count))
            self._call(_PROCESS, count, STEP)
            yield np.stack([self._channel(2, 0, STEP), self._channel(3, 0, STEP)], axis=1)

    def _write(self, at: int, sound: Buffer) -> None:
        for number in (0, 1):
            self._channel(number, at, len(sound))[:] = sound[:, number]

    def _channel(self, number: int, at: int, count: int) -> Buffer:
        """Part of a buffer of the library's: two in, two out, one after the other."""
        start = self._buffers + 4 * (number * ROOM + at)
        whole = np.ctypeslib.as_array(self._memory.data_ptr(self._store), (self._memory.data_len(self._store),))
        return whole[start : start + 4 * count].view(np.float32)

    def _call(self, name: str, *values: float) -> float:
        return cast("float", cast("Func", self._calls[name])(self._store, *values))

    def _imports(self) -> list[Func]:
        """What the library wants of its host: random bytes, more memory, copying, and an end to it all."""
        dice = random.Random(0)  # noqa: S311 - nobody's secret

        def fill(caller: Caller, at: int, count: int) -> int:
            self._held(caller).write(caller, dice.randbytes(count), at)
            return 0

        def grow(caller: Caller, size: int) -> int:
            memory = self._held(caller)
            memory.grow(caller, -(-(size - memory.data_len(caller)) // _PAGE))
            return 1

        def copy(caller: Caller, to: int, start: int, count: int) -> None:
            memory = self._held(caller)
            memory.write(caller, memory.read(caller, start, start + count), to)

        def end() -> None:
            raise MemoryError("signalsmith-stretch ran out of memory")

        number = ValType.i32()
        made: list[tuple[Callable[..., int | None], int, int]] = [(fill, 2, 1), (grow, 1, 1), (copy, 3, 0)]
        funcs = [
            Func(self._store, FuncType([number] * takes, [number] * gives), act, access_caller=True)
            for act, takes, gives in made
        ]
        return [*funcs, Func(self._store, FuncType([], []), end)]

    @staticmethod
    def _held(caller: Caller) -> Memory:
        return cast("Memory", caller[_MEMORY])
