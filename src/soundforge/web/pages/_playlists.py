"""Lists of songs that were imported: all of them, and one in its order."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import library, views
from soundforge.db import reading, transaction
from soundforge.web._access import VisitorOf
from soundforge.web._render import page
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 100


@router.get("/playlists")
async def playlists_page(request: Request, visitor: VisitorOf, after: str = "") -> HTMLResponse:
    """The visitor's lists, the newest first."""
    async with reading() as session:
        found = await views.list_playlist_views(session, visitor.id, after=after or None)
    return page(request, "pages/playlists.html", here="playlists", playlists=found)


@router.get("/playlists/{playlist_id}")
async def playlist_page(request: Request, visitor: VisitorOf, playlist_id: UUID) -> HTMLResponse:
    """One list and the first of its entries."""
    place = studio_of(request).listener.recent.place()
    async with reading() as session:
        playlist = await views.get_playlist_view(session, visitor.id, playlist_id)
        entries = await views.get_entry_page(session, visitor.id, playlist_id, limit=PAGE_ROWS)
    feed_url = f"/events/playlist?shows={playlist_id}&place={place}"
    return page(request, "pages/playlist.html", here="playlists", playlist=playlist, entries=entries, feed_url=feed_url)


@router.get("/playlists/{playlist_id}/rows")
async def playlist_rows(request: Request, visitor: VisitorOf, playlist_id: UUID, after: str = "") -> HTMLResponse:
    """One page of entries and the sentinel of the next."""
    async with reading() as session:
        playlist = await views.get_playlist_view(session, visitor.id, playlist_id)
        entries = await views.get_entry_page(session, visitor.id, playlist_id, after=after or None, limit=PAGE_ROWS)
    return page(request, "pages/_entries.html", playlist=playlist, entries=entries)


@router.post("/playlists/{playlist_id}/delete")
async def remove_playlist(visitor: VisitorOf, playlist_id: UUID) -> Response:
    """Forget a list; its tracks stay."""
    async with transaction() as session:
        await library.remove_playlist(session, visitor.id, playlist_id)
    return RedirectResponse("/playlists", 303)
