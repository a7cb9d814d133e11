"""Sound and pictures of sound: PCM chunks for the mixer, peaks for the timeline, files to take away."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.requests import Request
from fastapi.responses import Response

from soundforge import formats, library, views
from soundforge.db import reading
from soundforge.tables import File
from soundforge.web._access import VisitorOf, browser_visitor
from soundforge.web._files import KEEP, send_cover, send_export, send_sound, send_stem
from soundforge.web._security import read_credentials
from soundforge.web._sound import read_file_ids, send_pcm, send_peaks
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)


async def _heard_files(request: Request, file_ids: str) -> list[File]:
    """The files that a visitor listens to; raises what ``VisitorOf`` raises, ``Invalid`` and ``NotFound``."""
    studio, credentials, ids = studio_of(request), read_credentials(request), read_file_ids(file_ids)
    if credentials:
        known = [studio.known_files.find(credentials, file_id, studio.listener) for file_id in ids]
        found = [file for file in known if file]
        if len(found) == len(ids):
            return found
    place = studio.listener.recent.place()
    visitor = await browser_visitor(request)
    async with reading() as session:
        files = [await library.get_file(session, visitor.id, file_id) for file_id in ids]
    for file in files:
        studio.known_files.keep(visitor.credentials, file, place)
    return files


@router.get("/audio/{file_ids}/pcm")
async def pcm(
    request: Request,
    files: Annotated[list[File], Depends(_heard_files)],
    start: Annotated[int, Query(alias="from", ge=0)],
    frames: Annotated[int, Query(ge=1)],
    form: Annotated[Literal["pcm", "flac"], Query(alias="as")] = "pcm",
) -> Response:
    """At most two seconds of some FLAC files of ours, one behind the other, as interleaved little-endian int16."""
    return await send_pcm(
        studio_of(request).storage, files, start, frames, packed=form == "flac", cache=KEEP["Cache-Control"]
    )


@router.get("/audio/{file_id}")
async def whole(request: Request, visitor: VisitorOf, file_id: UUID) -> Response:
    """A FLAC file of ours whole, for browsers that may not mix."""
    return send_sound(request, await _file(visitor.id, file_id), KEEP["Cache-Control"])


@router.get("/files/{file_id}/peaks")
async def peaks(
    request: Request, visitor: VisitorOf, file_id: UUID, samples_per_pixel: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """A waveform in audiowaveform's format: the level that has at most so many samples in a pixel."""
    file = await _file(visitor.id, file_id)
    return await send_peaks(studio_of(request).storage, file, samples_per_pixel, cache=KEEP["Cache-Control"])


@router.get("/tracks/{track_id}/cover")
async def cover(request: Request, visitor: VisitorOf, track_id: UUID) -> Response:
    """A track's cover."""
    return await send_cover(request, visitor.id, track_id)


@router.get("/tracks/{track_id}/stems/{file_id}")
async def download_stem(request: Request, visitor: VisitorOf, track_id: UUID, file_id: UUID) -> Response:
    """One stem as FLAC, named for people."""
    return await send_stem(request, visitor.id, track_id, file_id)


@router.get("/jobs/{job_id}/file")
async def download_export(request: Request, visitor: VisitorOf, job_id: UUID) -> Response:
    """What an export job made."""
    return await send_export(request, visitor.id, job_id)


@router.get("/tracks/{track_id}/analysis.json")
async def analysis(visitor: VisitorOf, track_id: UUID, download: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query flag
    """The analysis document."""
    async with reading() as session:
        track = await views.get_track_view(session, visitor.id, track_id)
    headers = {"Cache-Control": "private, no-cache"}
    if download:
        name = formats.file_name(track.row.artist, track.row.title, "analysis", ".json")
        headers["Content-Disposition"] = formats.attachment(name)
    return Response(formats.analysis_json(track.document), media_type="application/json", headers=headers)


async def _file(owner_id: UUID, file_id: UUID) -> File:
    async with reading() as session:
        return await library.get_file(session, owner_id, file_id)
