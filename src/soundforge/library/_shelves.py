"""Artists and albums: read off the tracks, so that they are never other than those."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.tables import TRACK_SORTS, Page, Track

_ARTIST: ColumnElement[str] = literal_column(TRACK_SORTS["artist"])
_ALBUM: ColumnElement[str] = literal_column(TRACK_SORTS["album"])
VARIOUS = "Various artists"


@dataclass(frozen=True)
class Shelf:
    """An artist or an album: ``artist`` is whose the album is, empty for an artist."""

    name: str
    artist: str
    tracks: int
    duration_ms: int


async def list_shelves(
    session: AsyncSession, owner_id: UUID, what: str, *, after: str | None = None, limit: int = 100
) -> Page[Shelf]:
    """One page of the owner's artists or albums ("artist", "album") by name, from behind the name ``after`` on.

    A name is one whatever its accents and capitals; the cursor is the folded name itself.
    """
    folded = _ARTIST if what == "artist" else _ALBUM
    name = Track.artist if what == "artist" else Track.album
    counted = (
        select(
            folded.label("folded"),
            func.max(name),
            func.max(Track.artist),
            func.count(func.distinct(_ARTIST)),
            func.count(),
            func.coalesce(func.sum(Track.duration_ms), 0),
        )
        .where(Track.owner_id == owner_id, Track.deleted_at.is_(None), folded > (after or ""))
        .group_by(folded)
        .order_by(folded)
        .limit(limit + 1)
    )
    found = (await session.execute(counted)).all()
    rows, more = found[:limit], len(found) > limit
    shelves = tuple(
        Shelf(called, "" if what == "artist" else artist if artists == 1 else VARIOUS, tracks, int(duration_ms or 0))
        for _, called, artist, artists, tracks, duration_ms in rows
    )
    return Page(shelves, rows[-1].folded if more else None)
