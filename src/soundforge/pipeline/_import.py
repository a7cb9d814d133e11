"""Import: from received bytes to a playable track, then separation and analysis side by side."""

import asyncio
import hashlib
from pathlib import Path

from soundforge import jobs, library, sources
from soundforge.db import reading
from soundforge.engines import Decoded, encode_flac
from soundforge.errors import Broken, Conflict, Rejected
from soundforge.library import NewTrack
from soundforge.pipeline._audio import pcm_folder
from soundforge.pipeline._files import new_file, sweep_prefix
from soundforge.pipeline._ports import Ports, ports
from soundforge.pipeline._requests import request_analysis, request_separation

_COVER_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


async def import_upload(run: jobs.Run) -> None:
    """Body of an import job: make a track of the received file.

    The file goes as soon as trying again is useless; every other end but the good one keeps it for a retry.
    """
    received = ports().settings.incoming_folder / str(run.params["upload"])
    try:
        await _import(run, received)
    except (Rejected, Broken):
        await run.note(upload_gone=True)
        await asyncio.to_thread(received.unlink, missing_ok=True)
        raise


async def _import(run: jobs.Run, received: Path) -> None:
    """Hash, look for a duplicate, decode, store, add the track, ask for the rest."""
    port = ports()
    if not await asyncio.to_thread(received.exists):
        msg = "The received file is gone. Import it again."
        raise Broken(msg, code="upload_gone")
    sha256 = await asyncio.to_thread(_sha256, received)
    if await _finish_duplicate(run, sha256):
        await asyncio.to_thread(received.unlink, missing_ok=True)
        return
    decoded = await port.decoder.decode(
        received,
        run.folder / "decoded.f32",
        folder=run.folder / "decode",
        max_duration_s=port.settings.max_duration_s,
        on_progress=lambda percent, _stage: run.report(percent * 0.7, "decoding"),
    )
    await encode_flac(
        decoded.pcm,
        run.folder / "mix.flac",
        folder=run.folder / "encode",
        on_progress=lambda percent, _stage: run.report(70 + percent * 0.25, "encoding"),
    )
    new = await _store(run, port, received, decoded, sha256)
    port.pcm.keep(pcm_folder(run), sha256, decoded.pcm)
    await _finish(run, new)
    await asyncio.to_thread(received.unlink, missing_ok=True)


async def _finish_duplicate(run: jobs.Run, sha256: str) -> bool:
    async with reading() as session:
        same = await library.find_track_by_audio(session, run.owner_id, sha256)
    if same is None:
        return False
    async with run.done({"track_id": str(same.id), "duplicate": True}):
        pass
    return True


async def _store(run: jobs.Run, port: Ports, received: Path, decoded: Decoded, sha256: str) -> NewTrack:
    guess = sources.clean_name(str(run.params["name"]))
    extension = sources.extension_of(decoded.format)
    audio = await port.storage.put(received, f"{run.prefix}original{extension}")
    mix = await port.storage.put(run.folder / "mix.flac", f"{run.prefix}mix.flac")
    cover = None
    if decoded.cover:
        stored = await port.storage.put(decoded.cover, f"{run.prefix}cover{decoded.cover.suffix}")
        cover = new_file(stored, _COVER_TYPES[decoded.cover.suffix])
    run.report(98, "storing")
    return NewTrack(
        title=decoded.tags.title or guess.title,
        artist=decoded.tags.artist or guess.artist,
        album=decoded.tags.album or "",
        source=str(run.params.get("source", "upload")),
        audio=new_file(audio, sources.media_type_of(decoded.format)),
        mix=new_file(mix, "audio/flac"),
        cover=cover,
        audio_sha256=sha256,
        frames=decoded.pcm.frames,
        duration_ms=round(decoded.pcm.frames * 1000 / decoded.pcm.sample_rate_hz),
        sample_rate_hz=decoded.pcm.sample_rate_hz,
        channels=decoded.pcm.channels,
        format=decoded.format,
        isrc=decoded.tags.isrc,
        warnings=tuple(warning.sentence for warning in decoded.warnings),
    )


async def _finish(run: jobs.Run, new: NewTrack) -> None:
    """Add the track, unless another import of the same bytes came first: then this one ends as its duplicate."""
    try:
        async with run.done({"track_id": str(new.id)}) as session:
            await library.add_track(session, run.owner_id, new)
            model = str(run.params.get("model", "auto"))
            await request_separation(session, run.owner_id, new.id, model=model, parent_id=run.job_id)
            await request_analysis(session, run.owner_id, new.id, parent_id=run.job_id)
    except Conflict as error:
        if error.code != "duplicate_audio":
            raise
        await sweep_prefix(ports().storage, run.prefix)
        if not await _finish_duplicate(run, new.audio_sha256):
            raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
