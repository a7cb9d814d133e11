"""The trash, as people see it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library
from soundforge.tables import Page


@dataclass(frozen=True)
class TrashRow:
    """A deleted track; ``days_left`` days it can be brought back, 0: it may go within the hour."""

    id: UUID
    title: str
    artist: str
    duration_ms: int | None
    deleted_at: datetime
    days_left: int


async def get_trash_page(
    session: AsyncSession, owner_id: UUID, *, after: str | None = None, limit: int = 100
) -> Page[TrashRow]:
    """One page of the owner's deleted tracks, the latest first. Raises ``Invalid`` ("bad_cursor")."""
    kept = timedelta(days=int(await accounts.get_setting(session, None, "undo_days")))
    page = await library.list_trash(session, owner_id, after=after, limit=limit)
    now = datetime.now(UTC)
    rows = [
        TrashRow(
            track.id,
            track.title,
            track.artist,
            track.duration_ms,
            track.deleted_at,
            max(0, math.ceil((track.deleted_at + kept - now) / timedelta(days=1))),
        )
        for track in page.rows
        if track.deleted_at
    ]
    return Page(tuple(rows), page.next)
