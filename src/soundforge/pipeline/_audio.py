"""Decoded audio for a worker: from the cache, or decoded once more from the stored original."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from soundforge import jobs, library
from soundforge.db import reading
from soundforge.engines import Pcm
from soundforge.errors import Broken
from soundforge.pipeline._ports import ports


@asynccontextmanager
async def open_pcm(run: jobs.Run) -> AsyncIterator[Pcm]:
    """The run's track as float32 PCM; raises ``Broken`` ("no_audio") when the track has none."""
    sha256, key = await _source_of(run.owner_id, run.require_track())
    port = ports()

    async def decode() -> Pcm:
        async with port.storage.local(key) as original:
            decoded = await port.decoder.decode(
                original,
                run.folder / "decoded.f32",
                folder=run.folder / "decode",
                max_duration_s=port.settings.max_duration_s,
                on_progress=lambda _percent, _stage: run.report(0, "decoding"),
            )
        return decoded.pcm

    async with port.pcm.open(pcm_folder(run), sha256, decode) as pcm:
        yield pcm


def pcm_folder(run: jobs.Run) -> Path:
    """Where the work cache of a run's node lies."""
    return run.node.folder / "pcm"


async def _source_of(owner_id: UUID, track_id: UUID) -> tuple[str, str]:
    async with reading() as session:
        track = await library.get_track(session, owner_id, track_id)
        if track.audio_file_id is None or track.audio_sha256 is None:
            msg = "This track has no audio."
            raise Broken(msg, code="no_audio")
        file = await library.get_file(session, owner_id, track.audio_file_id)
        return track.audio_sha256, file.key
