"""Corrections: what a user put right in an analysis."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from soundforge import pipeline, views
from soundforge.db import transaction
from soundforge.views import TrackView
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1/tracks/{track_id}/corrections", tags=["corrections"])


@router.put("/{field}")
async def add_correction(caller: CallerOf, track_id: UUID, field: str, wish: dict[str, Any]) -> TrackView:
    """Put tempo, downbeat, meter, key or sections right; ``docs/analysis-document.md`` tells what may be asked."""
    async with transaction() as session:
        await pipeline.add_correction(session, caller.id, track_id, field, wish)
        return await views.get_track_view(session, caller.id, track_id)


@router.delete("/{field}")
async def remove_correction(caller: CallerOf, track_id: UUID, field: str) -> TrackView:
    """Let what was found count again."""
    async with transaction() as session:
        await pipeline.remove_correction(session, caller.id, track_id, field)
        return await views.get_track_view(session, caller.id, track_id)


@router.post("/{field}/undo")
async def undo_correction(caller: CallerOf, track_id: UUID, field: str) -> TrackView:
    """Take the last step back: to what was said before, or to what was found."""
    async with transaction() as session:
        await pipeline.undo_correction(session, caller.id, track_id, field)
        return await views.get_track_view(session, caller.id, track_id)
