"""Import of a file: from received bytes to a playable track, then separation and analysis side by side."""

import asyncio
from dataclasses import fields
from pathlib import Path

from soundforge import jobs, library, sources
from soundforge.db import reading
from soundforge.engines import Decoded
from soundforge.errors import Broken, Conflict, Rejected
from soundforge.library import NewAudio, NewTrack
from soundforge.pipeline._files import sweep_prefix
from soundforge.pipeline._ports import ports
from soundforge.pipeline._song import ask_for_the_rest, decode_song, hash_of, store_song


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
    if not await asyncio.to_thread(received.exists):
        msg = "The received file is gone. Import it again."
        raise Broken(msg, code="upload_gone")
    sha256 = await hash_of(received)
    if await _finish_duplicate(run, sha256):
        await asyncio.to_thread(received.unlink, missing_ok=True)
        return
    decoded = await decode_song(run, received)
    audio = await store_song(run, received, decoded, sha256)
    await _finish(run, _track_of(run, decoded, audio))
    await asyncio.to_thread(received.unlink, missing_ok=True)


async def _finish_duplicate(run: jobs.Run, sha256: str) -> bool:
    async with reading() as session:
        same = await library.find_track_by_audio(session, run.owner_id, [sha256])
    if same is None:
        return False
    async with run.done({"track_id": str(same.id), "duplicate": True}):
        pass
    return True


def _track_of(run: jobs.Run, decoded: Decoded, audio: NewAudio) -> NewTrack:
    """The track-to-be: the words of its tags, else of the file's name."""
    guess = sources.clean_name(str(run.params["name"]))
    return NewTrack(
        title=decoded.tags.title or guess.title,
        artist=decoded.tags.artist or guess.artist,
        album=decoded.tags.album or "",
        source=str(run.params.get("source", "upload")),
        isrc=decoded.tags.isrc,
        year=decoded.tags.year,
        **{field.name: getattr(audio, field.name) for field in fields(audio)},
    )


async def _finish(run: jobs.Run, new: NewTrack) -> None:
    """Add the track, unless another import of the same bytes came first: then this one ends as its duplicate."""
    try:
        async with run.done({"track_id": str(new.id)}) as session:
            await library.add_track(session, run.owner_id, new)
            await ask_for_the_rest(session, run, new.id)
    except Conflict as error:
        if error.code != "duplicate_audio":
            raise
        await sweep_prefix(ports().storage, run.prefix)
        if not await _finish_duplicate(run, new.audio_sha256):
            raise
