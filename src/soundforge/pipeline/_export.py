"""Export: one zip of all stems of one separation."""

from contextlib import AsyncExitStack
from uuid import UUID

from soundforge import formats, jobs, library
from soundforge.db import reading
from soundforge.engines import pack_zip
from soundforge.errors import Broken
from soundforge.pipeline._files import new_file
from soundforge.pipeline._ports import ports


async def export(run: jobs.Run) -> None:
    """Body of an export job: name the stems, pack them, store the zip."""
    title, members = await _members(run)
    target = run.folder / "stems.zip"
    async with AsyncExitStack() as stack:
        files = [(await stack.enter_async_context(ports().storage.local(key)), name) for key, name in members]
        await pack_zip(files, target, folder=run.folder / "pack", on_progress=run.report)
    stored = await ports().storage.put(target, f"{run.prefix}stems.zip")
    file = new_file(stored, library.ZIP)
    async with run.done({"file_id": str(file.id), "name": title}) as session:
        await library.add_file(session, run.owner_id, file)


async def _members(run: jobs.Run) -> tuple[str, list[tuple[str, str]]]:
    job_id = UUID(str(run.params["stems_job"]))
    async with reading() as session:
        track = await library.get_track(session, run.owner_id, run.require_track())
        stems = [s for s in await library.list_stems(session, run.owner_id, [track.id]) if s.job_id == job_id]
        files = [await library.get_file(session, run.owner_id, stem.file_id) for stem in stems]
    if not stems:
        msg = "The stems to export are gone."
        raise Broken(msg, code="no_stems")
    names = [formats.file_name(track.artist, track.title, stem.name, ".flac") for stem in stems]
    keys = [file.key for file in files]
    return formats.file_name(track.artist, track.title, "stems", ".zip"), list(zip(keys, names, strict=True))
