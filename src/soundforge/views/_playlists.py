"""Lists of songs, as people see them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library
from soundforge.tables import ACTIVE, Job, Kind, Page, Playlist, PlaylistTrack, Track
from soundforge.views._library import rows_of
from soundforge.views._values import TrackRow


@dataclass(frozen=True)
class PlaylistView:
    """A list. ``tracks``, ``skipped`` and ``gone`` count its entries; ``total`` is how many its source says it has."""

    id: UUID
    kind: str  # playlist, album, list; own: made by hand
    title: str
    made_by: str
    url: str  # where it comes from; empty for a list from a file
    tracks: int
    skipped: int
    gone: int
    total: int | None
    notice: str | None
    read_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class EntryView:
    """One place of a list, from 0: a track, or in words why there is none."""

    id: UUID
    position: int
    title: str
    track: TrackRow | None
    why_none: str


@dataclass(frozen=True)
class EntryPlace:
    """Where an entry stands now: behind another one, at the top (``before`` None), or nowhere (``entry`` None)."""

    id: UUID
    entry: EntryView | None
    before: UUID | None


@dataclass(frozen=True)
class EntryPage:
    """One page of a list; ``next`` is the cursor of the one after, ``last`` that of its own last row."""

    rows: tuple[EntryView, ...]
    next: str | None


_WHY = {
    "removed": "no longer on Spotify",
    "local": "a local file of its owner",
    "episode": "an episode of a podcast",
    "unreadable": "Spotify tells too little about it",
}


async def list_playlist_views(
    session: AsyncSession, owner_id: UUID, *, after: str | None = None, limit: int = 50, only_own: bool = False
) -> Page[PlaylistView]:
    """One page of the owner's lists, or of those made by hand, the newest first. Raises ``Invalid`` ("bad_cursor")."""
    page = await library.list_playlists(session, owner_id, after=after, limit=limit, only_own=only_own)
    return Page(await _views(session, page.rows), page.next)


async def get_playlist_view(session: AsyncSession, owner_id: UUID, playlist_id: UUID) -> PlaylistView:
    """One list of the owner; raises ``NotFound``."""
    playlist = await library.get_playlist(session, owner_id, playlist_id)
    return (await _views(session, [playlist]))[0]


async def get_entry_page(
    session: AsyncSession, owner_id: UUID, playlist_id: UUID, *, after: str | None = None, limit: int = 100
) -> EntryPage:
    """One page of a list in its order. Raises ``NotFound``, ``Invalid`` ("bad_cursor")."""
    await library.get_playlist(session, owner_id, playlist_id)
    page = await library.list_entries(session, playlist_id, after=after, limit=limit)
    rows = await _tracks(session, owner_id, page.rows)
    return EntryPage(tuple(_entry(entry, rows.get(entry.track_id)) for entry in page.rows), page.next)


async def list_entry_places(
    session: AsyncSession, owner_id: UUID, playlist_id: UUID, entry_ids: Collection[UUID]
) -> tuple[EntryPlace, ...]:
    """Where some entries of a list stand now, in its order; then those that are gone for good. Raises ``NotFound``."""
    await library.get_playlist(session, owner_id, playlist_id)
    found = await library.list_places(session, playlist_id, entry_ids)
    rows = await _tracks(session, owner_id, [entry for entry, _before in found])
    standing = [
        EntryPlace(entry.id, None if entry.gone_at else _entry(entry, rows.get(entry.track_id)), before)
        for entry, before in found
    ]
    gone = set(entry_ids) - {place.id for place in standing}
    return (*standing, *(EntryPlace(entry_id, None, None) for entry_id in sorted(gone)))


async def _tracks(
    session: AsyncSession, owner_id: UUID, entries: Sequence[PlaylistTrack]
) -> dict[UUID | None, TrackRow]:
    ids = {entry.track_id for entry in entries if entry.track_id}
    living = select(Track).where(Track.id.in_(ids), Track.owner_id == owner_id, Track.deleted_at.is_(None))
    rows = await rows_of(session, owner_id, (await session.scalars(living)).all())
    return {row.id: row for row in rows}


def _entry(entry: PlaylistTrack, track: TrackRow | None) -> EntryView:
    why = "" if track else _WHY.get(entry.skip or "", "deleted from your library")
    return EntryView(entry.id, entry.position, track.title if track else entry.title, track, why)


async def _views(session: AsyncSession, found: Sequence[Playlist]) -> tuple[PlaylistView, ...]:
    counts = await library.count_entries(session, [playlist.id for playlist in found])
    broken_off = await _broken_off(session, found)
    return tuple(
        PlaylistView(
            id=one.id,
            kind=one.kind,
            title=one.title,
            made_by=one.made_by,
            url="" if one.kind in ("list", library.OWN) else f"https://open.spotify.com/{one.kind}/{one.source_id}",
            tracks=counts[one.id][0],
            skipped=counts[one.id][1],
            gone=counts[one.id][2],
            total=one.total,
            notice=broken_off.get(one.id, one.notice),
            read_at=one.read_at,
            created_at=one.created_at,
        )
        for one in found
    )


async def _broken_off(session: AsyncSession, found: Sequence[Playlist]) -> dict[UUID, str]:
    """What to say of lists whose reading ended before they did: nobody goes on with it by himself."""
    unread = [one for one in found if one.read_at is None and one.kind != library.OWN]
    if not unread:
        return {}
    walks = Job.params["walk_id"].astext
    active = select(walks).where(Job.kind == Kind.IMPORT, Job.status.in_([status.value for status in ACTIVE]))
    going_on = set(await session.scalars(active.where(walks.in_([str(one.walk_id) for one in unread]))))
    left = [one for one in unread if str(one.walk_id) not in going_on]
    return {one.id: _how_far(await library.count_read(session, one), one.total) for one in left}


def _how_far(read: int, total: int | None) -> str:
    far = f"{read} of {total}" if total is not None else str(read)
    return f"Reading this list broke off after {far} entries: older ones may stand among them. Import it again."
