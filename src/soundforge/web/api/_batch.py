"""Many tracks at once."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from soundforge import library, pipeline
from soundforge.db import transaction
from soundforge.library import Query, Selection
from soundforge.pipeline import BatchDone
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1", tags=["tracks"])


class BatchBody(BaseModel):
    """What to do, and with which tracks: those of ``ids``, or all that ``search`` finds but those of ``without``."""

    action: str = Field(max_length=20, description=", ".join(pipeline.ACTIONS))
    ids: tuple[UUID, ...] = Field(default=(), max_length=20_000)
    search: str | None = Field(default=None, max_length=400)
    without: tuple[UUID, ...] = Field(default=(), max_length=20_000)
    model: str = Field(default="auto", max_length=60)
    what: str = Field(default="audio", max_length=20, description="audio or stems: what a download packs")
    playlist: UUID | None = None

    def chosen(self) -> Selection:
        """The tracks that are meant."""
        found = None if self.search is None else Query(search=self.search)
        return Selection(self.ids, found, self.without)


class Restored(BaseModel):
    """How many tracks came back."""

    count: int


@router.post("/tracks/batch")
async def batch(caller: CallerOf, asked: BatchBody) -> BatchDone:
    """Separate, analyse, pack, add to a list or delete many tracks."""
    wanted = pipeline.BatchAsked(asked.action, asked.model, asked.what, asked.playlist)
    async with transaction() as session:
        return await pipeline.request_batch(session, caller.id, asked.chosen(), wanted)


@router.post("/tracks/batch/undo")
async def undo(caller: CallerOf, removed_at: datetime) -> Restored:
    """Bring back what was deleted together at one moment."""
    async with transaction() as session:
        return Restored(count=await library.restore_tracks(session, caller.id, removed_at))
