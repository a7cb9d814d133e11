"""A track gets its audio, or other audio than it had."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound, Unavailable
from soundforge.events import TrackChanged, publish
from soundforge.library._corrections import forget_moments, set_figures
from soundforge.library._files import add_file, orphan_files
from soundforge.library._tracks import file_ids_of, flush_unique
from soundforge.library._types import Figures, NewAudio
from soundforge.tables import ACTIVE, AnalysisPart, CuePoint, Embedding, Job, Kind, Stem, Track

_AGAIN_S = 10.0


async def set_audio(
    session: AsyncSession, owner_id: UUID, track_id: UUID, new: NewAudio, *, source_url: str, is_doubtful: bool
) -> Track:
    """Give a track its audio. What was made of other audio before goes: stems, analysis, vectors, figures, cue points.

    Of what users put right the moments go; tempo, metre and key are the song's, and stay (docs/adr/0014).

    Raises ``NotFound``; ``Unavailable`` ("track_busy") while something is made of the audio that it has; ``Conflict``
    ("duplicate_audio") when another living track is made of the same bytes: then nothing of this transaction may stay.
    """
    track = await _hold(session, owner_id, track_id)
    cover_id = track.cover_file_id if new.cover is None else None
    left = await file_ids_of(session, track) - {cover_id}
    for file in filter(None, (new.audio, new.mix, new.cover)):
        await add_file(session, owner_id, file)
    for made in (Stem, AnalysisPart, Embedding, CuePoint):
        await session.execute(delete(made).where(made.track_id == track_id))
    await forget_moments(session, track_id)
    track.audio_file_id, track.mix_file_id = new.audio.id, new.mix.id
    track.cover_file_id = new.cover.id if new.cover else cover_id
    track.audio_sha256, track.frames, track.duration_ms = new.audio_sha256, new.frames, new.duration_ms
    track.sample_rate_hz, track.channels, track.format = new.sample_rate_hz, new.channels, new.format
    track.warnings = list(new.warnings)
    track.source_url, track.is_doubtful = source_url or None, is_doubtful
    track.updated_at = datetime.now(UTC)
    await flush_unique(session)
    await orphan_files(session, left)
    await set_figures(session, owner_id, track_id, Figures(bpm=None, musical_key=None, camelot=None))
    await publish(session, TrackChanged(owner_id=owner_id, track_id=track_id, fields=("audio", "duration")))
    return track


async def _hold(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Track:
    """Lock a track, so that nobody begins to work on it; raise when somebody does already."""
    living = select(Track).where(Track.id == track_id, Track.owner_id == owner_id, Track.deleted_at.is_(None))
    track = await session.scalar(living.with_for_update().execution_options(populate_existing=True))
    if track is None:
        raise NotFound("There is no such track in your library.", code="track_not_found")
    busy = select(Job.id).where(Job.track_id == track_id, Job.status.in_([status.value for status in ACTIVE]))
    busy = busy.where(Job.kind.in_([Kind.SEPARATION.value, Kind.ANALYSIS.value, Kind.EXPORT.value]))
    if (await session.scalars(busy.limit(1))).first() is not None:
        sentence = "The audio that this track has is being worked on; the new one waits for that."
        raise Unavailable(sentence, code="track_busy", retry_after_s=_AGAIN_S)
    return track
