"""``spotify`` and ``playlists``: what comes from elsewhere."""

from uuid import UUID

from cyclopts import App

from soundforge import library, pipeline, spotify, views
from soundforge.app import Rooms
from soundforge.cli import _own_playlists
from soundforge.cli._arguments import MOST, After, Limit
from soundforge.cli._follow import Show, ask, follow
from soundforge.cli._help import open_help
from soundforge.cli._output import say, say_json, say_more, say_table
from soundforge.cli._rooms import find_user_id, run_as, run_command
from soundforge.db import reading, transaction

links = App(name="spotify", help="Spotify's links, and whether it answers.")
playlists = App(name="playlists", help="Lists of songs, imported or made by hand.")


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(links)
    app.command(playlists)
    _own_playlists.add_to(playlists)


@links.command
def parse(url: str, *, json: bool = False) -> int:
    """Say what a Spotify link names, or why it is none (exit 2)."""
    ref = spotify.parse_url(url)
    if json:
        say_json({"kind": ref.kind, "id": ref.id, "url": ref.url})
    else:
        say(f"{ref.kind} {ref.id}")
    return 0


@links.command(name="test")
def check(*, json: bool = False) -> int:
    """Ask Spotify whether it answers this studio's app; exits with 1 and says why when it does not."""

    async def body(rooms: Rooms) -> int:
        owner_id = await find_user_id(None)
        async with open_help(rooms) as helping:
            job_id = await ask(lambda session: pipeline.request_spotify_check(session, owner_id))
            (ended,) = await follow(owner_id, [job_id], Show(quiet=True), helping)
        code, sentence = ended.result.get("code", ended.error_code), ended.result.get("sentence", ended.error)
        say_json({"code": code, "sentence": sentence}) if json else say(str(sentence))
        return 0 if code == "works" else 1

    return run_command(body)


@playlists.command(name="list")
def list_playlists(*, limit: Limit = 50, after: After = None, json: bool = False, user: str | None = None) -> int:
    """List playlists, albums and lists, the newest first."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            page = await views.list_playlist_views(session, owner_id, after=after, limit=limit)
        if json:
            say_json(views.plain(page))
            return 0
        say_table(
            ("id", "kind", "title", "tracks", "left out", "notice"),
            [(one.id, one.kind, one.title, one.tracks, one.skipped, one.notice or "") for one in page.rows],
        )
        say_more(page.next)
        return 0

    return run_as(user, body)


@playlists.command
def show(
    playlist: UUID, *, limit: Limit = MOST, after: After = None, json: bool = False, user: str | None = None
) -> int:
    """Show the entries of a list in its order."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            page = await views.get_entry_page(session, owner_id, playlist, after=after, limit=limit)
        if json:
            say_json(views.plain(page))
            return 0
        for number, entry in enumerate(page.rows, start=1):
            artist = f" - {entry.track.artist}" if entry.track and entry.track.artist else ""
            place = "" if after else number  # behind the first page nobody has counted
            say(f"{place:>4}  {entry.title}{artist}{f' ({entry.why_none})' if entry.why_none else ''}")
        say_more(page.next)
        return 0

    return run_as(user, body)


@playlists.command
def delete(playlist: UUID, *, user: str | None = None) -> int:
    """Forget a list; its tracks stay."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.remove_playlist(session, owner_id, playlist)
        return 0

    return run_as(user, body)
