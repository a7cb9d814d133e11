"""What separation and analysis made of a track. Each result belongs to its job; the newest one shows."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.events import AnalysisReady, StemsReady, publish
from soundforge.library._files import add_file, orphan_files
from soundforge.library._types import NewPart, NewStem
from soundforge.tables import ACTIVE, AnalysisPart, Job, Status, Stem, Track

_NEWEST = (AnalysisPart.created_at.desc(), AnalysisPart.id)


async def add_stems(
    session: AsyncSession, owner_id: UUID, track_id: UUID, job_id: UUID, stems: Sequence[NewStem]
) -> None:
    """Give a track the stems that one separation job made; raises ``NotFound`` when it was purged."""
    await _hold_track(session, owner_id, track_id)
    for position, new in enumerate(stems):
        await add_file(session, owner_id, new.audio)
        if new.peaks:
            await add_file(session, owner_id, new.peaks)
        session.add(
            Stem(
                track_id=track_id,
                job_id=job_id,
                name=new.name,
                position=position,
                file_id=new.audio.id,
                peaks_file_id=new.peaks.id if new.peaks else None,
                gain_db=new.gain_db,
            )
        )
    await session.flush()
    await publish(session, StemsReady(owner_id=owner_id, track_id=track_id, job_id=job_id))


async def add_part(session: AsyncSession, owner_id: UUID, track_id: UUID, job_id: UUID, new: NewPart) -> None:
    """Keep one finished stage; a stage that a dead run of the same job left is replaced.

    Raises ``NotFound`` when the track was purged.
    """
    await _hold_track(session, owner_id, track_id)
    if new.file:
        await add_file(session, owner_id, new.file)
    stale = delete(AnalysisPart).where(AnalysisPart.job_id == job_id, AnalysisPart.stage == new.stage)
    file_ids = await session.scalars(stale.returning(AnalysisPart.file_id))
    await orphan_files(session, {file_id for file_id in file_ids if file_id})
    session.add(
        AnalysisPart(
            track_id=track_id,
            job_id=job_id,
            stage=new.stage,
            algorithm_version=new.algorithm_version,
            document=new.document,
            file_id=new.file.id if new.file else None,
        )
    )
    await session.flush()
    await publish(session, AnalysisReady(owner_id=owner_id, track_id=track_id, job_id=job_id, stage=new.stage))


async def _hold_track(session: AsyncSession, owner_id: UUID, track_id: UUID) -> None:
    """Keep the track, in the library or removed, from being purged until the transaction ends."""
    track = select(Track.id).where(Track.id == track_id, Track.owner_id == owner_id)
    if await session.scalar(track.with_for_update(read=True, key_share=True)) is None:
        msg = "This track was deleted for good."
        raise NotFound(msg, code="track_not_found")


async def list_stems(
    session: AsyncSession, owner_id: UUID, track_ids: Sequence[UUID], *, previews: bool = True
) -> Sequence[Stem]:
    """All stems of these tracks, newest job first, in the order of the mixer; or but those of a region alone."""
    statement = (
        select(Stem)
        .join(Track, Track.id == Stem.track_id)
        .where(Stem.track_id.in_(track_ids), Track.owner_id == owner_id)
        .order_by(Stem.created_at.desc(), Stem.job_id, Stem.position)
    )
    if not previews:
        is_preview = func.coalesce(Job.params["options"].has_key("region_s"), False)
        statement = statement.join(Job, Job.id == Stem.job_id).where(is_preview.is_(False))
    return (await session.scalars(statement)).all()


async def list_newest_parts(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Sequence[AnalysisPart]:
    """The newest part of every stage that a completed job made; of a running job for want of one. The newest first.

    What a failed or cancelled job left never shows: lists did not get its figures either.
    """
    is_done = Job.status == Status.COMPLETED.value
    shown = _parts(owner_id, track_id).join(Job, Job.id == AnalysisPart.job_id)
    shown = shown.where(Job.status.in_([Status.COMPLETED.value, *(status.value for status in ACTIVE)]))
    newest: dict[str, AnalysisPart] = {}
    for part in await session.scalars(shown.order_by(is_done.desc(), *_NEWEST)):
        newest.setdefault(part.stage, part)
    return list(newest.values())


async def list_parts(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Sequence[AnalysisPart]:
    """Every stage of every analysis of a track, newest first."""
    return (await session.scalars(_parts(owner_id, track_id).order_by(*_NEWEST))).all()


def _parts(owner_id: UUID, track_id: UUID) -> Select[AnalysisPart]:
    parts = select(AnalysisPart).join(Track, Track.id == AnalysisPart.track_id)
    return parts.where(AnalysisPart.track_id == track_id, Track.owner_id == owner_id)
