"""Lists of songs: read in walks, page by page. Each walk writes over what the one before it said."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.events import PlaylistChanged, publish_all
from soundforge.library._types import NewEntry, NewPlaylist
from soundforge.tables import Page, Playlist, PlaylistTrack, Sort, read_number, read_page

OWN = "own"  # a list made by hand
_NEWEST = Sort(Playlist.created_at, Playlist.id, read=datetime.fromisoformat)
_TOLD = 150  # ids of entries in one event
_IN_ORDER = Sort(PlaylistTrack.position, PlaylistTrack.id, read=read_number)


async def add_playlist(session: AsyncSession, owner_id: UUID, new: NewPlaylist, walk_id: UUID) -> UUID:
    """Add a list, or take the one of the same source up again; ``walk_id`` names the reading of it. Gives its id."""
    fresh = {"title": new.title, "made_by": new.made_by, "total": new.total, "walk_id": walk_id}
    fresh |= {"notice": None, "read_at": None}  # until this walk has come to its end
    adding = insert(Playlist).values(id=uuid4(), owner_id=owner_id, kind=new.kind, source_id=new.source_id, **fresh)
    keyed = [Playlist.owner_id, Playlist.kind, Playlist.source_id]
    written = adding.on_conflict_do_update(index_elements=keyed, set_=fresh).returning(Playlist.id)
    return (await session.execute(written)).scalar_one()


async def find_walk(session: AsyncSession, owner_id: UUID, new: NewPlaylist, walk_id: UUID) -> UUID | None:
    """The list that this walk still writes; None where it was removed, or a newer walk has taken it over."""
    same = (Playlist.owner_id == owner_id, Playlist.kind == new.kind, Playlist.source_id == new.source_id)
    found = select(Playlist.id).where(*same, Playlist.walk_id == walk_id)
    return await session.scalar(found.with_for_update(key_share=True))


async def add_entries(
    session: AsyncSession, owner_id: UUID, playlist_id: UUID, walk_id: UUID, entries: Sequence[NewEntry]
) -> None:
    """Write what one page of a walk says; an entry that was there before keeps the time when it came."""
    told = {entry.entry_id for entry in entries}
    seen, before = await _seen(session, playlist_id, walk_id, told), await _shown(session, playlist_id, told)
    now = datetime.now(UTC)
    rows = []
    for entry in entries:
        seen[entry.entry_id] += 1
        rows.append(
            {
                "id": uuid4(),
                "playlist_id": playlist_id,
                "track_id": entry.track_id,
                "entry_id": entry.entry_id,
                "occurrence": seen[entry.entry_id],
                "position": entry.position,
                "title": entry.title,
                "skip": entry.skip,
                "walk_id": walk_id,
                "added_at": now,
                "gone_at": None,
            }
        )
    if rows:
        adding = insert(PlaylistTrack)
        fresh = {
            name: adding.excluded[name] for name in ("track_id", "position", "title", "skip", "walk_id", "gone_at")
        }
        keyed = [PlaylistTrack.playlist_id, PlaylistTrack.entry_id, PlaylistTrack.occurrence]
        await session.execute(adding.on_conflict_do_update(index_elements=keyed, set_=fresh), rows)
    after = await _shown(session, playlist_id, told)
    await tell_changed(
        session, owner_id, playlist_id, [key for key, shown in after.items() if shown != before.get(key)]
    )


async def end_walk(
    session: AsyncSession, owner_id: UUID, playlist_id: UUID, *, notice: str | None, is_cut: bool
) -> None:
    """Note that a list was read to its end. What the walk did not see is gone, unless the source keeps entries back."""
    now = datetime.now(UTC)
    playlist = await get_playlist(session, owner_id, playlist_id)
    counted = await count_read(session, playlist)
    if notice is None and playlist.total is not None and counted < playlist.total:
        notice, is_cut = f"Only {counted} of {playlist.total} entries were given.", True
    playlist.notice, playlist.read_at = notice, now
    gone: Sequence[UUID] = ()
    if not is_cut:
        left = (PlaylistTrack.playlist_id == playlist_id, PlaylistTrack.walk_id != playlist.walk_id)
        going = update(PlaylistTrack).where(*left, PlaylistTrack.gone_at.is_(None)).values(gone_at=now)
        gone = (await session.scalars(going.returning(PlaylistTrack.id))).all()
    await session.flush()
    await tell_changed(session, owner_id, playlist_id, gone)


async def get_playlist(session: AsyncSession, owner_id: UUID, playlist_id: UUID) -> Playlist:
    """The owner's list; raises ``NotFound``."""
    found = await session.scalar(select(Playlist).where(Playlist.id == playlist_id, Playlist.owner_id == owner_id))
    if found is None:
        raise NotFound("There is no such list in your library.", code="playlist_not_found")
    return found


