"""Cue points with the beats of their track in mind: set and moved on the grid, or taken over from an analysis."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import formats, library
from soundforge.errors import Conflict
from soundforge.library import CueChange, NewCue
from soundforge.pipeline._corrections import read_document
from soundforge.tables import CuePoint

_NEAR_S = 0.02  # a found cue this close to one of the user's is there already


async def add_cue(
    session: AsyncSession, owner_id: UUID, track_id: UUID, new: NewCue, *, snap: bool = False
) -> CuePoint:
    """Mark a moment, or with ``snap`` the beat nearest to it. Raises as ``library.add_cue`` does."""
    if snap:
        document = await _document(session, owner_id, track_id)
        new = NewCue(formats.on_beat(document, new.t_s), new.slot, new.name, new.colour)
    return await library.add_cue(session, owner_id, track_id, new)


async def change_cue(
    session: AsyncSession, owner_id: UUID, cue_id: UUID, change: CueChange, *, by_beats: float = 0, snap: bool = False
) -> CuePoint:
    """Change a cue point; ``by_beats`` moves it on or back, ``snap`` onto the nearest beat.

    Raises as ``library.change_cue`` does, and ``Conflict`` ("no_beats").
    """
    if by_beats or snap:
        cue = await library.get_cue(session, owner_id, cue_id)
        await library.hold_corrections(session, owner_id, cue.track_id)
        await session.refresh(cue)
        document = await _document(session, owner_id, cue.track_id)
        change = {**change, "t_s": _moved(document, change.get("t_s", cue.t_s), by_beats, snap=snap)}
    return await library.change_cue(session, owner_id, cue_id, **change)


async def adopt_cues(session: AsyncSession, owner_id: UUID, track_id: UUID) -> int:
    """Take over the cues that the analysis found and gives how many were new.

    They lie on the pads that are free, in the order of time; sections, and what finds no pad, become memory cues.
    Raises ``Conflict`` ("no_found_cues", "too_many_cues"), ``NotFound``.
    """
    await library.hold_corrections(session, owner_id, track_id)
    found = formats.found_cues(await _document(session, owner_id, track_id))
    if not found:
        msg = "The analysis found no cue points in this track."
        raise Conflict(msg, code="no_found_cues")
    there = await library.list_cues(session, owner_id, track_id)
    free = [slot for slot in library.HOT_SLOTS if all(cue.slot != slot for cue in there)]
    taken = [cue.t_s for cue in there]
    new = [cue for cue in found if all(abs(cue.t_s - t_s) > _NEAR_S for t_s in taken)]
    for cue in new:
        slot = free.pop(0) if free and not cue.is_section else None
        await library.add_cue(session, owner_id, track_id, NewCue(cue.t_s, slot, cue.name, cue.colour))
    return len(new)


def _moved(document: dict[str, Any], t_s: float, by_beats: float, *, snap: bool) -> float:
    if not formats.has_grid(document):
        msg = "The beats of this track are not known."
        raise Conflict(msg, code="no_beats")
    moved = formats.beats_on(document, t_s, by_beats) if by_beats else t_s
    return max(0.0, formats.on_beat(document, moved) if snap else moved)


async def _document(session: AsyncSession, owner_id: UUID, track_id: UUID) -> dict[str, Any]:
    return await read_document(session, await library.get_track(session, owner_id, track_id))
