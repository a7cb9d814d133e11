"""Tracks: put in, find, list, change, remove, bring back."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, delete, func, literal_column, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from soundforge.errors import Conflict, Invalid, NotFound
from soundforge.events import TrackAdded, TrackChanged, TrackRemoved, publish
from soundforge.library._files import add_file, orphan_files
from soundforge.library._search import nearness, one_line, search_fields, wanted
from soundforge.library._trash import LET_GO
from soundforge.library._types import NewTrack, Query
from soundforge.tables import (
    TRACK_SORTS,
    AnalysisPart,
    File,
    Job,
    Page,
    Sort,
    Stem,
    Track,
    cursor_of,
    page_of,
    read_again,
    read_number,
    read_page,
    read_text,
)

LONGEST_WORDS = 300
_NUMBERS = ("bpm", "key", "duration", "loudness", "year")
_READ = {"created": datetime.fromisoformat, **dict.fromkeys(_NUMBERS, read_number)}
_SORTS = {name: Sort(literal_column(by), Track.id, _READ.get(name, read_text)) for name, by in TRACK_SORTS.items()}


async def add_track(session: AsyncSession, owner_id: UUID, new: NewTrack) -> Track:
    """Put a decoded song into the owner's library, with its files.

    Raises ``Conflict`` ("duplicate_audio") when a living track is made of the same bytes; what was
    added in this transaction before must then be rolled back.
    """
    words = {name: one_line(getattr(new, name))[:LONGEST_WORDS] for name in ("title", "artist", "album")}
    for file in filter(None, (new.audio, new.mix, new.cover)):
        await add_file(session, owner_id, file)
    track = Track(
        id=new.id,
        owner_id=owner_id,
        source=new.source,
        isrc=new.isrc,
        year=new.year,
        frames=new.frames,
        duration_ms=new.duration_ms,
        sample_rate_hz=new.sample_rate_hz,
        channels=new.channels,
        format=new.format,
        audio_file_id=new.audio.id,
        mix_file_id=new.mix.id,
        cover_file_id=new.cover.id if new.cover else None,
        audio_sha256=new.audio_sha256,
        warnings=list(new.warnings),
        **words,
        **search_fields(**words),
    )
    session.add(track)
    await flush_unique(session)
    await publish(session, TrackAdded(owner_id=owner_id, track_id=track.id))
    return track


async def find_track_by_audio(session: AsyncSession, owner_id: UUID, hashes: Collection[str]) -> Track | None:
    """The owner's living track that is made of audio with any of these hashes, or was stored as a file with one."""
    files = select(File.id).where(File.owner_id == owner_id, File.sha256.in_(hashes))
    same = or_(Track.audio_sha256.in_(hashes), Track.audio_file_id.in_(files))
    found = await session.scalars(_living(owner_id).where(same).order_by(Track.created_at, Track.id).limit(1))
    return found.one_or_none()


