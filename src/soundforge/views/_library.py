"""The library and one track, as people see them."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library
from soundforge.formats import AnalysisSource, AnalysisStage, Correction, analysis_document, corrected, mixing_keys
from soundforge.library import Query
from soundforge.tables import ACTIVE, AnalysisPart, Job, Status, Stem, Track, User
from soundforge.views._cues import list_cue_views
from soundforge.views._jobs import list_jobs_of_tracks, view_of, with_reasons
from soundforge.views._neighbours import Near, get_near_view, get_query_near, list_alike, tempo_change
from soundforge.views._values import (
    Audio,
    CandidateView,
    CueView,
    JobView,
    LibraryPage,
    Neighbour,
    StemSet,
    StemView,
    TrackRow,
    TrackView,
)


async def get_library_page(
    session: AsyncSession,
    owner_id: UUID,
    query: Query,
    *,
    after: str | None = None,
    until: str | None = None,
    limit: int = 100,
    near: Near | None = None,
) -> LibraryPage:
    """One page of the library, or of what goes with a track: three queries, for its neighbours some more."""
    described = await get_near_view(session, owner_id, near) if near and not after else None
    query = await get_query_near(session, owner_id, query, near)
    if after or until:
        page = await library.list_tracks(session, owner_id, query, after=after, until=until, limit=limit)
        total: int | None = None
    else:
        page, total = await library.list_first_tracks(session, owner_id, query, limit=limit)
    return LibraryPage(await rows_of(session, owner_id, page.rows), page.next, total, described, page.rest)


async def list_neighbours(session: AsyncSession, owner_id: UUID, near: Near, *, limit: int = 50) -> list[Neighbour]:
    """What goes with a track, the nearest first; raises ``NotFound``."""
    track = await library.get_track(session, owner_id, near.track_id)
    query = await get_query_near(session, owner_id, Query(sort="near", descending=False), near)
    page = await library.list_tracks(session, owner_id, query, limit=limit)
    alike = await list_alike(session, owner_id, track.id, stem=near.stem) if near.kind == "like" else []
    likeness = {one.track_id: one.likeness for one in alike}
    relations = mixing_keys(track.camelot) if track.camelot and near.kind == "mixes" else {}
    return [
        Neighbour(
            track=row,
            likeness=likeness.get(row.id),
            relation=relations.get(row.camelot or "", ""),
            tempo_change=tempo_change(row.bpm, track.bpm) if row.bpm and track.bpm else None,
        )
        for row in await rows_of(session, owner_id, page.rows)
    ]


async def get_track_row(session: AsyncSession, owner_id: UUID, track_id: UUID) -> TrackRow:
    """One line of the library; raises ``NotFound``."""
    track = await library.get_track(session, owner_id, track_id)
    return (await rows_of(session, owner_id, [track]))[0]


async def get_track_view(session: AsyncSession, owner_id: UUID, track_id: UUID) -> TrackView:
    """Everything about one track; raises ``NotFound``."""
    track = await library.get_track(session, owner_id, track_id)
    parts = await library.list_newest_parts(session, owner_id, track_id)
    corrections = await _corrections(session, owner_id, track_id)
    cues = await list_cue_views(session, owner_id, track_id)
    stems = await library.list_stems(session, owner_id, [track_id])
    statement = select(Job).where(Job.track_id == track_id, Job.owner_id == owner_id)
    jobs = (await session.scalars(statement.order_by(Job.created_at.desc(), Job.id))).all()
    sets = _stem_sets(stems, {job.id: job for job in jobs})
    peaks = next((part.file_id for part in parts if part.stage == "peaks"), None)
    return TrackView(
        row=(await rows_of(session, owner_id, [track]))[0],
        format=track.format,
        sample_rate_hz=track.sample_rate_hz,
        channels=track.channels,
        source=track.source,
        audio_file_id=track.audio_file_id,
        peaks_file_id=peaks,
        warnings=tuple(track.warnings),
        stem_sets=tuple(one for one in sets if one.region_s is None),
        previews=tuple(one for one in sets if one.region_s is not None),
        document=_document(track, parts, corrections, cues),
        embedded=tuple(await library.list_embedded(session, owner_id, track_id)),
        document_version=_version(parts, corrections, cues),
        jobs=await with_reasons(session, [view_of(job, track.title) for job in jobs]),
        source_url=track.source_url,
        spotify_url=f"https://open.spotify.com/track/{track.spotify_id}" if track.spotify_id else None,
        candidates=await _candidates(session, owner_id, track_id),
        cue_points=cues,
    )


async def _candidates(session: AsyncSession, owner_id: UUID, track_id: UUID) -> tuple[CandidateView, ...]:
    found = await library.list_candidates(session, owner_id, track_id)
    newest = [one for one in found if len(found) and one.job_id == found[0].job_id]
    return tuple(
        CandidateView(one.id, one.title, one.channel, one.duration_ms, one.score, one.url, one.is_chosen)
        for one in newest
    )


async def rows_of(session: AsyncSession, owner_id: UUID, tracks: Sequence[Track]) -> tuple[TrackRow, ...]:
    """Tracks as lines of a list, in the order given."""
    ids = [track.id for track in tracks]
    jobs = await list_jobs_of_tracks(session, owner_id, ids)
    stems: dict[UUID, dict[UUID, list[str]]] = defaultdict(lambda: defaultdict(list))
    for stem in await library.list_stems(session, owner_id, ids, previews=False):
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
            loudness_lufs=track.loudness_lufs,
            year=track.year,
            is_doubtful=track.is_doubtful,
        )
        for track in tracks
    )


def _audio(track: Track) -> Audio | None:
    if track.mix_file_id is None or track.sample_rate_hz is None or track.frames is None:
        return None
    return Audio(track.mix_file_id, track.sample_rate_hz, track.frames)


def _is_news(job: JobView) -> bool:
    return job.status in ACTIVE or job.status == Status.FAILED


async def _corrections(session: AsyncSession, owner_id: UUID, track_id: UUID) -> list[Correction]:
    """What was put right on a track, under the names of those who did."""
    rows = await library.list_corrections(session, owner_id, [track_id])
    named = await session.execute(select(User.id, User.name).where(User.id.in_({row.user_id for row in rows})))
    names: dict[UUID, str] = {row.id: row.name for row in named}
    return [
        Correction(row.field, row.value, row.corrected_at.isoformat(), names[row.user_id], len(row.earlier))
        for row in rows
    ]


def _version(parts: Sequence[AnalysisPart], corrections: Sequence[Correction], cues: Sequence[CueView]) -> str:
    """Another text whenever the document is another one, and the same for the same."""
    made = [*(f"{part.id} {part.created_at}" for part in parts), *(f"{one}" for one in (*corrections, *cues))]
    return hashlib.sha256("\n".join(sorted(made)).encode()).hexdigest()[:16] if made else ""


def _document(
    track: Track, parts: Sequence[AnalysisPart], corrections: Sequence[Correction], cues: Sequence[CueView]
) -> dict[str, Any]:
    """The analysis document of the newest parts with what people added; {} before there is anything to say."""
    if not parts and not corrections and not cues:
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
    said = [{"slot": cue.slot, "t_s": cue.t_s, "name": cue.name, "colour": cue.colour} for cue in cues]
    return {**corrected(analysis_document(source, stages), corrections), "cue_points": said}


def _region(job: Job) -> tuple[float, float] | None:
    start, stop = (job.params.get("options") or {}).get("region_s") or (None, None)
    return None if start is None or stop is None else (start, stop)


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
            why=str(jobs[job_id].result.get("why", "")),
            region_s=_region(jobs[job_id]),
        )
        for job_id, members in sets.items()
    )
