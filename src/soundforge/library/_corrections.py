"""What users put right in an analysis. Their value wins over every analysis, past and to come (docs/adr/0014)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.events import TrackChanged, publish
from soundforge.library._types import Figures, NewCorrection
from soundforge.tables import Correction, Track

type Found = Mapping[str, Mapping[str, Any] | None]  # by field; None where an analysis found nothing

MOMENTS = ("downbeat", "sections")
MOST_STEPS = 20  # back
_TOLD = {"tempo": "bpm"}  # how the event calls a field that lists show


async def hold_corrections(session: AsyncSession, owner_id: UUID, track_id: UUID) -> None:
    """Let nobody else correct this track, nor an analysis of it end, until the transaction ends; raises ``NotFound``.

    Who reads the present values to make a new one of them holds first, or undoes what somebody did meanwhile.
    """
    if await session.scalar(_held(owner_id, track_id, is_living=True)) is None:
        msg = "There is no such track in your library."
        raise NotFound(msg, code="track_not_found")


async def add_correction(session: AsyncSession, owner_id: UUID, track_id: UUID, new: NewCorrection) -> None:
    """Let a user's value count for one field, in place of the one they gave before; raises ``NotFound``."""
    await hold_corrections(session, owner_id, track_id)
    row = await _find(session, track_id, new.field)
    if row is None:
        row = Correction(track_id=track_id, field=new.field, earlier=[])
        session.add(row)
    elif row.value != new.value:
        row.earlier = [*row.earlier, row.value][-MOST_STEPS:]
    row.value, row.found, row.user_id, row.corrected_at = new.value, new.found, owner_id, datetime.now(UTC)
    await session.flush()
    await _show(session, track_id, columns(new.field, new.value))
    await _tell(session, owner_id, track_id, new.field)


async def undo_correction(session: AsyncSession, owner_id: UUID, track_id: UUID, field: str) -> None:
    """Take the last step back: what the user said before counts again, or else what was found; as ``remove_``."""
    await hold_corrections(session, owner_id, track_id)
    row = await _find(session, track_id, field)
    if row is None or not row.earlier:
        await remove_correction(session, owner_id, track_id, field)
        return
    *row.earlier, row.value = row.earlier
    row.corrected_at = datetime.now(UTC)
    await session.flush()
    await _show(session, track_id, columns(field, row.value))
    await _tell(session, owner_id, track_id, field)


async def remove_correction(session: AsyncSession, owner_id: UUID, track_id: UUID, field: str) -> None:
    """Let what was found count again; raises ``NotFound`` ("correction_not_found")."""
    await hold_corrections(session, owner_id, track_id)
    row = await _find(session, track_id, field)
    if row is None:
        msg = "This is as it was found; there is nothing to take back."
        raise NotFound(msg, code="correction_not_found")
    await session.delete(row)
    await session.flush()
    await _show(session, track_id, columns(field, row.found))
    await _tell(session, owner_id, track_id, field)


async def forget_moments(session: AsyncSession, track_id: UUID) -> None:
    """Take away what users said of moments of a track: in other audio they lie elsewhere."""
    moments = (Correction.track_id == track_id, Correction.field.in_(MOMENTS))
    await session.execute(delete(Correction).where(*moments))


async def list_corrections(session: AsyncSession, owner_id: UUID, track_ids: Sequence[UUID]) -> Sequence[Correction]:
    """All corrections of these tracks."""
    statement = (
        select(Correction)
        .join(Track, Track.id == Correction.track_id)
        .where(Correction.track_id.in_(track_ids), Track.owner_id == owner_id)
        .order_by(Correction.track_id, Correction.field)
    )
    return (await session.scalars(statement)).all()


async def set_figures(
    session: AsyncSession, owner_id: UUID, track_id: UUID, figures: Figures, found: Found | None = None
) -> None:
    """Write what an analysis found into the columns that lists show and sort by, but where a user said otherwise.

    ``found`` is kept beside each correction, by its field.
    """
    if not await session.scalar(_held(owner_id, track_id)):
        return
    rows = await list_corrections(session, owner_id, [track_id])
    for row in rows:
        row.found = dict(value) if (value := (found or {}).get(row.field)) else None
    await session.flush()
    said = [columns(row.field, row.value) for row in rows]
    shown = asdict(figures)
    await _show(session, track_id, _merged([shown, *said]))
    await publish(session, TrackChanged(owner_id=owner_id, track_id=track_id, fields=("bpm", "key", "loudness")))


def columns(field: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of a track that a field's value fills; most fields have none."""
    known = value or {}
    if field == "tempo":
        return {"bpm": known.get("bpm")}
    if field == "key":
        name = f"{known['tonic']} {known['mode']}" if known.get("tonic") else None
        return {"musical_key": name, "camelot": known.get("camelot")}
    return {}


async def _find(session: AsyncSession, track_id: UUID, field: str) -> Correction | None:
    row = select(Correction).where(Correction.track_id == track_id, Correction.field == field)
    found: Correction | None = await session.scalar(row.execution_options(populate_existing=True))
    return found


def _held(owner_id: UUID, track_id: UUID, *, is_living: bool = False) -> Any:
    track = select(Track.id).where(Track.id == track_id, Track.owner_id == owner_id)
    return (track.where(Track.deleted_at.is_(None)) if is_living else track).with_for_update(key_share=True)


async def _show(session: AsyncSession, track_id: UUID, values: Mapping[str, Any]) -> None:
    if values:
        await session.execute(update(Track).where(Track.id == track_id).values(**values))


async def _tell(session: AsyncSession, owner_id: UUID, track_id: UUID, field: str) -> None:
    fields = (_TOLD.get(field, field),)
    await publish(session, TrackChanged(owner_id=owner_id, track_id=track_id, fields=fields))


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}