async def list_playlists(
    session: AsyncSession, owner_id: UUID, *, after: str | None = None, limit: int = 50, only_own: bool = False
) -> Page[Playlist]:
    """One page of the owner's lists, or of those made by hand, the newest first. Raises ``Invalid`` ("bad_cursor")."""
    statement = select(Playlist).where(Playlist.owner_id == owner_id)
    if only_own:
        statement = statement.where(Playlist.kind == OWN)
    return await read_page(session, statement, _NEWEST, descending=True, limit=limit, after=after)


async def list_entries(
    session: AsyncSession, playlist_id: UUID, *, after: str | None = None, limit: int = 100
) -> Page[PlaylistTrack]:
    """One page of a list's entries, in its order. Raises ``Invalid`` ("bad_cursor")."""
    living = select(PlaylistTrack).where(PlaylistTrack.playlist_id == playlist_id, PlaylistTrack.gone_at.is_(None))
    return await read_page(session, living, _IN_ORDER, descending=False, limit=limit, after=after)


async def count_entries(session: AsyncSession, playlist_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int, int]]:
    """For each list: entries that are tracks, entries that are none, entries that are gone."""
    gone, skipped = PlaylistTrack.gone_at.is_not(None), PlaylistTrack.skip.is_not(None)
    counted = select(
        PlaylistTrack.playlist_id,
        func.count().filter(~gone, ~skipped),
        func.count().filter(~gone, skipped),
        func.count().filter(gone),
    ).where(PlaylistTrack.playlist_id.in_(playlist_ids))
    rows = await session.execute(counted.group_by(PlaylistTrack.playlist_id))
    found = {playlist_id: (tracks, skips, left) for playlist_id, tracks, skips, left in rows}
    return {playlist_id: found.get(playlist_id, (0, 0, 0)) for playlist_id in playlist_ids}


async def remove_playlist(session: AsyncSession, owner_id: UUID, playlist_id: UUID) -> None:
    """Forget a list; its tracks stay. Raises ``NotFound``."""
    await get_playlist(session, owner_id, playlist_id)
    await session.execute(delete(Playlist).where(Playlist.id == playlist_id, Playlist.owner_id == owner_id))


async def count_read(session: AsyncSession, playlist: Playlist) -> int:
    """How many entries the reading that is under way, or was the last, has seen."""
    seen = (PlaylistTrack.playlist_id == playlist.id, PlaylistTrack.walk_id == playlist.walk_id)
    return await session.scalar(select(func.count()).select_from(PlaylistTrack).where(*seen)) or 0


async def list_places(
    session: AsyncSession, playlist_id: UUID, entry_ids: Collection[UUID]
) -> Sequence[tuple[PlaylistTrack, UUID | None]]:
    """Some entries, also gone ones, in the list's order; each with the living one before it, None at the top."""
    before = func.lag(PlaylistTrack.id).over(order_by=(PlaylistTrack.position, PlaylistTrack.id))
    living = (PlaylistTrack.playlist_id == playlist_id, PlaylistTrack.gone_at.is_(None))
    places = select(PlaylistTrack.id, before.label("before")).where(*living).subquery()
    mine = (PlaylistTrack.playlist_id == playlist_id, PlaylistTrack.id.in_(entry_ids))
    found = select(PlaylistTrack, places.c.before).outerjoin(places, places.c.id == PlaylistTrack.id).where(*mine)
    rows = await session.execute(found.order_by(PlaylistTrack.position, PlaylistTrack.id))
    return [(row[0], row[1]) for row in rows]


async def tell_changed(session: AsyncSession, owner_id: UUID, playlist_id: UUID, changed: Sequence[UUID]) -> None:
    """Say that a list changed, and which entries; in parts that fit into a notification."""
    parts = [changed[start : start + _TOLD] for start in range(0, max(len(changed), 1), _TOLD)]
    told = [PlaylistChanged(owner_id, playlist_id, tuple(map(str, part))) for part in parts]
    await publish_all(session, told)


async def _shown(session: AsyncSession, playlist_id: UUID, entry_ids: set[str]) -> dict[UUID, tuple[object, ...]]:
    """What pages show of some entries, by the ids of the rows."""
    one = PlaylistTrack
    found = select(one.id, one.position, one.track_id, one.title, one.skip, one.gone_at.is_(None))
    rows = await session.execute(found.where(one.playlist_id == playlist_id, one.entry_id.in_(entry_ids)))
    return {row[0]: tuple(row[1:]) for row in rows}


async def _seen(session: AsyncSession, playlist_id: UUID, walk_id: UUID, entry_ids: set[str]) -> Counter[str]:
    """How often this walk has met each of these entries."""
    counted = select(PlaylistTrack.entry_id, func.count()).where(
        PlaylistTrack.playlist_id == playlist_id,
        PlaylistTrack.walk_id == walk_id,
        PlaylistTrack.entry_id.in_(entry_ids),
    )
    rows = await session.execute(counted.group_by(PlaylistTrack.entry_id))
    return Counter({row[0]: row[1] for row in rows})
