"""Imports of links, lines and lists, the lists that came of them, and where a track's audio comes from."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.pipeline import Recognised
from soundforge.tables import Page
from soundforge.views import EntryPage, JobView, PlaylistView, TrackView
from soundforge.web._access import AdminOf, CallerOf
from soundforge.web._uploads import import_text

router = APIRouter(prefix="/api/v1", tags=["imports"])


class TextAsked(BaseModel):
    """Links, lines of the form "artist - title", or a list as CSV."""

    text: str = Field(max_length=3_000_000)
    model: str = Field(default="", max_length=60)


class SourceAsked(BaseModel):
    """Where to take a track's audio from; nothing said: look for it."""

    candidate: UUID | None = None
    link: str = Field(default="", max_length=2048)


@router.post("/imports/preview")
async def preview(caller: CallerOf, asked: TextAsked) -> Recognised:  # noqa: ARG001 - only who is logged in
    """What each line of a paste is, or why it is refused; asks nobody and starts nothing."""
    return pipeline.recognise(asked.text)


@router.post("/imports/text", status_code=202)
async def import_paste(request: Request, caller: CallerOf, asked: TextAsked) -> JobView:
    """Import what a paste names: one job for all of it, a download for each song."""
    return await import_text(request, caller.id, asked.text, model=asked.model)


@router.post("/tracks/{track_id}/downloads", status_code=202)
async def download(caller: CallerOf, track_id: UUID, asked: SourceAsked) -> JobView:
    """Fetch a track's audio: look for it, or take it from a candidate or a link."""
    async with transaction() as session:
        if asked.candidate or asked.link:
            job = await pipeline.request_source(
                session, caller.id, track_id, candidate_id=asked.candidate, link=asked.link
            )
        else:
            job = await pipeline.request_fetch(session, caller.id, track_id)
        return await views.get_job_view(session, caller.id, job.id)


@router.post("/tracks/{track_id}/confirm")
async def confirm(caller: CallerOf, track_id: UUID) -> TrackView:
    """Say that a doubtful track is the right song."""
    async with transaction() as session:
        await library.confirm_track(session, caller.id, track_id)
        return await views.get_track_view(session, caller.id, track_id)


@router.get("/playlists")
async def list_playlists(
    caller: CallerOf, after: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[PlaylistView]:
    """The caller's lists, the newest first."""
    async with reading() as session:
        return await views.list_playlist_views(session, caller.id, after=after, limit=limit)


@router.get("/playlists/{playlist_id}")
async def get_playlist(caller: CallerOf, playlist_id: UUID) -> PlaylistView:
    """One list, without its entries."""
    async with reading() as session:
        return await views.get_playlist_view(session, caller.id, playlist_id)


@router.get("/playlists/{playlist_id}/entries")
async def list_entries(
    caller: CallerOf,
    playlist_id: UUID,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> EntryPage:
    """The entries of a list in its order."""
    async with reading() as session:
        return await views.get_entry_page(session, caller.id, playlist_id, after=after, limit=limit)


@router.delete("/playlists/{playlist_id}", status_code=204)
async def remove_playlist(caller: CallerOf, playlist_id: UUID) -> Response:
    """Forget a list; its tracks stay."""
    async with transaction() as session:
        await library.remove_playlist(session, caller.id, playlist_id)
    return Response(status_code=204)


@router.post("/spotify/test", status_code=202)
async def check_spotify(caller: AdminOf) -> JobView:
    """Ask Spotify whether it answers this studio's app; the job's result says what it answered."""
    async with transaction() as session:
        job = await pipeline.request_spotify_check(session, caller.id)
        return await views.get_job_view(session, caller.id, job.id)
