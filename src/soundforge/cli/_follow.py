"""Following jobs from a command: bars on a terminal, a line per change elsewhere."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, views
from soundforge.cli._help import Help
from soundforge.cli._output import console, say
from soundforge.db import reading, transaction
from soundforge.errors import Conflict, Unavailable
from soundforge.events import open_listener
from soundforge.tables import ACTIVE, TERMINAL, Job
from soundforge.views import JobView

_LOOK_S = 2.0  # also without an event: a notification may be lost while the database is away
_AWAY_LIMIT_S = 30.0  # running jobs wait as long for it
_AGAIN_S = 0.2
_PASSING = {"database_away", "database_busy"}


@dataclass
class Show:
    """Shows how jobs get on."""

    quiet: bool = False
    to: Console = console
    bars: Progress | None = None
    _tasks: dict[UUID, TaskID] = field(default_factory=dict)
    _told: dict[UUID, str] = field(default_factory=dict)

    @contextmanager
    def on_terminal(self) -> Iterator["Show"]:
        """Draw bars while the block lasts, if this is a terminal and nobody asked for quiet."""
        if self.quiet or not self.to.is_terminal:
            yield self
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.to) as self.bars:
            yield self

    def update(self, found: list[JobView]) -> None:
        """Take in how the jobs are now."""
        for job in found:
            name = f"{job.kind:<10} {job.title}"
            if self.bars:
                if job.id not in self._tasks:
                    self._tasks[job.id] = self.bars.add_task(name, total=100)
                self.bars.update(self._tasks[job.id], completed=job.progress)
            elif not self.quiet and self._told.get(job.id) != job.status:
                say(f"{name}: {job.status}" + (f" - {job.error}" if job.error else ""))
            self._told[job.id] = job.status


async def ask(request: Callable[[AsyncSession], Awaitable[Job]]) -> UUID:
    """Ask for a job and give its id; where the same is under way, maybe of a command that was killed, take that up."""
    try:
        async with transaction() as session:
            return (await request(session)).id
    except Conflict as error:
        if error.code != "already_running" or "job_id" not in error.fields:
            raise
        return UUID(error.fields["job_id"])


async def follow(owner_id: UUID, job_ids: list[UUID], show: Show, helping: Help) -> list[JobView]:
    """Wait until these jobs and what they started are finished; gives how each ended.

    A database that is away is waited for, as by the jobs themselves. Raises ``Unavailable`` when it stays away.
    """
    followed = set(job_ids)
    async with open_listener() as listener:
        with listener.subscribe(owner_id) as inbox, show.on_terminal():
            while True:
                await patiently(helping.look)
                found = await patiently(lambda: _family(owner_id, followed))
                show.update(found)
                if all(job.status in TERMINAL for job in found):
                    return found
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(inbox.take(), _LOOK_S)


async def patiently[T](read: Callable[[], Awaitable[T]], *, limit_s: float = _AWAY_LIMIT_S) -> T:
    """Read, and read again for ``limit_s`` while the database is away or busy. Raises ``Unavailable`` after that."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return await read()
        except Unavailable as error:
            if error.code not in _PASSING or time.monotonic() >= deadline:
                raise
        await asyncio.sleep(_AGAIN_S)


async def _family(owner_id: UUID, followed: set[UUID]) -> list[JobView]:
    """Those followed and what they started; what still works on a track that was there already is followed, too."""
    async with reading() as session:
        found = await views.list_family(session, owner_id, sorted(followed))
        there = [UUID(job.result["track_id"]) for job in found if job.result.get("duplicate")]
        at_work = await jobs.list_track_jobs(session, owner_id, there) if there else []
        late = {job.id for job in at_work if job.status in ACTIVE} - followed
        followed |= late
        return await views.list_family(session, owner_id, sorted(followed)) if late else found
