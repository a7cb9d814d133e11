"""Child: sum stems into one file, as the mixer plays them.

Request: ``{"stems": [{"path", "left", "right", "mutes": [[start, end], …]}], "fade_frames": int, "format": "flac24" |
"wav24" | "wav32f", "tempo": 0.5..1.5, "semitones": -12..12, "wasm": path, "out": path}``. Gains are linear; muted
regions are frames, in order and apart, faded by ``fade_frames`` just inside their edges, by the formula of
``static/js/engine/source.js``. All stems have one rate and length. At another tempo or pitch the sum goes through the
stretcher (``_stretch``), else not. Result: ``{"frames": int, "peak": float, "trim_db": float}``: what 24 bits cannot
hold is made softer as a whole by ``trim_db``, so that nothing is cut off; 32-bit float holds it as it is.

Block by block, so that memory does not grow with the length; for 24 bits once to find the peak and once to write.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundforge_runners._protocol import Channel, Refused, serve
from soundforge_runners._sound_file import SoundOut
from soundforge_runners._stretch import stretched

type Samples = NDArray[np.float64]  # [frames, 2]

BLOCK_FRAMES = 1 << 17
FORMATS = {"flac24": ("FLAC", "PCM_24"), "wav24": ("WAV", "PCM_24"), "wav32f": ("WAV", "FLOAT")}
FULL_SCALE = 1 - 2**-23  # the highest step of 24 bits


def render(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Sum, measure, write."""
    container, subtype = FORMATS[request["format"]]
    exact = subtype == "FLOAT"
    with ExitStack() as stack:
        files = [stack.enter_context(soundfile.SoundFile(stem["path"])) for stem in request["stems"]]
        rate, frames = _shape(files)
        frames = round(frames / request["tempo"])
        peak = 0.0
        if not exact:
            for done, block in _played(files, request):
                peak = max(peak, float(np.abs(block).max(initial=0)))
                channel.progress(50 * done / frames, "measuring")
        gain = min(1.0, FULL_SCALE / peak) if peak else 1.0
        out = stack.enter_context(SoundOut(Path(request["out"]), rate, 2, subtype, container=container))
        for done, block in _played(files, request):
            peak = max(peak, float(np.abs(block).max(initial=0)))
            out.write(block * gain)
            start = 0 if exact else 50
            channel.progress(start + (100 - start) * done / frames, "rendering")
    return {"frames": frames, "peak": peak, "trim_db": 20 * math.log10(gain)}


def _played(files: Sequence[soundfile.SoundFile], request: dict[str, Any]) -> Iterator[tuple[int, Samples]]:
    """The sum at the tempo and pitch that were asked for, block by block, with the number of frames done."""
    tempo, semitones = float(request["tempo"]), int(request["semitones"])
    blocks = _blocks(files, request["stems"], int(request["fade_frames"]))
    if tempo != 1 or semitones:
        wasm = Path(request["wasm"])
        rate, frames = files[0].samplerate, files[0].frames
        blocks = stretched(blocks, frames, rate, tempo=tempo, semitones=semitones, wasm=wasm)
    done = 0
    for block in blocks:
        done += len(block)
        yield done, block


def openness(mutes: Sequence[Sequence[int]], start: int, count: int, fade: int) -> Samples:
    """How much of a stem is let through at each of ``count`` frames from ``start`` on, 0 to 1; [frames]."""
    open_ = np.ones(count)
    for first, end in mutes:
        low, high = max(first, start), min(end, start + count)
        if low < high:
            frame = np.arange(low, high)
            near = np.minimum(frame - first + 1, end - frame)
            open_[low - start : high - start] = 1 - np.minimum(1, near / fade)
    return open_


def _shape(files: Sequence[soundfile.SoundFile]) -> tuple[int, int]:
    shapes = {(file.samplerate, file.frames) for file in files}
    if len(shapes) != 1:
        raise Refused("stems_differ", "The stems are not of one length and sample rate.", family="broken")
    return shapes.pop()


def _blocks(files: Sequence[soundfile.SoundFile], stems: Sequence[dict[str, Any]], fade: int) -> Iterator[Samples]:
    """The sum, block by block."""
    frames = files[0].frames
    for file in files:
        file.seek(0)
    for start in range(0, frames, BLOCK_FRAMES):
        count = min(BLOCK_FRAMES, frames - start)
        total = np.zeros((count, 2))
        for file, stem in zip(files, stems, strict=True):
            block = file.read(count, dtype="float64", always_2d=True)
            pair = block if block.shape[1] == 2 else np.repeat(block[:, :1], 2, axis=1)
            let = openness(stem["mutes"], start, count, fade)[:, None]
            total += pair * let * np.array([stem["left"], stem["right"]])
        yield total


if __name__ == "__main__":
    serve("render", render)
