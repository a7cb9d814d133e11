"""Tracks and imports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from soundforge import formats, library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.pipeline import DEFAULT_OPTIONS, SeparateOptions
from soundforge.tables import TRACK_SORTS
from soundforge.views import JobView, LibraryPage, TrackView
from soundforge.web._access import CallerOf
from soundforge.web._files import send_cover, send_export, send_stem
from soundforge.web._openapi import RAW_BODY, sends
from soundforge.web._uploads import import_body

router = APIRouter(prefix="/api/v1", tags=["tracks"])
_MADE = ("application/zip", "audio/flac", "audio/wav")  # what an export or a rendered mix is


class Words(BaseModel):
    """What a track is called."""

    title: str = Field(min_length=1, max_length=300)
    artist: str = Field(default="", max_length=300)
    album: str = Field(default="", max_length=300)


class SeparationAsked(BaseModel):
    """How to separate; "auto" takes the best model that is here. A region is a preview, in seconds from and to."""

    model: str = Field(default="auto", max_length=60)
    stems: tuple[str, ...] = Field(default=(), max_length=10, description="Only these; they do not sum to the song.")
    two_stem: str = Field(default="", max_length=60, description="This stem and the rest of the song.")
    raw: bool = Field(default=False, description="The model's own last stem, not one that closes the sum.")
    region_s: tuple[float, float] | None = None
    overlap: float = Field(default=DEFAULT_OPTIONS.overlap, ge=0, le=0.9)
    shifts: int = Field(default=DEFAULT_OPTIONS.shifts, ge=0, le=10)
    precision: str = Field(default=DEFAULT_OPTIONS.precision, max_length=20)

    def options(self) -> SeparateOptions:
        """The options as the pipeline takes them."""
        return SeparateOptions(**self.model_dump(exclude={"model"}))


class ExportAsked(BaseModel):
    """Whose stems shall be packed: the separation job's id."""

    stems_job: UUID


class Listed:
    """What part of the library to list."""

    def __init__(
        self,
        q: Annotated[
            str, Query(max_length=400, description="Words, and fields like bpm:120-128: docs/search.md.")
        ] = "",
        sort: Annotated[str, Query(description=f"{', '.join(TRACK_SORTS)}.")] = "created",
        descending: Annotated[bool, Query(description="The other way round.")] = True,  # noqa: FBT002 - a query flag
    ) -> None:
        """Read the address."""
        self.query = library.Query(search=q.strip(), sort=sort, descending=descending)


@router.get("/tracks")
async def list_tracks(
    caller: CallerOf,
    listed: Annotated[Listed, Depends()],
    after: Annotated[str | None, Query(description="``next`` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> LibraryPage:
    """One page of the library."""
    async with reading() as session:
        return await views.get_library_page(session, caller.id, listed.query, after=after, limit=limit)


@router.get("/tracks/{track_id}")
async def get_track(caller: CallerOf, track_id: UUID) -> TrackView:
    """Everything about one track."""
    async with reading() as session:
        return await views.get_track_view(session, caller.id, track_id)


@router.patch("/tracks/{track_id}")
async def change_track(caller: CallerOf, track_id: UUID, words: Words) -> TrackView:
    """Correct title, artist and album."""
    async with transaction() as session:
        await library.change_track(session, caller.id, track_id, **words.model_dump())
        return await views.get_track_view(session, caller.id, track_id)


@router.delete("/tracks/{track_id}", status_code=204)
async def remove_track(caller: CallerOf, track_id: UUID) -> Response:
    """Take a track out of the library; it can be restored for a while."""
    async with transaction() as session:
        await library.remove_track(session, caller.id, track_id)
    return Response(status_code=204)


@router.post("/tracks/{track_id}/restore")
async def restore_track(caller: CallerOf, track_id: UUID) -> TrackView:
    """Bring a deleted track back."""
    async with transaction() as session:
        await library.restore_track(session, caller.id, track_id)
        return await views.get_track_view(session, caller.id, track_id)


@router.post("/tracks/{track_id}/separations", status_code=202)
async def separate(caller: CallerOf, track_id: UUID, asked: SeparationAsked) -> JobView:
    """Ask for stems."""
    async with transaction() as session:
        options = pipeline.check_options(asked.model, asked.options())
        job = await pipeline.request_separation(session, caller.id, track_id, model=asked.model, options=options)
        return await views.get_job_view(session, caller.id, job.id)


@router.post("/tracks/{track_id}/analyses", status_code=202)
async def analyze(caller: CallerOf, track_id: UUID) -> JobView:
    """Ask for an analysis."""
    async with transaction() as session:
        job = await pipeline.request_analysis(session, caller.id, track_id)
        return await views.get_job_view(session, caller.id, job.id)


@router.post("/tracks/{track_id}/exports", status_code=202)
async def export(caller: CallerOf, track_id: UUID, asked: ExportAsked) -> JobView:
    """Ask for one zip of all stems; its job's file is what to download."""
    async with transaction() as session:
        job = await pipeline.request_export(session, caller.id, track_id, stems_job_id=asked.stems_job)
        return await views.get_job_view(session, caller.id, job.id)


@router.get("/tracks/{track_id}/analysis")
async def get_analysis(caller: CallerOf, track_id: UUID) -> Response:
    """The analysis document; ``docs/analysis-document.md`` tells its shape."""
    async with reading() as session:
        track = await views.get_track_view(session, caller.id, track_id)
    return Response(formats.analysis_json(track.document), media_type="application/json")


@router.get("/tracks/{track_id}/stems/{file_id}", response_class=Response, responses=sends("audio/flac"))
async def download_stem(request: Request, caller: CallerOf, track_id: UUID, file_id: UUID) -> Response:
    """One stem as 24-bit FLAC."""
    return await send_stem(request, caller.id, track_id, file_id)


@router.get("/tracks/{track_id}/cover", response_class=Response, responses=sends("image/jpeg", "image/png"))
async def get_cover(request: Request, caller: CallerOf, track_id: UUID) -> Response:
    """The cover, JPEG or PNG; ``cover_file_id`` of the track's row says whether there is one."""
    return await send_cover(request, caller.id, track_id)


@router.get("/jobs/{job_id}/file", response_class=Response, responses=sends(*_MADE))
async def download_export(request: Request, caller: CallerOf, job_id: UUID) -> Response:
    """What an export job made."""
    return await send_export(request, caller.id, job_id)


@router.post("/imports", status_code=202, openapi_extra=RAW_BODY)
async def import_file(
    request: Request,
    caller: CallerOf,
    name: Annotated[str, Query(min_length=1, max_length=1000, description="The file's name.")],
    model: Annotated[str, Query(max_length=60, description="The separation model; unset: the setting.")] = "",
) -> JobView:
    """Import one audio file: the request's raw body."""
    return await import_body(request, caller.id, name, model=model)
