"""Artists, albums and the trash."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.library import Shelf
from soundforge.tables import Page
from soundforge.views import TrashRow
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1", tags=["tracks"])

AfterName = Annotated[str, Query(max_length=1200, description="``next`` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]


class LetGo(BaseModel):
    """How many tracks are deleted for good."""

    count: int


@router.get("/artists")
async def list_artists(caller: CallerOf, after: AfterName = "", limit: Limit = 100) -> Page[Shelf]:
    """One page of the artists of the library, by name."""
    async with reading() as session:
        return await library.list_shelves(session, caller.id, "artist", after=after.replace("\0", ""), limit=limit)


@router.get("/albums")
async def list_albums(caller: CallerOf, after: AfterName = "", limit: Limit = 100) -> Page[Shelf]:
    """One page of the albums of the library, by name."""
    async with reading() as session:
        return await library.list_shelves(session, caller.id, "album", after=after.replace("\0", ""), limit=limit)


@router.get("/trash")
async def list_trash(caller: CallerOf, after: str | None = None, limit: Limit = 100) -> Page[TrashRow]:
    """One page of what was deleted and can be brought back, the latest first."""
    async with reading() as session:
        return await views.get_trash_page(session, caller.id, after=after, limit=limit)


@router.delete("/trash", status_code=202)
async def empty_trash(caller: CallerOf) -> LetGo:
    """Delete everything in the trash for good."""
    async with transaction() as session:
        return LetGo(count=await pipeline.request_let_go(session, caller.id))


@router.delete("/trash/{track_id}", status_code=202)
async def let_go(caller: CallerOf, track_id: UUID) -> LetGo:
    """Delete one track of the trash for good."""
    async with transaction() as session:
        return LetGo(count=await pipeline.request_let_go(session, caller.id, [track_id]))