async def get_track(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Track:
    """The owner's living track; raises ``NotFound``."""
    track = await session.scalar(_living(owner_id).where(Track.id == track_id))
    if track is None:
        msg = "There is no such track in your library."
        raise NotFound(msg, code="track_not_found")
    return track


async def list_tracks(
    session: AsyncSession,
    owner_id: UUID,
    query: Query,
    *,
    after: str | None = None,
    until: str | None = None,
    limit: int = 100,
) -> Page[Track]:
    """One page of the owner's library, or with ``until`` the rows up to that cursor.

    Raises ``Invalid`` for an unknown sort or a damaged cursor.
    """
    sort, rows = sort_of(query), searched(owner_id, query)
    if until:
        return await read_again(session, rows, sort, descending=query.descending, until=until, after=after)
    return await read_page(session, rows, sort, descending=query.descending, limit=limit, after=after)


async def list_first_tracks(
    session: AsyncSession, owner_id: UUID, query: Query, *, limit: int = 100
) -> tuple[Page[Track], int]:
    """The first page of what a query finds, and how many that are in all: one question. Raises as ``list_tracks``.

    The page is a table of its own within it: so nothing is counted where nothing was found.
    """
    sort, rows = sort_of(query), searched(owner_id, query)
    total = rows.with_only_columns(func.count()).scalar_subquery().label("total")
    ordered = sort.order(rows, descending=query.descending).limit(limit + 1)
    first = ordered.add_columns(sort.expression.label("place")).cte("first_page")
    asked = select(aliased(Track, first), first.c.place, total)
    again = Sort(first.c.place, first.c.id, sort.read).order(asked, descending=query.descending)
    found = (await session.execute(again)).all()
    return page_of(found, limit), found[0].total if found else 0


async def find_next_track(session: AsyncSession, owner_id: UUID, query: Query, track_id: UUID) -> UUID | None:
    """The track that stands right after this one in the order of ``query``; None at the end."""
    sort = sort_of(query)
    place = await session.scalar(_living(owner_id).with_only_columns(sort.expression).where(Track.id == track_id))
    if place is None:
        return None
    after = sort.after(cursor_of(place, track_id), descending=query.descending)
    following = sort.order(searched(owner_id, query).where(after), descending=query.descending)
    return await session.scalar(following.with_only_columns(Track.id).limit(1))


async def is_in(session: AsyncSession, owner_id: UUID, query: Query, track_id: UUID) -> bool:
    """Whether the search of ``query`` finds this track."""
    found = searched(owner_id, query).where(Track.id == track_id).with_only_columns(Track.id)
    return await session.scalar(found) is not None


async def count_tracks(session: AsyncSession, owner_id: UUID, query: Query | str = "") -> int:
    """How many living tracks a query, or the words of a search, find; all of them for an empty search."""
    asked = Query(search=query) if isinstance(query, str) else query
    counted = searched(owner_id, asked).with_only_columns(func.count())
    return await session.scalar(counted) or 0


async def change_track(
    session: AsyncSession, owner_id: UUID, track_id: UUID, *, title: str, artist: str, album: str
) -> Track:
    """Correct a track's words; raises ``Invalid`` ("invalid_words") with the fields at fault."""
    words = {"title": one_line(title), "artist": one_line(artist), "album": one_line(album)}
    fields = {name: "At most 300 characters." for name, word in words.items() if len(word) > LONGEST_WORDS}
    if not words["title"]:
        fields["title"] = "A track needs a title."
    if fields:
        msg = "Title, artist or album cannot be saved like this."
        raise Invalid(msg, code="invalid_words", fields=fields)
    track = await get_track(session, owner_id, track_id)
    changed = [name for name, word in words.items() if getattr(track, name) != word]
    for name, value in {**words, **search_fields(**words)}.items():
        setattr(track, name, value)
    await session.flush()
    if changed:
        await publish(session, TrackChanged(owner_id=owner_id, track_id=track_id, fields=tuple(changed)))
    return track


async def remove_track(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Track:
    """Take a track out of the library; ``restore_track`` brings it back until it is purged."""
    track = await get_track(session, owner_id, track_id)
    track.deleted_at = datetime.now(UTC)
    await session.flush()
    await publish(session, TrackRemoved(owner_id=owner_id, track_id=track_id))
    return track


async def restore_track(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Track:
    """Undo ``remove_track``; raises ``NotFound`` once purged, ``Conflict`` when the song was imported again."""
    track = await session.scalar(
        select(Track)
        .where(Track.id == track_id, Track.owner_id == owner_id, Track.deleted_at > LET_GO)
        .with_for_update(key_share=True)  # waits for a purge: what it deletes is not found here
    )
    if track is None:
        msg = "This track cannot be brought back any more."
        raise NotFound(msg, code="track_not_found")
    track.deleted_at = None
    await flush_unique(session)
    await publish(session, TrackAdded(owner_id=owner_id, track_id=track_id))
    return track


async def list_removed_before(session: AsyncSession, before: datetime) -> Sequence[UUID]:
    """Ids of every owner's tracks that were removed before a moment; ``purge_track`` looks again at each."""
    removed = select(Track.id).where(Track.deleted_at < before).order_by(Track.deleted_at)
    return (await session.scalars(removed)).all()


async def purge_track(session: AsyncSession, track_id: UUID, before: datetime) -> bool:
    """Delete a track that was removed before a moment for good; its files become orphans for the purge job.

    Tells whether it did: one that was restored meanwhile stays, and one that somebody writes to at this
    moment stays until the next purge. Never waits for a lock.
    """
    removed = select(Track).where(Track.id == track_id, Track.deleted_at < before)
    locked = removed.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    track = await session.scalar(locked)
    if track is None or not await _hold_jobs(session, track_id):
        return False
    file_ids = await file_ids_of(session, track)  # complete: nobody adds to a track that is locked
    gone = delete(Track).where(Track.id == track_id, Track.deleted_at < before).returning(Track.id)
    if await session.scalar(gone) is None:
        return False
    await orphan_files(session, file_ids)
    return True


async def _hold_jobs(session: AsyncSession, track_id: UUID) -> bool:
    """Lock the track's jobs, which go with it; False when a run holds one, for it may want the track next."""
    theirs = select(Job.id).where(Job.track_id == track_id)
    held = (await session.scalars(theirs.with_for_update(skip_locked=True))).all()
    return set(held) == set((await session.scalars(theirs)).all())


async def file_ids_of(session: AsyncSession, track: Track) -> set[UUID]:
    """Every file that a track refers to, and what was made of it."""
    stems = await session.execute(select(Stem.file_id, Stem.peaks_file_id).where(Stem.track_id == track.id))
    parts = await session.scalars(select(AnalysisPart.file_id).where(AnalysisPart.track_id == track.id))
    own = (track.audio_file_id, track.mix_file_id, track.cover_file_id)
    found = {*own, *parts, *(file_id for stem in stems for file_id in stem)}
    return {file_id for file_id in found if file_id}


async def flush_unique(session: AsyncSession) -> None:
    """Write what is pending; the database alone can tell, among writers at once, who came first."""
    try:
        await session.flush()
    except IntegrityError as error:
        if not any(name in str(error.orig) for name in ("uq_tracks_audio", "uq_tracks_spotify")):
            raise
        msg = "The same song is in your library already."
        raise Conflict(msg, code="duplicate_audio") from error


def _living(owner_id: UUID) -> Select[Track]:
    return select(Track).where(Track.owner_id == owner_id, Track.deleted_at.is_(None))


def searched(owner_id: UUID, query: Query) -> Select[Track]:
    """The owner's living tracks that a query finds, in no order."""
    return _living(owner_id).where(*wanted(query))


def sort_of(query: Query) -> Sort:
    """How a query orders its tracks; raises ``Invalid`` ("unknown_sort")."""
    if query.sort == "near" and (near := nearness(query)) is not None:
        return Sort(near, Track.id, read_number)
    if query.sort not in _SORTS:
        msg = f"Tracks can be sorted by {', '.join(_SORTS)}."
        raise Invalid(msg, code="unknown_sort")
    return _SORTS[query.sort]
