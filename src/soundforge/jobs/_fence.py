"""The fence around a run: a write counts only while the row still belongs to that run."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import db
from soundforge.errors import Unavailable
from soundforge.tables import Job, Status

JOBS: Table = Job.metadata.tables["jobs"]
AWAY = "database_away"
_PASSING = {AWAY, "database_busy"}
_AGAIN_S = 0.1


class Superseded(Exception):
    """The row no longer belongs to this run. Stop, kill the child, write nothing."""


@dataclass
class Fence:
    """Which row, which run of it, and the status that this run last gave it."""

    job_id: UUID
    run: int
    status: Status

    def holds(self) -> ColumnElement[bool]:
        """Return the condition under which the run may write."""
        return and_(JOBS.c.id == self.job_id, JOBS.c.run == self.run, JOBS.c.status == self.status.value)

    async def lock(self, session: AsyncSession) -> datetime | None:
        """Lock the row and return when its cancellation was asked for. Raises ``Superseded``."""
        statement = select(JOBS.c.cancel_requested_at).where(self.holds()).with_for_update(key_share=True)
        row = (await session.execute(statement)).one_or_none()
        if row is None:
            msg = f"run {self.run} of job {self.job_id} no longer has the job"
            raise Superseded(msg)
        asked: datetime | None = row[0]
        return asked


@asynccontextmanager
async def patient_transaction(
    begin: Callable[[AsyncSession], Awaitable[object]], *, limit_s: float, give_up: Callable[[], bool] = lambda: False
) -> AsyncIterator[AsyncSession]:
    """Open a transaction once the database answers, waiting up to ``limit_s`` while it is away or busy.

    ``begin`` does the first reads; only until it is through can anything be tried again. Raises
    ``Unavailable`` ("database_away", "database_busy") when the wait was in vain, or ``give_up()`` says so.
    """
    deadline = time.monotonic() + limit_s
    while True:
        begun = False
        try:
            async with db.transaction() as session:
                await begin(session)
                begun = True
                yield session
        except Unavailable as error:
            if begun or error.code not in _PASSING or give_up() or time.monotonic() >= deadline:
                raise
        else:
            return
        await _wait_a_little(deadline)


async def _wait_a_little(deadline: float) -> None:
    """Wait for the database, but never long without looking up; a busy one answers at once and needs a pause."""
    try:
        await db.wait_until_back(min(1.0, max(0.0, deadline - time.monotonic())))
    except Unavailable as error:
        if error.code not in _PASSING:
            raise
    await asyncio.sleep(min(_AGAIN_S, max(0.0, deadline - time.monotonic())))
