"""Cue points that people set."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library
from soundforge.tables import CuePoint
from soundforge.views._values import CueView


def cue_of(cue: CuePoint) -> CueView:
    """A row as people see it."""
    return CueView(cue.id, cue.track_id, cue.slot, cue.t_s, cue.name, cue.colour)


async def list_cue_views(session: AsyncSession, owner_id: UUID, track_id: UUID) -> tuple[CueView, ...]:
    """All cue points of a track: hot cues by their pads, then memory cues by their time."""
    return tuple(cue_of(cue) for cue in await library.list_cues(session, owner_id, track_id))
