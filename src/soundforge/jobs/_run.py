"""One start of a job, as the body of a worker sees it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import oban
from sqlalchemy import Row, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import db
from soundforge.errors import Broken
from soundforge.jobs._fence import JOBS, Fence, Superseded, patient_transaction
from soundforge.jobs._kinds import KINDS
from soundforge.jobs._node import Node, prefix_of
from soundforge.tables import Kind, Status

AWAY_LIMIT_S = 30.0  # how long a run waits for a database that went away
_FULL = 100


class Run:
    """One start of a job. What it writes counts only while the row's run and status are still its own."""

    def __init__(self, node: Node, row: Row[Any], oban_job: oban.Job, fault: Exception | None = None) -> None:
        """Describe the claimed ``row``; made by ``claim`` alone. ``fault``: what it is to fail with at once."""
        self.fault = fault
        self.node = node
        self.oban_job = oban_job
        self.job_id: UUID = row.id
        self.run: int = row.run
        self.kind = Kind(row.kind)
        self.queue = KINDS[self.kind].queue
        self.owner_id: UUID = row.owner_id
        self.track_id: UUID | None = row.track_id
        self.parent_id: UUID | None = row.parent_id
        self.params: dict[str, Any] = row.params
        self.attempt: int = row.attempt
        self.max_attempts: int = row.max_attempts
        self.folder: Path = node.run_folder(self.job_id, self.run)
        self.prefix = prefix_of(self.job_id, self.run)
        self.fence = Fence(self.job_id, self.run, Status(row.status))
        self.closing = False  # the completing transaction has begun: too late to stop
        self.finished = False  # and has committed
        self._gate = asyncio.Lock()  # one write of this run at a time: a tick never meets a move
        self._wanted = (0, "")
        self._told = (0, "")
        self._stages_s: dict[str, float] = {}
        self._stage_since = time.monotonic()

    def may_stop(self) -> bool:
        """Whether the run can still end otherwise: its completing transaction has not begun."""
        return not (self.closing or self.finished)

    def report(self, percent: float, stage: str = "") -> None:
        """Note how far the run is, 0–100; never blocks. Whole percents are written, at most twice a second."""
        progress, before = self._wanted
        if math.isfinite(percent):
            progress = max(progress, min(_FULL, int(percent)))
        if stage and stage != before:
            self._leave(before)
        self._wanted = (progress, stage or before)

    @property
    def stages_s(self) -> list[tuple[str, float]]:
        """How long each stage took until now, in the order in which they began; in seconds."""
        self._leave(self._wanted[1])
        return [(name, round(took_s, 2)) for name, took_s in self._stages_s.items()]

    def _leave(self, stage: str) -> None:
        """Add the time since the last change to the stage that ends; what came before any has a name of its own."""
        now = time.monotonic()
        name = stage or "getting ready"
        self._stages_s[name] = self._stages_s.get(name, 0.0) + now - self._stage_since
        self._stage_since = now

    def require_track(self) -> UUID:
        """Return the track that the job is about; raises ``Broken`` where it has none."""
        if self.track_id is None:
            msg = "This job is about no track."
            raise Broken(msg, code="no_track")
        return self.track_id

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction of this run: the row is locked, and nobody else's. Raises ``Superseded``."""
        async with self._gate, self._fenced() as session:
            yield session

    async def move(self, status: Status) -> None:
        """Move on to another running status, as from downloading to processing."""
        async with self._gate:
            async with self._fenced() as session:
                await session.execute(update(JOBS).where(JOBS.c.id == self.job_id).values(status=status.value))
            self.fence.status = status

    async def note(self, **params: Any) -> None:
        """Add to the job's params what later runs and its owner must know. Raises ``Superseded``."""
        async with self.writing() as session:
            await self.note_in(session, **params)

    async def note_in(self, session: AsyncSession, **params: Any) -> None:
        """The same inside a transaction of this run; a run whose transaction fails is over."""
        noted = JOBS.c.params.concat(cast(params, JSONB))
        await session.execute(update(JOBS).where(JOBS.c.id == self.job_id).values(params=noted))
        self.params = {**self.params, **params}

    @asynccontextmanager
    async def done(self, result: dict[str, Any] | None = None) -> AsyncIterator[AsyncSession]:
        """Open the completing transaction: what the block adds and ``completed`` commit together, or not at all.

        ``result`` may still be filled inside the block.
        """
        outcome = {} if result is None else result
        async with self._gate:
            try:
                async with self._fenced() as session:
                    self.closing = True
                    yield session
                    ended = {"status": Status.COMPLETED.value, "progress": _FULL, "finished_at": func.now()}
                    told = {"result": outcome, "stages_s": self.stages_s}
                    await session.execute(update(JOBS).where(JOBS.c.id == self.job_id).values(**ended, **told))
                self.finished = True
            finally:
                self.closing = False

    @property
    def has_news(self) -> bool:
        """Whether something was reported that no tick has written."""
        return self._wanted != self._told

    @property
    def is_writing(self) -> bool:
        """Whether the body is in a transaction of its own at the moment."""
        return self._gate.locked()

    async def tick(self) -> bool:
        """Write what was reported and ask whether to stop: one statement. Raises ``Superseded``."""
        async with self._gate:
            wanted = self._wanted
            async with db.transaction() as session:
                asked = (await session.execute(self._tick_statement(wanted))).one_or_none()
            if asked is None:
                msg = f"run {self.run} of job {self.job_id} no longer has the job"
                raise Superseded(msg)
            self._told = wanted
        return asked[0] is not None

    def _tick_statement(self, wanted: tuple[int, str]) -> Any:
        if wanted == self._told:
            return select(JOBS.c.cancel_requested_at).where(self.fence.holds())
        progress, stage = wanted
        values = {"progress": func.greatest(JOBS.c.progress, progress), "stage": stage}
        return update(JOBS).where(self.fence.holds()).values(values).returning(JOBS.c.cancel_requested_at)

    @asynccontextmanager
    async def _fenced(self) -> AsyncIterator[AsyncSession]:
        limit_s = self.node.scaled(AWAY_LIMIT_S)
        async with patient_transaction(self.fence.lock, limit_s=limit_s, give_up=self.node.stopping.is_set) as session:
            yield session
