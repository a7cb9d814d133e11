"""Sound and pictures of sound out of storage: the same for one's own tracks and for shared mixes."""

import asyncio

import soundfile
from fastapi.responses import Response

from soundforge.errors import Invalid, NotFound
from soundforge.storage import Storage
from soundforge.tables import File

LONGEST_CHUNK_S = 2


async def send_pcm(storage: Storage, file: File, start: int, frames: int, *, cache: str) -> Response:
    """At most two seconds of a FLAC file of ours, as interleaved little-endian int16; raises ``Invalid``."""
    if file.media_type != "audio/flac":
        raise Invalid("Only the studio's own FLAC files can be played in chunks.", code="not_playable")
    async with storage.local(file.key) as path:
        data, headers = await asyncio.to_thread(_read, str(path), start, frames)
    return Response(data, media_type="application/octet-stream", headers={**headers, "Cache-Control": cache})


async def send_peaks(storage: Storage, file: File, *, cache: str) -> Response:
    """A waveform in audiowaveform's format; raises ``NotFound``."""
    if file.media_type != "application/octet-stream":
        raise NotFound("There is no such waveform.", code="file_not_found")
    data = await storage.read(file.key)
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": cache})


def _read(path: str, start: int, frames: int) -> tuple[bytes, dict[str, str]]:
    with soundfile.SoundFile(path) as flac:
        headers = {
            "X-Sample-Rate": str(flac.samplerate),
            "X-Channels": str(flac.channels),
            "X-Frames": str(flac.frames),
        }
        if start >= flac.frames:
            return b"", headers
        flac.seek(start)
        block = flac.read(min(frames, LONGEST_CHUNK_S * flac.samplerate), dtype="int16", always_2d=True)
    return block.astype("<i2").tobytes(), headers
