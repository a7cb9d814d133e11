"""Artists, albums and the trash."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.errors import Conflict
from soundforge.web._access import VisitorOf
from soundforge.web._render import page

router = APIRouter(include_in_schema=False)

_WHAT = {"artists": "artist", "albums": "album"}
AfterName = Annotated[str, Query(max_length=1200)]


@router.get("/artists")
async def artists_page(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """Every artist by name."""
    return await _shelves(request, visitor.id, "artists", "pages/shelves.html")


@router.get("/artists/rows")
async def artist_rows(request: Request, visitor: VisitorOf, after: AfterName = "") -> HTMLResponse:
    """One page of artists and the sentinel of the next."""
    return await _shelves(request, visitor.id, "artists", "pages/_shelves.html", after)


@router.get("/albums")
async def albums_page(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """Every album by name."""
    return await _shelves(request, visitor.id, "albums", "pages/shelves.html")


@router.get("/albums/rows")
async def album_rows(request: Request, visitor: VisitorOf, after: AfterName = "") -> HTMLResponse:
    """One page of albums and the sentinel of the next."""
    return await _shelves(request, visitor.id, "albums", "pages/_shelves.html", after)


@router.get("/trash")
async def trash_page(request: Request, visitor: VisitorOf, after: str = "") -> HTMLResponse:
    """What was deleted and can be brought back."""
    async with reading() as session:
        trash = await views.get_trash_page(session, visitor.id, after=after or None)
        total = await library.count_trash(session, visitor.id)
    return page(request, "pages/trash.html", here="trash", trash=trash, total=total)


@router.post("/trash/empty")
async def empty_trash(visitor: VisitorOf, told: Annotated[int | None, Form()] = None) -> Response:
    """Delete everything in the trash for good; nothing where it is another number of tracks than was told."""
    async with transaction() as session:
        count = await pipeline.request_let_go(session, visitor.id)
        if told is not None and count != told:
            sentence = f"By now {count:,} are in the trash, not {told:,}. Nothing was deleted: look again."
            raise Conflict(sentence, code="other_count")
    return RedirectResponse("/trash", 303)


@router.post("/trash/{track_id}/restore")
async def restore(visitor: VisitorOf, track_id: UUID) -> Response:
    """Bring a deleted track back."""
    async with transaction() as session:
        await library.restore_track(session, visitor.id, track_id)
    return RedirectResponse("/trash", 303)


@router.post("/trash/{track_id}/delete")
async def delete(visitor: VisitorOf, track_id: UUID) -> Response:
    """Delete one track for good."""
    async with transaction() as session:
        await pipeline.request_let_go(session, visitor.id, [track_id])
    return RedirectResponse("/trash", 303)


async def _shelves(request: Request, owner_id: UUID, what: str, template: str, after: str = "") -> HTMLResponse:
    async with reading() as session:
        shelves = await library.list_shelves(session, owner_id, _WHAT[what], after=after.replace("\0", ""))
    return page(request, template, here=what, what=what, field=_WHAT[what], shelves=shelves)
