"""Many tracks at once: those that somebody picked, or all that a query finds."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, cast, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from soundforge.errors import Conflict, Invalid
from soundforge.events import LibraryChanged, TrackAdded, TrackRemoved, publish, publish_all
from soundforge.library._tracks import searched, sort_of
from soundforge.library._types import Query, Selection
from soundforge.tables import Track

MOST_TOLD = 200  # tracks that pages are told of one by one


async def list_selected(session: AsyncSession, owner_id: UUID, chosen: Selection, *, most: int) -> Sequence[Track]:
    """The chosen tracks, in the order in which they were picked or the query lists them.

    Raises ``Invalid`` ("nothing_chosen", "too_many").
    """
    found = (await session.scalars(_selected(owner_id, chosen).limit(most + 1))).all()
    if not found:
        raise Invalid("No track of yours was chosen.", code="nothing_chosen")
    if len(found) > most:
        raise Invalid(f"That are more than {most} tracks; narrow the choice down.", code="too_many")
    return found


async def check_count(session: AsyncSession, owner_id: UUID, chosen: Selection, told: int) -> None:
    """Refuse a choice that holds another number of tracks than somebody was told.

    Raises ``Conflict`` ("other_count").
    """
    found = _selected(owner_id, chosen).order_by(None).with_only_columns(func.count())
    count = await session.scalar(found) or 0
    if count != told:
        sentence = f"Chosen were {told:,}, and by now it would be {count:,}. Nothing was done: choose again."
        raise Conflict(sentence, code="other_count")


async def remove_tracks(session: AsyncSession, owner_id: UUID, chosen: Selection) -> tuple[datetime, int]:
    """Take many tracks out of the library; gives the moment, by which ``restore_tracks`` undoes it, and how many.

    Raises ``Invalid`` ("nothing_chosen").
    """
    moment = datetime.now(UTC)
    ids = _selected(owner_id, chosen).order_by(None).with_only_columns(Track.id)
    gone = update(Track).where(Track.id.in_(ids), Track.deleted_at.is_(None)).values(deleted_at=moment)
    removed = (await session.scalars(gone.returning(Track.id))).all()
    if not removed:
        raise Invalid("No track of yours was chosen.", code="nothing_chosen")
    await _tell(session, owner_id, [TrackRemoved(owner_id, track_id) for track_id in removed])
    return moment, len(removed)


async def restore_tracks(session: AsyncSession, owner_id: UUID, removed_at: datetime) -> int:
    """Bring back what was removed at one moment, but what was imported again meanwhile; gives how many came back."""
    living = aliased(Track)
    same = or_(living.audio_sha256 == Track.audio_sha256, living.spotify_id == Track.spotify_id)
    again = exists(select(living.id).where(living.owner_id == owner_id, living.deleted_at.is_(None), same))
    mine = and_(Track.owner_id == owner_id, Track.deleted_at == removed_at)
    back = update(Track).where(mine, ~again).values(deleted_at=None).returning(Track.id)
    restored = (await session.scalars(back.execution_options(synchronize_session=False))).all()
    await _tell(session, owner_id, [TrackAdded(owner_id, track_id) for track_id in restored])
    return len(restored)


def _selected(owner_id: UUID, chosen: Selection) -> Select[Track]:
    query = chosen.query or Query()
    found = searched(owner_id, query)
    if chosen.query is not None:
        left = found.where(Track.id.not_in(chosen.without)) if chosen.without else found
        return sort_of(query).order(left, descending=query.descending)
    picked = func.array_position(cast(list(chosen.ids), ARRAY(Uuid)), Track.id)
    return found.where(Track.id.in_(chosen.ids)).order_by(picked)


async def _tell(session: AsyncSession, owner_id: UUID, events: Iterable[TrackAdded | TrackRemoved]) -> None:
    told = [*events]
    if len(told) > MOST_TOLD:
        await publish(session, LibraryChanged(owner_id))
    else:
        await publish_all(session, told)
