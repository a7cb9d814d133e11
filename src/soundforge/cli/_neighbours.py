"""``tracks like`` and ``tracks mixes``: what goes with a track."""

from uuid import UUID

from cyclopts import App

from soundforge import views
from soundforge.cli._arguments import Limit
from soundforge.cli._output import say_json, say_table
from soundforge.cli._rooms import run_as
from soundforge.db import reading
from soundforge.views import Near, Neighbour


def add_to(tracks: App) -> None:
    """Add these commands to those about tracks."""
    tracks.command(like)
    tracks.command(mixes)


def like(track: UUID, *, stem: str = "", limit: Limit = 20, json: bool = False, user: str | None = None) -> int:
    """List what sounds like a track, or like one of its stems; the most alike first."""
    return _list(Near("like", track, stem), limit, user, as_json=json)


def mixes(track: UUID, *, limit: Limit = 20, json: bool = False, user: str | None = None) -> int:
    """List what mixes with a track: neighbours on the Camelot wheel within 6 % of its tempo, its half or its double."""
    return _list(Near("mixes", track), limit, user, as_json=json)


def _list(near: Near, limit: int, user: str | None, *, as_json: bool) -> int:
    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            found = await views.list_neighbours(session, owner_id, near, limit=limit)
        if as_json:
            say_json([views.plain(one) for one in found])
            return 0
        columns = ("id", "title", "artist", "bpm", "key", "alike" if near.kind == "like" else "why")
        say_table(columns, (_cells(one) for one in found))
        return 0

    return run_as(user, body)


def _cells(one: Neighbour) -> list[str]:
    row = one.track
    why = f"{one.likeness:.2f}" if one.likeness is not None else one.relation
    change = f" {one.tempo_change:+.1f} %" if one.likeness is None and one.tempo_change is not None else ""
    return [str(row.id), row.title, row.artist, f"{row.bpm:.1f}" if row.bpm else "", row.camelot or "", why + change]
