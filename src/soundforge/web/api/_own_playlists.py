"""Lists made by hand."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from soundforge import library, views
from soundforge.db import transaction
from soundforge.views import PlaylistView
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1", tags=["imports"])


class Title(BaseModel):
    """What a list is called."""

    title: str = Field(max_length=400)


class Place(BaseModel):
    """Before which entry, or after which one; none: last."""

    before: UUID | None = None
    after: UUID | None = None


@router.post("/playlists", status_code=201)
async def add_playlist(caller: CallerOf, asked: Title) -> PlaylistView:
    """Make an empty list; ``POST /tracks/batch`` with "add" fills it."""
    async with transaction() as session:
        made = await library.add_own_playlist(session, caller.id, asked.title)
        return await views.get_playlist_view(session, caller.id, made.id)


@router.patch("/playlists/{playlist_id}")
async def rename_playlist(caller: CallerOf, playlist_id: UUID, asked: Title) -> PlaylistView:
    """Call a list of one's own something else."""
    async with transaction() as session:
        await library.rename_playlist(session, caller.id, playlist_id, asked.title)
        return await views.get_playlist_view(session, caller.id, playlist_id)


@router.put("/playlists/{playlist_id}/entries/{entry_id}/place", status_code=204)
async def move_entry(caller: CallerOf, playlist_id: UUID, entry_id: UUID, asked: Place) -> Response:
    """Put an entry before or after another one, or last."""
    async with transaction() as session:
        place = {"before": asked.before, "after": asked.after}
        await library.move_entry(session, caller.id, playlist_id, entry_id, **place)
    return Response(status_code=204)


@router.delete("/playlists/{playlist_id}/entries/{entry_id}", status_code=204)
async def remove_entry(caller: CallerOf, playlist_id: UUID, entry_id: UUID) -> Response:
    """Take an entry out of a list of one's own; the track stays."""
    async with transaction() as session:
        await library.remove_entries(session, caller.id, playlist_id, [entry_id])
    return Response(status_code=204)
