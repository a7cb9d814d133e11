"""What was deleted and can still be brought back, and letting go of it before its time."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.tables import Page, Sort, Track, read_page

LET_GO = datetime(1970, 1, 1, tzinfo=UTC)  # deleted so long ago that the next purge takes it, whatever the setting says
_LATEST = Sort(Track.deleted_at, Track.id, read=datetime.fromisoformat)


async def list_trash(
    session: AsyncSession, owner_id: UUID, *, after: str | None = None, limit: int = 100
) -> Page[Track]:
    """One page of the owner's deleted tracks, the latest first. Raises ``Invalid`` ("bad_cursor")."""
    deleted = select(Track).where(Track.owner_id == owner_id, Track.deleted_at > LET_GO)
    return await read_page(session, deleted, _LATEST, descending=True, limit=limit, after=after)


async def count_trash(session: AsyncSession, owner_id: UUID) -> int:
    """How many tracks can be brought back."""
    deleted = select(func.count()).select_from(Track).where(Track.owner_id == owner_id, Track.deleted_at > LET_GO)
    return await session.scalar(deleted) or 0


async def let_go(session: AsyncSession, owner_id: UUID, track_ids: Collection[UUID] | None = None) -> int:
    """Give deleted tracks up for good, these or all; the next purge takes them and their files. Gives how many.

    Raises ``NotFound`` where none of these is in the trash.
    """
    mine = update(Track).where(Track.owner_id == owner_id, Track.deleted_at > LET_GO)
    if track_ids is not None:
        mine = mine.where(Track.id.in_(track_ids))
    gone = (await session.scalars(mine.values(deleted_at=LET_GO).returning(Track.id))).all()
    if track_ids is not None and not gone:
        raise NotFound("There is no such track in your trash.", code="track_not_found")
    return len(gone)
