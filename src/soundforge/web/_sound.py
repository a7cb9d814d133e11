"""Sound and pictures of sound out of storage: the same for one's own tracks and for shared mixes."""

import asyncio
import io
import struct

import numpy as np
import soundfile
from fastapi.responses import Response
from numpy.typing import NDArray

from soundforge.errors import Invalid, NotFound
from soundforge.storage import Storage
from soundforge.tables import File

LONGEST_CHUNK_S = 2
PEAKS_HEADER = struct.Struct("<iIiiIi")  # of audiowaveform: see soundforge_runners._peaks
LEVEL = 0.375  # of compression: see docs/benchmarks.md

type Samples = NDArray[np.int16]  # [frames, channels]


async def send_pcm(storage: Storage, file: File, start: int, frames: int, *, packed: bool, cache: str) -> Response:
    """At most two seconds of a FLAC file of ours in 16 bits; raises ``Invalid``.

    Interleaved little-endian int16, or ``packed`` as a FLAC file that holds the very same samples.
    """
    if file.media_type != "audio/flac":
        raise Invalid("Only the studio's own FLAC files can be played in chunks.", code="not_playable")
    async with storage.local(file.key) as path:
        block, headers = await asyncio.to_thread(_read, str(path), start, frames)
    if not packed or not len(block):
        kind, data = "application/octet-stream", block.astype("<i2").tobytes()
    else:
        kind, data = "audio/flac", await asyncio.to_thread(pack, block, int(headers["X-Sample-Rate"]))
    return Response(data, media_type=kind, headers={**headers, "Cache-Control": cache})


async def send_peaks(storage: Storage, file: File, samples_per_pixel: int, *, cache: str) -> Response:
    """A waveform in audiowaveform's format, as coarse as asked for or the next finer level; raises ``NotFound``."""
    if file.media_type != "application/octet-stream":
        raise NotFound("There is no such waveform.", code="file_not_found")
    data = await storage.read(file.key, *await _level(storage, file, samples_per_pixel))
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": cache})


async def _level(storage: Storage, file: File, samples_per_pixel: int) -> tuple[int, int]:
    """Where a level lies in the file: levels are whole files one behind the other, the finest first."""
    found, at = (0, file.size_bytes), 0
    while at + PEAKS_HEADER.size <= file.size_bytes:
        header = await storage.read(file.key, at, at + PEAKS_HEADER.size)
        _version, _flags, _rate, width, pixels, channels = PEAKS_HEADER.unpack(header)
        end = at + PEAKS_HEADER.size + 2 * pixels * channels
        if (at and width > samples_per_pixel) or not at < end <= file.size_bytes:
            break
        found, at = (at, end), end
    return found


def pack(block: Samples, rate_hz: int) -> bytes:
    """A FLAC file of 16 bits that holds ``block``."""
    made = io.BytesIO()
    with soundfile.SoundFile(
        made, "w", rate_hz, block.shape[1], "PCM_16", format="FLAC", compression_level=LEVEL
    ) as flac:
        flac.write(block)
    return made.getvalue()


def _read(path: str, start: int, frames: int) -> tuple[Samples, dict[str, str]]:
    with soundfile.SoundFile(path) as flac:
        headers = {
            "X-Sample-Rate": str(flac.samplerate),
            "X-Channels": str(flac.channels),
            "X-Frames": str(flac.frames),
        }
        if start >= flac.frames:
            return np.zeros((0, flac.channels), np.int16), headers
        flac.seek(start)
        block = flac.read(min(frames, LONGEST_CHUNK_S * flac.samplerate), dtype="int16", always_2d=True)
    return block, headers
