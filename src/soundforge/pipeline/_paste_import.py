"""Import of a paste or a list: songs become tracks, lists become playlists, each song gets its download.

Every sheet is one transaction: its tracks, its downloads, its entries, and how far the import is. So an import that is
killed goes on behind the last sheet that was written, and one that is started again ends the same.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library
from soundforge.errors import Broken, Invalid, Rejected, SoundForgeError, Unavailable
from soundforge.library import NewEntry
from soundforge.pipeline._ports import ports
from soundforge.pipeline._requests import new_download
from soundforge.pipeline._sheets import Item, Sheet, list_sheets, read_sheets

_MOST_BYTES = 8 << 20
_NOTHING = {"tracks": 0, "known": 0, "skipped": 0}
_LIST = {"kind": "list"}


async def import_paste(run: jobs.Run) -> None:
    """Body of the import of a paste or a list."""
    lines = [_LIST] if run.params["what"] == "list" else run.params["lines"]
    for number in range(int(run.params.get("line", 0)), len(lines)):
        try:
            await _import_line(run, number, lines[number])
        except (Rejected, Broken) as error:
            await _note_problem(run, number, error, len(lines))
    counts = run.params.get("counts", {})
    async with run.done({**counts, "problems": run.params.get("problems", [])}):
        pass
    if upload := run.params.get("upload"):
        await asyncio.to_thread(_received(upload).unlink, missing_ok=True)


async def _import_line(run: jobs.Run, number: int, order: Mapping[str, str]) -> None:
    start, snapshot_id = int(run.params.get("offset", 0)), str(run.params.get("snapshot_id", ""))
    async for sheet in _sheets(run, order, start, snapshot_id):
        await _write(run, number, sheet)
        _report(run, number, sheet)


async def _sheets(run: jobs.Run, order: Mapping[str, str], start: int, snapshot_id: str) -> AsyncIterator[Sheet]:
    if order["kind"] != "list":
        async for sheet in read_sheets(order, start=start, snapshot_id=snapshot_id):
            yield sheet
        return
    text = await asyncio.to_thread(_read_list, _received(run.params["upload"]))
    for sheet in list_sheets(text, str(run.params["name"]), start):
        yield sheet


async def _write(run: jobs.Run, number: int, sheet: Sheet) -> None:
    """One sheet, whole or not at all."""
    walk_id = uuid4() if sheet.offset == 0 else UUID(str(run.params["walk_id"]))
    async with run.writing() as session:
        await _stop_if_cancelled(session, run)
        tracks, of_line = await _add_songs(session, run, number, sheet)
        if sheet.playlist:
            await _add_entries(session, run.owner_id, sheet, walk_id, tracks)
        at = {"line": number + 1, "offset": 0, "snapshot_id": ""}
        if not sheet.is_last:
            at = {"line": number, "offset": sheet.following, "snapshot_id": sheet.snapshot_id}
        await run.note_in(session, **at, walk_id=str(walk_id), of_line=of_line, counts=_counts(of_line))


async def _add_songs(
    session: AsyncSession, run: jobs.Run, number: int, sheet: Sheet
) -> tuple[dict[int, UUID], dict[str, Any]]:
    """Tracks by their position, and what was counted in this line."""
    items = [item for item in sheet.items if item.song]
    linked = await library.add_songs(session, run.owner_id, [item.song for item in items if item.song])
    asked = [(one.track_id, item) for item, one in zip(items, linked, strict=True) if not one.has_audio]
    await jobs.add_jobs(session, [_download(run, *each) for each in asked])  # those under way come already
    of_line = _line_so_far(run.params, number, sheet.offset)
    of_line["tracks"] += sum(one.is_new for one in linked)
    of_line["songs"] += len(items)
    of_line["skipped"] += len(sheet.items) - len(items)
    return {item.position: one.track_id for item, one in zip(items, linked, strict=True)}, of_line


def _line_so_far(params: Mapping[str, Any], number: int, offset: int) -> dict[str, Any]:
    """What pages before this one counted: songs and skips of this walk alone, new tracks of every walk of the line."""
    so_far = params.get("of_line", {})
    if so_far.get("line") != number:
        return {"line": number, "songs": 0, "tracks": 0, "skipped": 0, "before": params.get("counts", _NOTHING)}
    return {**so_far, "songs": 0, "skipped": 0} if offset == 0 else dict(so_far)


def _counts(of_line: Mapping[str, Any]) -> dict[str, int]:
    """The counts of the whole import so far, as pages tell them."""
    known = max(0, of_line["songs"] - of_line["tracks"])
    of_this = {"tracks": of_line["tracks"], "known": known, "skipped": of_line["skipped"]}
    return {name: of_line["before"][name] + of_this[name] for name in _NOTHING}


def _download(run: jobs.Run, track_id: UUID, item: Item) -> jobs.NewJob:
    wanted = {**item.wanted, "model": run.params.get("model", "auto")}
    return new_download(run.owner_id, track_id, wanted, parent_id=run.job_id)


async def _add_entries(
    session: AsyncSession, owner_id: UUID, sheet: Sheet, walk_id: UUID, tracks: Mapping[int, UUID]
) -> None:
    if sheet.playlist is None:
        return
    begin = library.find_walk if sheet.offset else library.add_playlist
    playlist_id = await begin(session, owner_id, sheet.playlist, walk_id)
    if playlist_id is None:  # removed meanwhile, or read anew by a younger import, which tells all that is in it
        return
    entries = [
        NewEntry(item.position, item.entry_id, item.title, tracks.get(item.position), item.skip) for item in sheet.items
    ]
    await library.add_entries(session, owner_id, playlist_id, walk_id, entries)
    if sheet.is_last:
        await library.end_walk(session, owner_id, playlist_id, notice=sheet.notice, is_cut=sheet.is_cut)


async def _stop_if_cancelled(session: AsyncSession, run: jobs.Run) -> None:
    """Write nothing more once the import was cancelled: its downloads were, and no new ones may follow."""
    job = await jobs.get_job(session, run.owner_id, run.job_id)
    if job.cancel_requested_at is not None:
        raise Unavailable("This was cancelled.", code="cancelled")


async def _note_problem(run: jobs.Run, number: int, error: SoundForgeError, count: int) -> None:
    """Keep why a line came to nothing and go on with the next; an import of which nothing came fails like it."""
    problems = [*run.params.get("problems", [])]
    if len(problems) + 1 == count:
        if run.params["what"] == "list":
            await run.note(upload_gone=True)
            await asyncio.to_thread(_received(run.params["upload"]).unlink, missing_ok=True)
        if problems:  # another try begins where this one did
            await run.note(line=0, offset=0, snapshot_id="", problems=[])
        raise error
    problem = {"line": number + 1, "code": error.code, "sentence": error.sentence}
    await run.note(line=number + 1, offset=0, snapshot_id="", problems=[*problems, problem])


def _report(run: jobs.Run, number: int, sheet: Sheet) -> None:
    count = len(run.params.get("lines", [None]))
    total = sheet.playlist.total if sheet.playlist and sheet.playlist.total else sheet.offset + len(sheet.items)
    part = min(1.0, (sheet.offset + len(sheet.items)) / max(total, 1))
    run.report(100 * (number + part) / count, "reading")


def _received(upload: object) -> Path:
    return ports().settings.incoming_folder / str(upload)


def _read_list(path: Path) -> str:
    """The text of a received list. Raises ``Broken`` ("upload_gone"), ``Invalid``."""
    try:
        with path.open("rb") as file:
            found = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise Broken("The received file is gone. Import it again.", code="upload_gone") from error
    if len(found) > _MOST_BYTES:
        raise Invalid("The list is longer than 2000 songs.", code="list_too_long")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The list is no CSV that can be read.", code="csv_unreadable", detail=str(error)) from error
