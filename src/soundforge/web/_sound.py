"""Sound and pictures of sound out of storage: the same for one's own tracks and for shared mixes."""

import asyncio
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import soundfile
from fastapi.responses import Response
from numpy.typing import NDArray

from soundforge.errors import Invalid, NotFound
from soundforge.storage import Storage
from soundforge.tables import File

LONGEST_CHUNK_S = 2
MOST_TOGETHER = 12  # two sets of six stems
PEAKS_HEADER = struct.Struct("<iIiiIi")  # of audiowaveform: see soundforge_runners._peaks
LEVEL = 0.375  # of compression: see docs/benchmarks.md

type Samples = NDArray[np.int16]  # [frames, channels]


@dataclass(frozen=True)
class _Part:
    """A span of one file, and what is told of it."""

    rate_hz: int
    channels: int
    frames: int  # of the whole file
    data: bytes


def read_file_ids(text: str) -> list[UUID]:
    """Ids with commas between them, as of stems that are played together; raises ``Invalid`` and ``NotFound``."""
    parts = text.split(",")
    if len(parts) > MOST_TOGETHER:
        msg = f"At most {MOST_TOGETHER} files can be played together."
        raise Invalid(msg, code="not_playable")
    try:
        return [UUID(part) for part in parts]
    except ValueError:
        raise NotFound("There is no such sound.", code="file_not_found") from None


async def send_pcm(
    storage: Storage, files: Sequence[File], start: int, frames: int, *, packed: bool, cache: str
) -> Response:
    """At most two seconds of each of some FLAC files of ours in 16 bits, one behind the other; raises ``Invalid``.

    Interleaved little-endian int16, or ``packed`` as FLAC files that hold the very same samples. Headers have a number
    for each file.
    """
    if any(file.media_type != "audio/flac" for file in files):
        raise Invalid("Only the studio's own FLAC files can be played in chunks.", code="not_playable")
    parts = await asyncio.gather(*(_read_part(storage, file, start, frames, packed=packed) for file in files))
    data = b"".join(part.data for part in parts)
    told = {
        "X-Sample-Rate": [part.rate_hz for part in parts],
        "X-Channels": [part.channels for part in parts],
        "X-Frames": [part.frames for part in parts],
        "X-Bytes": [len(part.data) for part in parts],
    }
    headers = {name: ",".join(map(str, numbers)) for name, numbers in told.items()}
    kind = "audio/flac" if packed and data else "application/octet-stream"
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


async def _read_part(storage: Storage, file: File, start: int, frames: int, *, packed: bool) -> _Part:
    async with storage.local(file.key) as path:
        return await asyncio.to_thread(_read, str(path), start, frames, packed=packed)


def _read(path: str, start: int, frames: int, *, packed: bool) -> _Part:
    with soundfile.SoundFile(path) as flac:
        block = np.zeros((0, flac.channels), np.int16)
        if start < flac.frames:
            flac.seek(start)
            block = flac.read(min(frames, LONGEST_CHUNK_S * flac.samplerate), dtype="int16", always_2d=True)
        data = pack(block, flac.samplerate) if packed and len(block) else block.astype("<i2").tobytes()
        return _Part(flac.samplerate, flac.channels, flac.frames, data)
