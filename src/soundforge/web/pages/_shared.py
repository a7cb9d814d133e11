"""A shared mix: whoever is logged in and has its link hears and sees that one track, and changes nothing."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from soundforge import formats, library, views
from soundforge.db import reading
from soundforge.web._access import VisitorOf
from soundforge.web._files import send_sound
from soundforge.web._render import page
from soundforge.web._sound import read_file_ids, send_pcm, send_peaks
from soundforge.web._studio import studio_of

router = APIRouter(prefix="/shared/{token}", include_in_schema=False)


@router.get("")
async def shared_mix(request: Request, visitor: VisitorOf, token: str) -> HTMLResponse:  # noqa: ARG001 - must be logged in
    """The page of a shared mix."""
    async with reading() as session:
        shared = await views.get_shared_view(session, token)
    return page(request, "pages/shared.html", here="", shared=shared, token=token)


@router.get("/analysis.json")
async def shared_analysis(visitor: VisitorOf, token: str) -> Response:  # noqa: ARG001 - must be logged in
    """The analysis document: grid, sections, chords; its owner's cue points are not lent."""
    async with reading() as session:
        shared = await views.get_shared_view(session, token)
    headers = {"Cache-Control": "private, no-cache"}
    lent = {**shared.track.document, "cue_points": []}
    return Response(formats.analysis_json(lent), media_type="application/json", headers=headers)


@router.get("/audio/{file_ids}/pcm")
async def shared_pcm(
    request: Request,
    visitor: VisitorOf,  # noqa: ARG001 - must be logged in
    token: str,
    file_ids: str,
    start: Annotated[int, Query(alias="from", ge=0)],
    frames: Annotated[int, Query(ge=1)],
    form: Annotated[Literal["pcm", "flac"], Query(alias="as")] = "pcm",
) -> Response:
    """Sound in chunks, as of one's own files; not kept, since the link may be taken back."""
    ids = read_file_ids(file_ids)
    async with reading() as session:
        files = [await library.get_shared_file(session, token, file_id) for file_id in ids]
    return await send_pcm(
        studio_of(request).storage, files, start, frames, packed=form == "flac", cache="private, no-store"
    )


@router.get("/audio/{file_id}")
async def shared_sound(request: Request, visitor: VisitorOf, token: str, file_id: UUID) -> Response:  # noqa: ARG001 - as above
    """The sound whole, for browsers that may not mix."""
    async with reading() as session:
        file = await library.get_shared_file(session, token, file_id)
    return send_sound(request, file, "private, no-store")


@router.get("/files/{file_id}/peaks")
async def shared_peaks(
    request: Request,
    visitor: VisitorOf,  # noqa: ARG001 - must be logged in
    token: str,
    file_id: UUID,
    samples_per_pixel: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """A waveform, as of one's own files."""
    async with reading() as session:
        file = await library.get_shared_file(session, token, file_id)
    return await send_peaks(studio_of(request).storage, file, samples_per_pixel, cache="private, no-store")
