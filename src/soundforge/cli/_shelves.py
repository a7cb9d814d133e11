"""``tracks artists``, ``tracks albums``, ``tracks trash`` and ``tracks forget``."""

from uuid import UUID

from cyclopts import App

from soundforge import library, pipeline, views
from soundforge.cli._arguments import MOST, After, Limit
from soundforge.cli._output import say, say_json, say_more, say_table
from soundforge.cli._rooms import run_as
from soundforge.db import reading, transaction


def add_to(tracks: App) -> None:
    """Add these commands to those about tracks."""
    for command in (artists, albums, trash, forget):
        tracks.command(command)


def artists(*, limit: Limit = MOST, after: After = None, json: bool = False, user: str | None = None) -> int:
    """List the artists of the library by name."""
    return _shelves("artist", limit, after, user, as_json=json)


def albums(*, limit: Limit = MOST, after: After = None, json: bool = False, user: str | None = None) -> int:
    """List the albums of the library by name."""
    return _shelves("album", limit, after, user, as_json=json)


def trash(*, limit: Limit = MOST, after: After = None, json: bool = False, user: str | None = None) -> int:
    """List what was deleted and can be brought back, the latest first."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            page = await views.get_trash_page(session, owner_id, after=after, limit=limit)
        if json:
            say_json(views.plain(page))
            return 0
        say_table(("id", "title", "artist", "days left"), [(r.id, r.title, r.artist, r.days_left) for r in page.rows])
        say_more(page.next)
        return 0

    return run_as(user, body)


def forget(*track: UUID, everything: bool = False, json: bool = False, user: str | None = None) -> int:
    """Delete tracks of the trash for good, or `--everything` in it."""
    if everything == bool(track):
        say("Name the tracks to delete for good, or say --everything.")
        return 2

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            count = await pipeline.request_let_go(session, owner_id, None if everything else track)
        say_json({"count": count}) if json else say(f"{count} tracks are deleted for good")
        return 0

    return run_as(user, body)


def _shelves(what: str, limit: int, after: str | None, user: str | None, *, as_json: bool) -> int:
    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            page = await library.list_shelves(session, owner_id, what, after=after, limit=limit)
        if as_json:
            say_json(views.plain(page))
            return 0
        say_table((what, "by", "tracks"), [(one.name, one.artist, one.tracks) for one in page.rows])
        say_more(page.next)
        return 0

    return run_as(user, body)
