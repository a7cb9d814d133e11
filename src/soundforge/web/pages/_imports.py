"""Importing audio files, links, lines and lists."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, jobs, pipeline
from soundforge.db import reading, transaction
from soundforge.errors import Rejected
from soundforge.tables import Kind
from soundforge.web._access import Visitor, VisitorOf, check_may_set
from soundforge.web._render import page
from soundforge.web._security import LARGEST_PASTE
from soundforge.web._uploads import import_body, import_text

router = APIRouter(include_in_schema=False)

Pasted = Annotated[str, Form(max_length=3_000_000)]
_LARGE: Any = {"max_part_size": LARGEST_PASTE}


@router.post("/import/files")
async def import_file(
    request: Request, visitor: VisitorOf, name: Annotated[str, Query(min_length=1, max_length=1000)]
) -> JSONResponse:
    """Take one file, the request's raw body, and ask for its import."""
    job = await import_body(request, visitor.id, name)
    return JSONResponse({"job_id": str(job.id), "message": "received"}, 202)


@router.get("/import/paste")
async def paste_box(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """The box for links and lines; before anybody allowed downloads, what to know about them."""
    async with reading() as session:
        return await _box(session, request, visitor)


@router.post("/import/preview", form_limits=_LARGE)
async def preview(request: Request, visitor: VisitorOf, text: Pasted = "") -> HTMLResponse:  # noqa: ARG001 - only who is logged in
    """What each line of a paste is, before anything starts; asks nobody."""
    try:
        return page(request, "pages/_recognised.html", recognised=pipeline.recognise(text), error="")
    except Rejected as refusal:
        error = "" if refusal.code == "empty" else refusal.sentence
        return page(request, "pages/_recognised.html", recognised=None, error=error)


@router.post("/import/text", form_limits=_LARGE)
async def import_paste(request: Request, visitor: VisitorOf, text: Pasted = "") -> HTMLResponse:
    """Import what a paste names; a refused one comes back with the reason."""
    try:
        await import_text(request, visitor.id, text)
    except Rejected as refusal:
        async with reading() as session:
            return await _box(session, request, visitor, text=text, error=refusal.sentence)
    async with reading() as session:
        answer = await _box(session, request, visitor, is_taken=True)
    answer.headers["HX-Trigger"] = "sf:done"
    return answer


@router.post("/import/allow")
async def allow(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """Let audio be fetched, once somebody who may decide has read what that means."""
    check_may_set(visitor, "allow_audio_download")
    async with transaction() as session:
        await pipeline.change_setting(session, visitor.id, "allow_audio_download", value=True)
    async with reading() as session:
        return await _box(session, request, visitor)


async def _box(
    session: AsyncSession,
    request: Request,
    visitor: Visitor,
    *,
    text: str = "",
    error: str = "",
    is_taken: bool = False,
) -> HTMLResponse:
    allowed = await accounts.get_setting(session, None, "allow_audio_download")
    about = accounts.SETTINGS["allow_audio_download"].effect
    context: dict[str, Any] = {"allowed": allowed, "about": about, "may_allow": visitor.is_admin, "is_taken": is_taken}
    context |= {"waits_for": await jobs.find_reason_to_wait(session, Kind.DOWNLOAD)}
    return page(request, "pages/_paste.html", 422 if error else 200, text=text, error=error, **context)
