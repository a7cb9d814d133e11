"""What goes with a track."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from soundforge import views
from soundforge.db import reading
from soundforge.views import Near, Neighbour
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1/tracks/{track_id}/neighbours", tags=["tracks"])

Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/like")
async def list_like(
    caller: CallerOf,
    track_id: UUID,
    stem: Annotated[str, Query(max_length=40, description="Compare this stem; unset: the whole song.")] = "",
    limit: Limit = 50,
) -> list[Neighbour]:
    """Tracks that sound like this one, the most alike first; none before it was analysed."""
    async with reading() as session:
        return await views.list_neighbours(session, caller.id, Near("like", track_id, stem), limit=limit)


@router.get("/mixes")
async def list_mixes(caller: CallerOf, track_id: UUID, limit: Limit = 50) -> list[Neighbour]:
    """Tracks whose key and tempo go with this one's, the nearest tempo first."""
    async with reading() as session:
        return await views.list_neighbours(session, caller.id, Near("mixes", track_id), limit=limit)
