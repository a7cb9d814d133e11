"""``playlists add, rename, move, take``: lists made by hand; ``tracks batch add`` fills them."""

from uuid import UUID

from cyclopts import App

from soundforge import library
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import run_as
from soundforge.db import transaction


def add_to(playlists: App) -> None:
    """Add these commands to those about lists."""
    for command in (add, rename, move, take):
        playlists.command(command)


def add(title: str, *, json: bool = False, user: str | None = None) -> int:
    """Make an empty list of one's own; prints its id."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            made = await library.add_own_playlist(session, owner_id, title)
            told = {"id": made.id, "title": made.title}
        say_json(told) if json else say(str(told["id"]))
        return 0

    return run_as(user, body)


def rename(playlist: UUID, title: str, *, user: str | None = None) -> int:
    """Call a list of one's own something else."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.rename_playlist(session, owner_id, playlist, title)
        return 0

    return run_as(user, body)


def move(playlist: UUID, entry: UUID, *, before: UUID | None = None, user: str | None = None) -> int:
    """Put an entry of a list before another one, or last; `playlists show --json` lists their ids."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.move_entry(session, owner_id, playlist, entry, before=before)
        return 0

    return run_as(user, body)


def take(playlist: UUID, *entry: UUID, user: str | None = None) -> int:
    """Take entries out of a list; the tracks stay."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.remove_entries(session, owner_id, playlist, entry)
        return 0

    return run_as(user, body)
