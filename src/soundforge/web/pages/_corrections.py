"""Corrections: what a user puts right on a track's stage. The stage itself comes anew over the feed, in every tab."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from soundforge import pipeline, views
from soundforge.db import transaction
from soundforge.web._access import VisitorOf
from soundforge.web._render import page

router = APIRouter(prefix="/tracks/{track_id}/corrections", include_in_schema=False)

_WORDS = {"tempo": "Tempo", "downbeat": "Grid", "meter": "Metre", "key": "Key", "sections": "Sections"}


@router.post("/{field}")
async def add_correction(request: Request, visitor: VisitorOf, track_id: UUID, field: str) -> HTMLResponse:
    """Put a field right; the form's fields say how (``formats.read_correction``)."""
    wish = _wish(dict(await request.form()))
    async with transaction() as session:
        await pipeline.add_correction(session, visitor.id, track_id, field, wish)
        track = await views.get_track_view(session, visitor.id, track_id)
    text = f"{_WORDS[field]} corrected{_now(field, track.document)}."
    return page(request, "pages/_corrected.html", track_id=track_id, field=field, text=text, is_undone=False)


@router.post("/{field}/undo")
async def undo_correction(request: Request, visitor: VisitorOf, track_id: UUID, field: str) -> HTMLResponse:
    """Take the last step back."""
    async with transaction() as session:
        await pipeline.undo_correction(session, visitor.id, track_id, field)
        track = await views.get_track_view(session, visitor.id, track_id)
    how = "as before" if field in track.document["corrections"] else "as it was found"
    text = f"{_WORDS[field]} {how}{_now(field, track.document)}."
    return page(request, "pages/_corrected.html", track_id=track_id, field=field, text=text, is_undone=True)


@router.post("/{field}/as-found")
async def remove_correction(request: Request, visitor: VisitorOf, track_id: UUID, field: str) -> HTMLResponse:
    """Let what was found count again."""
    async with transaction() as session:
        await pipeline.remove_correction(session, visitor.id, track_id, field)
        track = await views.get_track_view(session, visitor.id, track_id)
    text = f"{_WORDS[field]} as it was found{_now(field, track.document)}."
    return page(request, "pages/_corrected.html", track_id=track_id, field=field, text=text, is_undone=True)


def _wish(form: dict[str, Any]) -> dict[str, Any]:
    """What the form asks for; that of the sections names an act, a section, and where the play-head is."""
    if "act" not in form:
        return form
    here_s, section = form.get("here_s"), form.get("section")
    places = {"move": section, "rename": section, "join": section, "part": here_s}
    return {str(form["act"]): places.get(form["act"]), "label": form.get("label", ""), "to_s": here_s, "snap": True}


def _now(field: str, document: dict[str, Any]) -> str:
    """What counts now, where a few words can say it: ": 170.0 BPM"."""
    value = document.get(field)
    if not value:
        return ""
    if field == "tempo":
        return f": {value['bpm']:.1f} BPM"
    if field == "key":
        return f": {value['camelot']}, {value['tonic']} {value['mode']}"
    return f": {value['signature']}" if field == "meter" else ""
