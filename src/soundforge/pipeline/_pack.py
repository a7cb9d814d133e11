"""A zip of many tracks: the audio of each as it was received, or its newest stems."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import formats, jobs, library
from soundforge.db import reading
from soundforge.engines import pack_zip
from soundforge.errors import Broken
from soundforge.library import Selection
from soundforge.pipeline._files import new_file
from soundforge.pipeline._ports import ports
from soundforge.tables import Track

type _Member = tuple[UUID, str, str]  # a file, what part of the song it is, and how its name ends


async def pack(run: jobs.Run) -> None:
    """Body of an export job about many tracks: name the files, pack them, store the zip."""
    members = await _members(run)
    target = run.folder / "tracks.zip"
    async with AsyncExitStack() as stack:
        files = [(await stack.enter_async_context(ports().storage.local(key)), name) for key, name in members]
        await pack_zip(files, target, folder=run.folder / "pack", on_progress=run.report)
    stored = await ports().storage.put(target, f"{run.prefix}tracks.zip")
    file = new_file(stored, library.ZIP)
    name = formats.file_name("", str(run.params["name"]), extension=".zip")
    async with run.done({"file_id": str(file.id), "name": name}) as session:
        await library.add_file(session, run.owner_id, file)


async def _members(run: jobs.Run) -> list[tuple[str, str]]:
    """Keys and names, numbered in the order of the choice: no two are alike, however tracks are called."""
    ids = tuple(UUID(one) for one in run.params["tracks"])
    members: list[tuple[str, str]] = []
    async with reading() as session:
        tracks = await library.list_selected(session, run.owner_id, Selection(ids), most=len(ids))
        stems = await _newest_stems(session, run, ids)
        for number, track in enumerate(tracks, start=1):
            for file_id, part, extension in stems.get(track.id, []) if _wants_stems(run) else _audio_of(track):
                file = await library.get_file(session, run.owner_id, file_id)
                name = formats.file_name(track.artist, track.title, part, extension)
                members.append((file.key, f"{number:03} {name}"))
    if not members:
        raise Broken("What was to be packed is gone.", code="no_stems" if _wants_stems(run) else "no_audio")
    return members


def _wants_stems(run: jobs.Run) -> bool:
    return run.params.get("packed") == "stems"


def _audio_of(track: Track) -> list[_Member]:
    return [(track.audio_file_id, "", f".{(track.format or 'audio').lower()}")] if track.audio_file_id else []


async def _newest_stems(session: AsyncSession, run: jobs.Run, ids: Sequence[UUID]) -> dict[UUID, list[_Member]]:
    """The stems of each track's newest separation."""
    newest: dict[UUID, UUID] = {}
    members: dict[UUID, list[_Member]] = {}
    for stem in await library.list_stems(session, run.owner_id, ids, previews=False):
        if newest.setdefault(stem.track_id, stem.job_id) == stem.job_id:
            members.setdefault(stem.track_id, []).append((stem.file_id, stem.name, ".flac"))
    return members
