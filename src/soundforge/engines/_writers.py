"""Children that write files to play and to take away: FLAC of PCM, a zip of files, the demo song."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundforge
from soundforge.children import Limits, call, path_inside, runner
from soundforge.engines._contract import OnProgress, Pcm

FADES_IN_A_SECOND = 200  # a muted region fades within 5 ms, in the mixer too
# The very file that pages load: what is rendered went through the same stretcher as what was heard.
_STRETCH = Path(soundforge.__file__).parent / "web/static/vendor/signalsmith-stretch-1.3.2/stretch.wasm"
_LIMITS = Limits(total_s=3600, silence_s=60, memory_mb=1024)


@dataclass(frozen=True)
class DemoSong:
    """The rendered demo song and what is true of it: ``bpm``, ``key``, ``camelot``, ``sections`` and more."""

    path: Path
    size_bytes: int
    truth: Mapping[str, Any]


async def encode_flac(pcm: Pcm, out: Path, *, folder: Path, on_progress: OnProgress | None = None) -> int:
    """Write ``pcm`` as 24-bit FLAC at its own rate; gives the number of frames limited to ±1."""
    request = {
        "pcm": str(pcm.path),
        "sample_rate_hz": pcm.sample_rate_hz,
        "channels": pcm.channels,
        "frames": pcm.frames,
        "flac": str(out),
    }
    result = await call(runner("encode"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
    return int(result["clipped_frames"])


@dataclass(frozen=True)
class MixStem:
    """One stem of a mix: linear gains, and where it is silent, in frames."""

    path: Path
    left: float
    right: float
    mutes: tuple[tuple[int, int], ...] = ()


async def render_mix(
    stems: Sequence[MixStem],
    out: Path,
    *,
    format: str,  # noqa: A002 - the word for it
    rate_hz: int,
    folder: Path,
    tempo: float = 1,
    semitones: int = 0,
    on_progress: OnProgress | None = None,
) -> float:
    """Sum stems into a new file (``flac24``, ``wav24``, ``wav32f``); gives by how many dB it was made softer, ≤ 0.

    ``tempo`` 0.5 to 1.5 of the recorded one, without its pitch; ``semitones`` -12 to 12, without its tempo.
    """
    parts = [
        {"path": str(one.path), "left": one.left, "right": one.right, "mutes": [list(mute) for mute in one.mutes]}
        for one in stems
    ]
    request = {
        "stems": parts,
        "fade_frames": max(1, math.floor(rate_hz / FADES_IN_A_SECOND + 0.5)),
        "format": format,
        "tempo": tempo,
        "semitones": semitones,
        "wasm": str(_STRETCH),
        "out": str(out),
    }
    result = await call(runner("render"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
    return float(result["trim_db"])


async def pack_zip(
    files: Sequence[tuple[Path, str]], out: Path, *, folder: Path, on_progress: OnProgress | None = None
) -> int:
    """Store files under unique names in a new zip; gives their number."""
    request = {"files": [{"path": str(path), "name": name} for path, name in files], "zip": str(out)}
    result = await call(runner("pack"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
    return int(result["files"])


async def render_demo(folder: Path, *, on_progress: OnProgress | None = None) -> DemoSong:
    """Render the demo song into ``folder``."""
    request = {"folder": str(folder)}
    result = await call(runner("demo_song"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
    path = path_inside(folder, result["mix"])
    return DemoSong(path, path.stat().st_size, dict(result["truth"]))
