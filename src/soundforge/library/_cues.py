"""Cue points: moments of a track that its owner marked. Hot cues lie on eight pads, memory cues anywhere."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Unpack
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import Conflict, Invalid, NotFound
from soundforge.events import CuesChanged, publish
from soundforge.library._search import one_line
from soundforge.library._types import CueChange, NewCue
from soundforge.tables import CuePoint, Track

HOT_SLOTS: Final = range(1, 9)
CUE_COLOURS: Final = ("green", "aqua", "blue", "purple", "pink", "red", "orange", "yellow")
MOST_CUES: Final = 100
LONGEST_CUE_NAME: Final = 40
_MEMORY_COLOUR: Final = "yellow"
_SAME_S: Final = 0.001  # memory cues closer than this are one


async def list_cues(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Sequence[CuePoint]:
    """All cue points of a track: hot cues by their pads, then memory cues by their time."""
    mine = select(CuePoint).where(CuePoint.track_id == track_id, CuePoint.owner_id == owner_id)
    return (await session.scalars(mine.order_by(CuePoint.slot.nulls_last(), CuePoint.t_s, CuePoint.id))).all()


async def add_cue(session: AsyncSession, owner_id: UUID, track_id: UUID, new: NewCue) -> CuePoint:
    """Mark a moment; where a memory cue lies there already, it is that one.

    Raises ``Invalid`` ("invalid_cue"), ``Conflict`` ("cue_slot_taken", "too_many_cues"), ``NotFound``.
    """
    track = await _hold(session, owner_id, track_id)
    new = _checked(new, track)
    there = await list_cues(session, owner_id, track_id)
    if new.slot is None and (same := _at(there, new.t_s)):
        return same
    if len(there) >= MOST_CUES:
        msg = f"A track has at most {MOST_CUES} cue points; delete one first."
        raise Conflict(msg, code="too_many_cues")
    _refuse_taken(there, new.slot)
    cue = CuePoint(owner_id=owner_id, track_id=track_id, slot=new.slot, t_s=new.t_s, name=new.name, colour=_colour(new))
    session.add(cue)
    await session.flush()
    await publish(session, CuesChanged(owner_id=owner_id, track_id=track_id))
    return cue


async def change_cue(session: AsyncSession, owner_id: UUID, cue_id: UUID, **changes: Unpack[CueChange]) -> CuePoint:
    """Give a cue point another place, pad, name or colour; what is not named stays.

    Raises ``Invalid`` ("invalid_cue"), ``Conflict`` ("cue_slot_taken"), ``NotFound``.
    """
    cue = await get_cue(session, owner_id, cue_id)
    track = await _hold(session, owner_id, cue.track_id)
    await session.refresh(cue)
    new = _checked(replace(NewCue(cue.t_s, cue.slot, cue.name, cue.colour), **changes), track)
    if new.slot != cue.slot:
        _refuse_taken(await list_cues(session, owner_id, cue.track_id), new.slot)
    cue.t_s, cue.slot, cue.name, cue.colour = new.t_s, new.slot, new.name, _colour(new)
    await session.flush()
    await publish(session, CuesChanged(owner_id=owner_id, track_id=cue.track_id))
    return cue


async def remove_cue(session: AsyncSession, owner_id: UUID, cue_id: UUID) -> None:
    """Take a cue point away; raises ``NotFound``."""
    cue = await get_cue(session, owner_id, cue_id)
    await session.delete(cue)
    await session.flush()
    await publish(session, CuesChanged(owner_id=owner_id, track_id=cue.track_id))


async def get_cue(session: AsyncSession, owner_id: UUID, cue_id: UUID) -> CuePoint:
    """The owner's cue point on a living track; raises ``NotFound``."""
    mine = select(CuePoint).join(Track, Track.id == CuePoint.track_id)
    found = await session.scalar(
        mine.where(CuePoint.id == cue_id, CuePoint.owner_id == owner_id, Track.deleted_at.is_(None))
    )
    if found is None:
        msg = "There is no such cue point."
        raise NotFound(msg, code="cue_not_found")
    return found


async def _hold(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Track:
    """The track, while nobody else adds or moves its cue points; raises ``NotFound``."""
    mine = select(Track).where(Track.id == track_id, Track.owner_id == owner_id, Track.deleted_at.is_(None))
    track = await session.scalar(mine.with_for_update(key_share=True))
    if track is None:
        msg = "There is no such track in your library."
        raise NotFound(msg, code="track_not_found")
    return track


def _checked(new: NewCue, track: Track) -> NewCue:
    """The same with its name in one line; raises ``Invalid`` with the fields at fault."""
    new = replace(new, name=one_line(new.name))
    length_s = math.inf if track.duration_ms is None else (track.duration_ms + 1) / 1000  # it was rounded
    fields = {
        "t_s": "" if math.isfinite(new.t_s) and 0 <= new.t_s <= length_s else "A moment inside the track, in seconds.",
        "slot": "" if new.slot is None or new.slot in HOT_SLOTS else "A pad from 1 to 8, or none.",
        "name": "" if len(new.name) <= LONGEST_CUE_NAME else f"At most {LONGEST_CUE_NAME} characters.",
        "colour": "" if new.colour in ("", *CUE_COLOURS) else f"One of {', '.join(CUE_COLOURS)}.",
    }
    wrong = {name: sentence for name, sentence in fields.items() if sentence}
    if wrong:
        msg = "Such a cue point cannot be set."
        raise Invalid(msg, code="invalid_cue", fields=wrong)
    return new


def _refuse_taken(there: Sequence[CuePoint], slot: int | None) -> None:
    if slot is not None and any(cue.slot == slot for cue in there):
        msg = f"There is a cue on pad {slot} already; delete it first."
        raise Conflict(msg, code="cue_slot_taken")


def _at(there: Sequence[CuePoint], t_s: float) -> CuePoint | None:
    return next((cue for cue in there if cue.slot is None and abs(cue.t_s - t_s) < _SAME_S), None)


def _colour(new: NewCue) -> str:
    return new.colour or (CUE_COLOURS[new.slot - 1] if new.slot else _MEMORY_COLOUR)
