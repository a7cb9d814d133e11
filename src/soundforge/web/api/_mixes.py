"""Mixes: saved, lent by a link, rendered to a file."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.library import MixState
from soundforge.views import JobView, MixView
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1", tags=["mixes"])


class MixSaved(BaseModel):
    """A mix, and its name; without a name it is where one left off."""

    name: str = Field(default="", max_length=100)
    state: MixState


class RenderAsked(BaseModel):
    """A mix, and what file it shall become."""

    state: MixState
    format: Annotated[str, Field(max_length=20, description="flac24, wav24 or wav32f")] = "flac24"


@router.get("/tracks/{track_id}/mixes")
async def list_mixes(caller: CallerOf, track_id: UUID) -> list[MixView]:
    """All mixes of a track; the first without a name is where its owner left off."""
    async with reading() as session:
        await library.get_track(session, caller.id, track_id)
        return [views.mix_of(mix) for mix in await library.list_mixes(session, caller.id, track_id)]


@router.put("/tracks/{track_id}/mixes")
async def save_mix(caller: CallerOf, track_id: UUID, saved: MixSaved) -> MixView:
    """Keep a mix under its name, in place of the one that had it."""
    async with transaction() as session:
        mix = await library.save_mix(session, caller.id, track_id, saved.name.strip(), saved.state)
        return views.mix_of(mix)


@router.post("/tracks/{track_id}/renders", status_code=202)
async def render(caller: CallerOf, track_id: UUID, asked: RenderAsked) -> JobView:
    """Render a mix to a file; its job's file is what to download."""
    async with transaction() as session:
        job = await pipeline.request_render(session, caller.id, track_id, state=asked.state, audio_format=asked.format)
        return await views.get_job_view(session, caller.id, job.id)


@router.delete("/mixes/{mix_id}", status_code=204)
async def remove_mix(caller: CallerOf, mix_id: UUID) -> Response:
    """Forget a mix, and its link."""
    async with transaction() as session:
        await library.remove_mix(session, caller.id, mix_id)
    return Response(status_code=204)


@router.post("/mixes/{mix_id}/link")
async def share_mix(caller: CallerOf, mix_id: UUID) -> MixView:
    """Let everybody of this studio who has the link hear a mix."""
    async with transaction() as session:
        return views.mix_of(await library.share_mix(session, caller.id, mix_id))


@router.delete("/mixes/{mix_id}/link")
async def unshare_mix(caller: CallerOf, mix_id: UUID) -> MixView:
    """Take the link back."""
    async with transaction() as session:
        return views.mix_of(await library.unshare_mix(session, caller.id, mix_id))
