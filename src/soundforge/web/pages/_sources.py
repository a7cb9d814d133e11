"""Where a track's audio comes from, and whether it is the right song."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from soundforge import library, pipeline
from soundforge.db import transaction
from soundforge.web._access import VisitorOf
from soundforge.web._render import page

router = APIRouter(include_in_schema=False)


@router.post("/tracks/{track_id}/download")
async def fetch(request: Request, visitor: VisitorOf, track_id: UUID) -> HTMLResponse:
    """Fetch the audio of a track that has none."""
    async with transaction() as session:
        await pipeline.request_fetch(session, visitor.id, track_id)
    return page(request, "pages/_asked.html", text="The audio is being looked for.")


@router.post("/tracks/{track_id}/source")
async def choose_source(
    request: Request,
    visitor: VisitorOf,
    track_id: UUID,
    candidate: Annotated[UUID | None, Form()] = None,
    link: Annotated[str, Form(max_length=2048)] = "",
) -> HTMLResponse:
    """Fetch the audio from another place: one that was found, or a link."""
    async with transaction() as session:
        await pipeline.request_source(session, visitor.id, track_id, candidate_id=candidate, link=link)
    return page(request, "pages/_asked.html", text="The audio is fetched from there.")


@router.post("/tracks/{track_id}/confirm")
async def confirm(request: Request, visitor: VisitorOf, track_id: UUID) -> HTMLResponse:
    """Say that a doubtful track is the right song."""
    async with transaction() as session:
        await library.confirm_track(session, visitor.id, track_id)
    return page(request, "pages/_asked.html", text="Noted: it is the right song.")
