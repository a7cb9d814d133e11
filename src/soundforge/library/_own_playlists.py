"""Lists made by hand. Entries have room between them, so that moving one writes one row."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import Conflict, Invalid, NotFound
from soundforge.events import LibraryChanged, PlaylistChanged, publish
from soundforge.library._playlists import OWN, get_playlist, tell_changed
from soundforge.library._search import one_line
from soundforge.library._selected import list_selected
from soundforge.library._tracks import LONGEST_WORDS
from soundforge.library._types import Selection
from soundforge.tables import Playlist, PlaylistTrack

ROOM = 1 << 20  # between two entries that were added one after the other
MOST_ENTRIES = 10_000  # that are added at once
_MOST_TOLD = 300  # one by one; of more, open pages read their list anew


async def add_own_playlist(session: AsyncSession, owner_id: UUID, title: str) -> Playlist:
    """Make an empty list; raises ``Invalid`` ("invalid_words")."""
    made = uuid4()
    playlist = Playlist(
        id=made, owner_id=owner_id, kind=OWN, source_id=str(made), title=_title(title), made_by="", walk_id=uuid4()
    )
    session.add(playlist)
    await session.flush()
    await publish(session, PlaylistChanged(owner_id, made))
    return playlist


async def rename_playlist(session: AsyncSession, owner_id: UUID, playlist_id: UUID, title: str) -> None:
    """Call an own list something else. Raises ``NotFound``, ``Conflict`` ("not_own"), ``Invalid`` ("invalid_words")."""
    playlist = await _hold(session, owner_id, playlist_id)
    playlist.title = _title(title)
    await session.flush()
    await publish(session, PlaylistChanged(owner_id, playlist_id))


async def add_to_playlist(session: AsyncSession, owner_id: UUID, playlist_id: UUID, chosen: Selection) -> int:
    """Put tracks at the end of an own list; gives how many.

    Raises ``NotFound``, ``Conflict`` ("not_own"), ``Invalid`` ("nothing_chosen", "too_many").
    """
    playlist = await _hold(session, owner_id, playlist_id)
    tracks = await list_selected(session, owner_id, chosen, most=MOST_ENTRIES)
    last = await session.scalar(select(func.max(PlaylistTrack.position)).where(_entries(playlist_id)))
    start = 0 if last is None else last + ROOM
    shared = {"playlist_id": playlist_id, "occurrence": 1, "walk_id": playlist.walk_id, "added_at": datetime.now(UTC)}
    made = [uuid4() for _ in tracks]
    rows = [
        {
            "id": entry_id,
            "entry_id": str(entry_id),
            "track_id": track.id,
            "title": track.title,
            "position": start + number * ROOM,
            **shared,
        }
        for number, (entry_id, track) in enumerate(zip(made, tracks, strict=True))
    ]
    await session.execute(insert(PlaylistTrack), rows)
    if len(made) > _MOST_TOLD:
        await publish(session, LibraryChanged(owner_id))
    else:
        await tell_changed(session, owner_id, playlist_id, made)
    return len(made)


async def remove_entries(session: AsyncSession, owner_id: UUID, playlist_id: UUID, entry_ids: Sequence[UUID]) -> None:
    """Take entries out of an own list; the tracks stay. Raises ``NotFound``, ``Conflict`` ("not_own")."""
    await _hold(session, owner_id, playlist_id)
    gone = delete(PlaylistTrack).where(_entries(playlist_id), PlaylistTrack.id.in_(entry_ids))
    if not (await session.scalars(gone.returning(PlaylistTrack.id))).all():
        raise NotFound("There is no such entry in this list.", code="entry_not_found")
    await tell_changed(session, owner_id, playlist_id, entry_ids)


async def move_entry(
    session: AsyncSession,
    owner_id: UUID,
    playlist_id: UUID,
    entry_id: UUID,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
) -> None:
    """Put an entry of an own list before or after another one, or last.

    One row is written, but where no room is left.

    Raises ``NotFound``, ``Conflict`` ("not_own").
    """
    await _hold(session, owner_id, playlist_id)
    entry = await _entry(session, playlist_id, entry_id)
    if entry_id in (before, after):
        return
    low, high = await _around(session, playlist_id, entry_id, before, after)
    if low is not None and high is not None and high - low < 2:  # noqa: PLR2004 - nothing fits between two neighbours
        await _spread(session, playlist_id)
        low, high = await _around(session, playlist_id, entry_id, before, after)
    entry.position = _between(low, high)
    await session.flush()
    await publish(session, PlaylistChanged(owner_id, playlist_id))


def _between(low: int | None, high: int | None) -> int:
    if low is None:
        return 0 if high is None else high - ROOM
    return low + ROOM if high is None else (low + high) // 2


async def _around(
    session: AsyncSession, playlist_id: UUID, entry_id: UUID, before: UUID | None, after: UUID | None
) -> tuple[int | None, int | None]:
    """The places between which an entry goes that shall stand before or after another one, or last."""
    position, others = PlaylistTrack.position, (_entries(playlist_id), PlaylistTrack.id != entry_id)
    if before is not None:
        high = (await _entry(session, playlist_id, before)).position
        return await session.scalar(select(func.max(position)).where(*others, position < high)), high
    if after is not None:
        low = (await _entry(session, playlist_id, after)).position
        return low, await session.scalar(select(func.min(position)).where(*others, position > low))
    return await session.scalar(select(func.max(position)).where(*others)), None


async def _spread(session: AsyncSession, playlist_id: UUID) -> None:
    """Give every entry room again."""
    numbered = text("""
        UPDATE playlist_tracks SET position = (numbered.number - 1) * :room
        FROM (SELECT id, row_number() OVER (ORDER BY position, id) AS number
              FROM playlist_tracks WHERE playlist_id = :playlist_id) AS numbered
        WHERE numbered.id = playlist_tracks.id
    """)
    await session.execute(numbered, {"room": ROOM, "playlist_id": playlist_id})
    session.expire_all()


async def _hold(session: AsyncSession, owner_id: UUID, playlist_id: UUID) -> Playlist:
    """The owner's own list; two who change it at once wait for each other."""
    playlist = await get_playlist(session, owner_id, playlist_id)
    if playlist.kind != OWN:
        sentence = "This list comes from elsewhere and stays as it is there; put its songs into a list of your own."
        raise Conflict(sentence, code="not_own")
    await session.scalar(select(Playlist.id).where(Playlist.id == playlist_id).with_for_update(key_share=True))
    return playlist


async def _entry(session: AsyncSession, playlist_id: UUID, entry_id: UUID) -> PlaylistTrack:
    entry = await session.scalar(select(PlaylistTrack).where(_entries(playlist_id), PlaylistTrack.id == entry_id))
    if entry is None:
        raise NotFound("There is no such entry in this list.", code="entry_not_found")
    return entry


def _entries(playlist_id: UUID) -> ColumnElement[bool]:
    return PlaylistTrack.playlist_id == playlist_id


def _title(title: str) -> str:
    words = one_line(title)
    if not words or len(words) > LONGEST_WORDS:
        sentence = f"A list has a title of at most {LONGEST_WORDS} characters."
        raise Invalid(sentence, code="invalid_words", fields={"title": sentence})
    return words
