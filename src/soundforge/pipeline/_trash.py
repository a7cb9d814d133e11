"""Deleting for good: the rows are given up, and a purge is asked for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library
from soundforge.errors import Conflict
from soundforge.pipeline._requests import request_purge


async def request_let_go(session: AsyncSession, owner_id: UUID, track_ids: Collection[UUID] | None = None) -> int:
    """Delete for good what is in the trash, these tracks or all of it; gives how many. Raises ``NotFound``."""
    count = await library.let_go(session, owner_id, track_ids)
    try:
        await request_purge(session, owner_id)
    except Conflict:  # one is under way, or waits; what it does not see yet the one of the next hour takes
        return count
    return count
