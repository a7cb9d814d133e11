"""``tracks`` and ``jobs``: what is in a library, and what works on it."""

from uuid import UUID

from cyclopts import App

from soundforge import jobs, library, pipeline, views
from soundforge.cli import _batch, _corrections, _cues, _neighbours, _shelves
from soundforge.cli._arguments import After, Limit
from soundforge.cli._output import say, say_json, say_more, say_table
from soundforge.cli._rooms import run_as
from soundforge.cli._separation import USUAL, Wanted
from soundforge.db import reading, transaction
from soundforge.tables import Status

tracks = App(name="tracks", help="Tracks of a library.")
job_commands = App(name="jobs", help="Background work.")


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(tracks)
    _corrections.add_to(tracks)
    _cues.add_to(tracks)
    _neighbours.add_to(tracks)
    _batch.add_to(tracks)
    _shelves.add_to(tracks)
    app.command(job_commands)


@tracks.command(name="list")
def list_tracks(
    search: str = "",
    *,
    sort: str = "created",
    limit: Limit = 50,
    after: After = None,
    json: bool = False,
    user: str | None = None,
) -> int:
    """List tracks, or those that a search finds."""

    async def body(owner_id: UUID) -> int:
        query = library.Query(search=search, sort=sort, descending=sort == "created")
        async with reading() as session:
            page = await views.get_library_page(session, owner_id, query, after=after, limit=limit)
        if json:
            say_json(views.plain(page))
            return 0
        say_table(
            ("id", "title", "artist", "bpm", "key", "stems"),
            [
                (
                    row.id,
                    row.title,
                    row.artist,
                    f"{row.bpm:.1f}" if row.bpm else "–",
                    row.camelot or "–",
                    " ".join(row.stems),
                )
                for row in page.rows
            ],
        )
        say_more(page.next)
        return 0

    return run_as(user, body)


