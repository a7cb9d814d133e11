"""Where a track's audio may be, and what was told about songs and albums elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.library._types import NewCandidate
from soundforge.tables import Candidate, SourceAnswer

KEEP_ANSWERS = timedelta(days=30)


async def add_candidates(
    session: AsyncSession, owner_id: UUID, track_id: UUID, job_id: UUID, found: Sequence[NewCandidate]
) -> None:
    """Keep what a download found, the best first, in place of what an earlier run of the same job did."""
    await session.execute(delete(Candidate).where(Candidate.job_id == job_id))
    rows = [
        {
            "id": uuid4(),
            "owner_id": owner_id,
            "track_id": track_id,
            "job_id": job_id,
            "place": place,
            "title": one.title,
            "channel": one.channel,
            "duration_ms": one.duration_ms,
            "score": one.score,
            "url": one.url,
            "is_chosen": one.is_chosen,
        }
        for place, one in enumerate(found)
    ]
    if rows:
        await session.execute(insert(Candidate), rows)


async def list_candidates(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Sequence[Candidate]:
    """What the downloads of a track found, the newest download first, each in order of its places."""
    mine = select(Candidate).where(Candidate.owner_id == owner_id, Candidate.track_id == track_id)
    return (await session.scalars(mine.order_by(Candidate.created_at.desc(), Candidate.place))).all()


async def get_candidate(session: AsyncSession, owner_id: UUID, track_id: UUID, candidate_id: UUID) -> Candidate:
    """One of the candidates of the owner's track; raises ``NotFound``."""
    mine = select(Candidate).where(Candidate.owner_id == owner_id, Candidate.track_id == track_id)
    found = await session.scalar(mine.where(Candidate.id == candidate_id))
    if found is None:
        raise NotFound("There is no such source any more.", code="candidate_not_found")
    return found


async def find_answer(session: AsyncSession, kind: str, source_id: str) -> Mapping[str, Any] | None:
    """What was told about a song or an album, if that is not too long ago."""
    fresh = SourceAnswer.read_at > datetime.now(UTC) - KEEP_ANSWERS
    same = (SourceAnswer.kind == kind, SourceAnswer.source_id == source_id)
    return await session.scalar(select(SourceAnswer.answer).where(*same, fresh))


async def keep_answer(session: AsyncSession, kind: str, source_id: str, answer: Mapping[str, Any]) -> None:
    """Keep what was told about a song or an album."""
    fresh = {"answer": dict(answer), "read_at": datetime.now(UTC)}
    adding = insert(SourceAnswer).values(id=uuid4(), kind=kind, source_id=source_id, **fresh)
    keyed = [SourceAnswer.kind, SourceAnswer.source_id]
    await session.execute(adding.on_conflict_do_update(index_elements=keyed, set_=fresh))
