"""The two ways a row leaves a run without success, as statements of one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.jobs._fence import JOBS, Fence, Superseded
from soundforge.tables import Status


async def fail(
    session: AsyncSession, fence: Fence, *, code: str, sentence: str, stages_s: Sequence[tuple[str, float]] = ()
) -> None:
    """End the run for good; ``stages_s`` says how long its stages took. Raises ``Superseded``."""
    values: dict[str, Any] = {
        "status": Status.FAILED.value,
        "error_code": code,
        "error": sentence,
        "next_attempt_at": None,
        "finished_at": func.clock_timestamp(),
    }
    if stages_s:
        values["stages_s"] = list(stages_s)
    await _one(session, update(JOBS).where(fence.holds()).values(values))


async def requeue(
    session: AsyncSession, fence: Fence, *, code: str, sentence: str, next_attempt_at: datetime | None = None
) -> None:
    """End the run and queue its job again: two moves, one transaction. Raises ``Superseded``.

    The row keeps the cause until its next run begins, so that the page can say why it waits.
    """
    await fail(session, fence, code=code, sentence=sentence)
    failed = Fence(fence.job_id, fence.run, Status.FAILED)
    values = {"status": Status.QUEUED.value, "next_attempt_at": next_attempt_at, "finished_at": None}
    await _one(session, update(JOBS).where(failed.holds()).values(values))


async def _one(session: AsyncSession, statement: Any) -> None:
    row = (await session.execute(statement.returning(JOBS.c.id))).one_or_none()
    if row is None:
        msg = "the row no longer belongs to this run"
        raise Superseded(msg)
