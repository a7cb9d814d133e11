"""Maintenance: remove for good what was deleted long ago and what nothing needs; and the work of others by name."""

from datetime import UTC, datetime, timedelta

from soundforge import accounts, jobs, library
from soundforge.db import reading
from soundforge.errors import Broken
from soundforge.pipeline import _model_jobs, _tools
from soundforge.pipeline._demo import make_demo
from soundforge.pipeline._files import sweep_prefix
from soundforge.pipeline._incoming import remove_left_uploads
from soundforge.pipeline._parts import KEEP_PARTS, forget_late_uploads
from soundforge.pipeline._ports import ports
from soundforge.pipeline._spotify import check_spotify
from soundforge.tables import Kind

_LOOKS_BACK = timedelta(days=30)


async def maintain(run: jobs.Run) -> None:
    """Body of a maintenance job."""
    match run.params.get("what"):
        case "purge":
            await purge(run)
        case "demo":
            await make_demo(run)
        case "spotify":
            await check_spotify(run)
        case str() as what if what.startswith(_tools.WHAT):
            await _tools.install_tool(run)
        case str() as what if what.startswith(_model_jobs.WHAT):
            await _model_jobs.change_model(run)
        case other:
            raise Broken("This version knows no such maintenance.", code="unknown_maintenance", detail=repr(other))


async def purge(run: jobs.Run) -> None:
    """Remove what was deleted long enough ago, files nothing refers to, logins that ran out, uploads left alone."""
    await _purge_tracks(run)
    await _forget_late(run)
    removed = await _remove_orphans(run) + await _remove_left()
    uploads = await remove_left_uploads(ports().settings)
    async with run.done({"files": removed, "uploads": uploads}):
        pass


async def _purge_tracks(run: jobs.Run) -> None:
    now = datetime.now(UTC)
    async with run.writing() as session:
        undo = timedelta(days=int(await accounts.get_setting(session, None, "undo_days")))
        for track_id in await library.list_removed_before(session, now - undo):
            await library.purge_track(session, track_id, now - undo)
        made = await jobs.list_made_files(session, Kind.EXPORT)
        keep = timedelta(days=int(await accounts.get_setting(session, None, "export_days")))
        await library.orphan_exports(session, made, now - keep)


async def _forget_late(run: jobs.Run) -> None:
    async with run.writing() as session:
        await accounts.remove_expired_sessions(session)
        await forget_late_uploads(session, datetime.now(UTC) - KEEP_PARTS)


async def _remove_left() -> int:
    """What dead runs stored and could not take back: storage or database were away, or they were killed."""
    async with reading() as session:
        prefixes = await jobs.list_dead_runs(session, datetime.now(UTC) - _LOOKS_BACK)
    return sum([len(await sweep_prefix(ports().storage, prefix)) for prefix in prefixes])


async def _remove_orphans(run: jobs.Run) -> int:
    """Objects first, then their rows: a crash in between only means that it is done again."""
    async with reading() as session:
        orphans = await library.list_orphans(session)
    for count, file in enumerate(orphans, start=1):
        await ports().storage.remove(file.key)
        run.report(100 * count / len(orphans), "removing")
    async with run.writing() as session:
        await library.forget_files(session, [file.id for file in orphans])
    return len(orphans)
