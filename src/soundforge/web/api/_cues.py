"""Cue points: moments of a track that its owner marked."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.library import CueChange, NewCue
from soundforge.views import CueView
from soundforge.web._access import CallerOf

router = APIRouter(prefix="/api/v1", tags=["cues"])

type Moment = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False, description="Seconds into the track.")]
type Slot = Annotated[int | None, Field(description="The pad of a hot cue, 1 to 8; none for a memory cue.")]
type Name = Annotated[str, Field(max_length=200)]
type Colour = Annotated[str, Field(max_length=20, description="Empty for the colour of the pad.")]
type Snap = Annotated[bool, Field(description="The beat nearest to it.")]


class CueSet(BaseModel):
    """A moment to be marked."""

    t_s: Moment
    slot: Slot = None
    name: Name = ""
    colour: Colour = ""
    snap: Snap = False

    def new(self) -> NewCue:
        """The cue point as the library takes it."""
        return NewCue(self.t_s, self.slot, self.name, self.colour)


class CueChanged(BaseModel):
    """What of a cue point becomes another; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    t_s: Moment = 0
    slot: Slot = None
    name: Name = ""
    colour: Colour = ""
    by_beats: Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)] = 0
    snap: Snap = False

    def change(self) -> CueChange:
        """What was named."""
        return cast("CueChange", self.model_dump(include={*CueChange.__annotations__}, exclude_unset=True))


class Adopted(BaseModel):
    """How many cues were taken over, and all that there are now."""

    added: int
    cues: list[CueView]


@router.get("/tracks/{track_id}/cues")
async def list_cues(caller: CallerOf, track_id: UUID) -> list[CueView]:
    """All cue points of a track: hot cues by their pads, then memory cues by their time."""
    async with reading() as session:
        await library.get_track(session, caller.id, track_id)
        return [*await views.list_cue_views(session, caller.id, track_id)]


@router.post("/tracks/{track_id}/cues", status_code=201)
async def add_cue(caller: CallerOf, track_id: UUID, asked: CueSet) -> CueView:
    """Mark a moment as a hot cue or a memory cue."""
    async with transaction() as session:
        return views.cue_of(await pipeline.add_cue(session, caller.id, track_id, asked.new(), snap=asked.snap))


@router.post("/tracks/{track_id}/cues/found")
async def adopt_cues(caller: CallerOf, track_id: UUID) -> Adopted:
    """Take over the cues that the analysis found: on the pads that are free, the rest as memory cues."""
    async with transaction() as session:
        added = await pipeline.adopt_cues(session, caller.id, track_id)
        return Adopted(added=added, cues=[*await views.list_cue_views(session, caller.id, track_id)])


@router.patch("/cues/{cue_id}")
async def change_cue(caller: CallerOf, cue_id: UUID, asked: CueChanged) -> CueView:
    """Move a cue point, also by beats or onto the grid; give it another pad, name or colour."""
    async with transaction() as session:
        cue = await pipeline.change_cue(
            session, caller.id, cue_id, asked.change(), by_beats=asked.by_beats, snap=asked.snap
        )
        return views.cue_of(cue)


@router.delete("/cues/{cue_id}", status_code=204)
async def remove_cue(caller: CallerOf, cue_id: UUID) -> Response:
    """Take a cue point away."""
    async with transaction() as session:
        await library.remove_cue(session, caller.id, cue_id)
    return Response(status_code=204)