@tracks.command
def show(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Show everything about one track."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            view = await views.get_track_view(session, owner_id, track)
        if json:
            say_json(views.plain(view))
            return 0
        row = view.row
        say(f"{row.title} - {row.artist or 'unknown'} ({row.album or 'no album'})")
        say(f"{row.bpm or '–'} BPM, {row.musical_key or '–'}, {(row.duration_ms or 0) / 1000:.1f} s, {view.format}")
        for stems in view.stem_sets:
            say(f"stems by {stems.model}: {', '.join(stem.name for stem in stems.stems)}")
        for job in view.jobs:
            say(f"{job.kind} {job.id}: {job.status}{f' - {job.error}' if job.error else ''}")
        return 0

    return run_as(user, body)


@tracks.command
def download(
    track: UUID, *, candidate: UUID | None = None, link: str = "", json: bool = False, user: str | None = None
) -> int:
    """Ask for a track's audio: look for it, or take it from a candidate or a link.

    Parameters
    ----------
    track
        The track, as `tracks list` names it.
    candidate
        One of the sources that `tracks show --json` lists.
    link
        A link of your own to YouTube, SoundCloud or Bandcamp.
    json
        Print the job as JSON.
    user
        Whose library; the owner's unless said.

    """

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            if candidate or link:
                job = await pipeline.request_source(session, owner_id, track, candidate_id=candidate, link=link)
            else:
                job = await pipeline.request_fetch(session, owner_id, track)
            view = await views.get_job_view(session, owner_id, job.id)
        say_json(views.plain(view)) if json else say(f"download {view.id}: {view.status}")
        return 0

    return run_as(user, body)


@tracks.command
def confirm(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Say that a doubtful track ("check me") is the right song."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.confirm_track(session, owner_id, track)
            view = await views.get_track_view(session, owner_id, track)
        if json:
            say_json(views.plain(view))
        return 0

    return run_as(user, body)


@tracks.command
def edit(
    track: UUID,
    *,
    title: str | None = None,
    artist: str | None = None,
    album: str | None = None,
    json: bool = False,
    user: str | None = None,
) -> int:
    """Correct title, artist or album."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            now = await library.get_track(session, owner_id, track)
            words = {"title": title, "artist": artist, "album": album}
            chosen = {name: getattr(now, name) if word is None else word for name, word in words.items()}
            await library.change_track(session, owner_id, track, **chosen)
            view = await views.get_track_view(session, owner_id, track)
        if json:
            say_json(views.plain(view))
        return 0

    return run_as(user, body)


@tracks.command
def delete(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Take a track out of the library; it can be brought back for a while."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.remove_track(session, owner_id, track)
        if json:
            say_json({"track_id": track, "deleted": True})
        return 0

    return run_as(user, body)


@tracks.command
def restore(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Bring a deleted track back."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.restore_track(session, owner_id, track)
            view = await views.get_track_view(session, owner_id, track)
        if json:
            say_json(views.plain(view))
        return 0

    return run_as(user, body)


@tracks.command
def separate(track: UUID, *, wanted: Wanted = USUAL, json: bool = False, user: str | None = None) -> int:
    """Ask for stems of a track; a running studio or worker makes them."""

    async def body(owner_id: UUID) -> int:
        options = pipeline.check_options(wanted.model, wanted.options())
        async with transaction() as session:
            job = await pipeline.request_separation(session, owner_id, track, model=wanted.model, options=options)
            view = await views.get_job_view(session, owner_id, job.id)
        say_json(views.plain(view)) if json else say(str(view.id))
        return 0

    return run_as(user, body)


@tracks.command
def analyze(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Ask for an analysis of a track; a running studio or worker makes it."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            job = await pipeline.request_analysis(session, owner_id, track)
            view = await views.get_job_view(session, owner_id, job.id)
        say_json(views.plain(view)) if json else say(str(view.id))
        return 0

    return run_as(user, body)


@job_commands.command(name="list")
def list_jobs(
    *,
    status: Status | None = None,
    limit: Limit = 50,
    after: After = None,
    json: bool = False,
    user: str | None = None,
) -> int:
    """List jobs, newest first."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            statuses = [status] if status else []
            page = await views.list_job_views(session, owner_id, statuses=statuses, after=after, limit=limit)
        if json:
            say_json(views.plain(page))
            return 0
        say_table(
            ("id", "kind", "what", "status", "%", "run", "cause"),
            [
                (job.id, job.kind, job.title, job.status, job.progress, job.run, job.error or job.waiting)
                for job in page.rows
            ],
        )
        say_more(page.next)
        return 0

    return run_as(user, body)


@job_commands.command(name="show")
def show_job(job: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Show one job."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            view = await views.get_job_view(session, owner_id, job)
        if json:
            say_json(views.plain(view))
        else:
            say(f"{view.kind} {view.title}: {view.status} {view.progress} % (run {view.run})")
            say(view.error or view.waiting)
            for stage, took_s in view.stages_s:
                say(f"  {stage}: {took_s:.1f} s")
        return 0

    return run_as(user, body)


@job_commands.command
def retry(job: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Queue a failed job again."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await jobs.retry_job(session, owner_id, job)
            view = await views.get_job_view(session, owner_id, job)
        if json:
            say_json(views.plain(view))
        return 0

    return run_as(user, body)


@job_commands.command
def retry_failed(job: UUID | None = None, *, json: bool = False, user: str | None = None) -> int:
    """Queue every download of an import again that failed and was not replaced; without an import, all that failed."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            if job is None:
                count = await pipeline.request_retry_all(session, owner_id)
            else:
                count = await pipeline.request_retry_failed(session, owner_id, job)
        told = f"{count} {'jobs' if job is None else 'downloads'} are tried again"
        say_json({"count": count}) if json else say(told)
        return 0

    return run_as(user, body)


@job_commands.command
def cancel(job: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Stop a job that waits or runs, and what it started."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            cancelled = await pipeline.request_cancel(session, owner_id, job)
            view = await views.get_job_view(session, owner_id, job)
        for one in cancelled:
            await jobs.wake_cancelled(one)
        if json:
            say_json(views.plain(view))
        return 0

    return run_as(user, body)
