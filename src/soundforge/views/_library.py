"""The library and one track, as people see them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library
from soundforge.formats import AnalysisSource, AnalysisStage, analysis_document
from soundforge.library import Query
from soundforge.tables import ACTIVE, AnalysisPart, Job, Status, Stem, Track
from soundforge.views._jobs import list_jobs_of_tracks, view_of
from soundforge.views._values import Audio, JobView, LibraryPage, StemSet, StemView, TrackRow, TrackView


async def get_library_page(
    session: AsyncSession,
    owner_id: UUID,
    query: Query,
    *,
    after: str | None = None,
    until: str | None = None,
    limit: int = 100,
) -> LibraryPage:
    """One page of the library: four queries for the first page, three for the others."""
    page = await library.list_tracks(session, owner_id, query, after=after, until=until, limit=limit)
    total = None if after else await library.count_tracks(session, owner_id, query.search)
    return LibraryPage(await _rows(session, owner_id, page.rows), page.next, total)


async def get_track_row(session: AsyncSession, owner_id: UUID, track_id: UUID) -> TrackRow:
    """One line of the library; raises ``NotFound``."""
    track = await library.get_track(session, owner_id, track_id)
    return (await _rows(session, owner_id, [track]))[0]


async def get_track_view(session: AsyncSession, owner_id: UUID, track_id: UUID) -> TrackView:
    """Everything about one track; raises ``NotFound``."""
    track = await library.get_track(session, owner_id, track_id)
    parts = await _newest_parts(session, owner_id, track_id)
    stems = await library.list_stems(session, owner_id, [track_id])
    statement = select(Job).where(Job.track_id == track_id, Job.owner_id == owner_id)
    jobs = (await session.scalars(statement.order_by(Job.created_at.desc(), Job.id))).all()
    peaks = next((part.file_id for part in parts if part.stage == "peaks"), None)
    return TrackView(
        row=(await _rows(session, owner_id, [track]))[0],
        format=track.format,
        sample_rate_hz=track.sample_rate_hz,
        channels=track.channels,
        source=track.source,
        audio_file_id=track.audio_file_id,
        peaks_file_id=peaks,
        warnings=tuple(track.warnings),
        stem_sets=_stem_sets(stems, {job.id: job for job in jobs}),
        document=_document(track, parts),
        document_version=max((part.created_at.isoformat() for part in parts), default=""),
        jobs=tuple(view_of(job, track.title) for job in jobs),
    )


async def _rows(session: AsyncSession, owner_id: UUID, tracks: Sequence[Track]) -> tuple[TrackRow, ...]:
    ids = [track.id for track in tracks]
    jobs = await list_jobs_of_tracks(session, owner_id, ids)
    stems: dict[UUID, dict[UUID, list[str]]] = defaultdict(lambda: defaultdict(list))
    for stem in await library.list_stems(session, owner_id, ids):
        stems[stem.track_id][stem.job_id].append(stem.name)
    return tuple(
        TrackRow(
            id=track.id,
            title=track.title,
            artist=track.artist,
            album=track.album,
            bpm=track.bpm,
            musical_key=track.musical_key,
            camelot=track.camelot,
            duration_ms=track.duration_ms,
            stems=tuple(next(iter(stems[track.id].values()), ())),
            jobs=tuple(job for job in jobs[track.id] if _is_news(job)),
            audio=_audio(track),
            cover_file_id=track.cover_file_id,
            created_at=track.created_at,
        )
        for track in tracks
    )


def _audio(track: Track) -> Audio | None:
    if track.mix_file_id is None or track.sample_rate_hz is None or track.frames is None:
        return None
    return Audio(track.mix_file_id, track.sample_rate_hz, track.frames)


def _is_news(job: JobView) -> bool:
    return job.status in ACTIVE or job.status == Status.FAILED


async def _newest_parts(session: AsyncSession, owner_id: UUID, track_id: UUID) -> list[AnalysisPart]:
    """The newest part of every stage, whichever analysis made it."""
    newest: dict[str, AnalysisPart] = {}
    for part in await library.list_parts(session, owner_id, track_id):
        newest.setdefault(part.stage, part)
    return list(newest.values())


def _document(track: Track, parts: Sequence[AnalysisPart]) -> dict[str, Any]:
    """The analysis document of the newest parts; {} before there is one."""
    if not parts:
        return {}
    source = AnalysisSource(
        sha256=track.audio_sha256 or "",
        duration_s=(track.duration_ms or 0) / 1000,
        sample_rate_hz=track.sample_rate_hz or 0,
        channels=track.channels or 0,
        title=track.title,
        artist=track.artist,
        album=track.album,
    )
    stages = [AnalysisStage(part.stage, part.algorithm_version, part.document) for part in parts]
    return analysis_document(source, stages)


def _stem_sets(stems: Sequence[Stem], jobs: dict[UUID, Job]) -> tuple[StemSet, ...]:
    sets: dict[UUID, list[Stem]] = {}
    for stem in stems:
        sets.setdefault(stem.job_id, []).append(stem)
    return tuple(
        StemSet(
            job_id=job_id,
            engine=str(jobs[job_id].result.get("engine", "")),
            model=str(jobs[job_id].result.get("model", "")),
            created_at=members[0].created_at,
            stems=tuple(StemView(stem.name, stem.file_id, stem.peaks_file_id, stem.gain_db) for stem in members),
            warnings=tuple(jobs[job_id].result.get("warnings", ())),
        )
        for job_id, members in sets.items()
    )
