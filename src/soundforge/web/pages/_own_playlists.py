"""Lists made by hand: made, named, filled, put in order."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import library, views
from soundforge.db import reading, transaction
from soundforge.web._access import VisitorOf
from soundforge.web._render import page

router = APIRouter(include_in_schema=False)

TitleForm = Annotated[str, Form(max_length=400)]


@router.post("/playlists")
async def add_playlist(visitor: VisitorOf, title: TitleForm) -> Response:
    """Make an empty list and show it."""
    async with transaction() as session:
        made = await library.add_own_playlist(session, visitor.id, title)
    return RedirectResponse(f"/playlists/{made.id}", 303)


@router.get("/playlists/own")
async def own_playlists(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """The lists that tracks can be added to, for the dialog that asks."""
    async with reading() as session:
        found = await views.list_playlist_views(session, visitor.id, limit=200, only_own=True)
    return page(request, "pages/_own_lists.html", playlists=found)


@router.post("/playlists/{playlist_id}/rename")
async def rename_playlist(visitor: VisitorOf, playlist_id: UUID, title: TitleForm) -> Response:
    """Call a list something else."""
    async with transaction() as session:
        await library.rename_playlist(session, visitor.id, playlist_id, title)
    return RedirectResponse(f"/playlists/{playlist_id}", 303)
