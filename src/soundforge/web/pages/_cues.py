"""Cue points on a track's page: the panel alone, asked for when they changed. What is done to them goes to the API."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from soundforge import views
from soundforge.db import reading
from soundforge.web._access import VisitorOf
from soundforge.web._render import page

router = APIRouter(include_in_schema=False)


@router.get("/tracks/{track_id}/cues")
async def cues(request: Request, visitor: VisitorOf, track_id: UUID) -> HTMLResponse:
    """The pads, the memory cues, and the form in which one is changed."""
    async with reading() as session:
        track = await views.get_track_view(session, visitor.id, track_id)
    analysis = f"/tracks/{track_id}/analysis.json?v={track.document_version}"
    return page(request, "pages/_cues.html", track=track, analysis=analysis)
