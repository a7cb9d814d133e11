"""Following jobs from a command: bars on a terminal, a line per change elsewhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from soundforge import app, jobs, views
from soundforge.cli._output import console, say
from soundforge.config import Settings
from soundforge.db import reading
from soundforge.events import open_listener
from soundforge.tables import TERMINAL
from soundforge.views import JobView

_LOOK_S = 2.0  # also without an event: a notification may be lost while the database is away


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


async def follow(owner_id: UUID, job_ids: list[UUID], show: Show) -> list[JobView]:
    """Wait until these jobs and what they started are finished; gives how each ended."""
    async with open_listener() as listener:
        with listener.subscribe(owner_id) as inbox, show.on_terminal():
            while True:
                found = await _family(owner_id, job_ids)
                show.update(found)
                if all(job.status in TERMINAL for job in found):
                    return found
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(inbox.take(), _LOOK_S)


async def _family(owner_id: UUID, job_ids: list[UUID]) -> list[JobView]:
    async with reading() as session:
        return await views.list_family(session, owner_id, job_ids)


@asynccontextmanager
async def open_help(rooms: app.Rooms) -> AsyncIterator[None]:
    """Work every queue here that no living worker serves."""
    async with reading() as session:
        nodes = (await jobs.queue_figures(session)).nodes
    served = {node.queue for node in nodes if node.silent_s < jobs.STALE_S and not node.paused}
    missing = {queue: limit for queue, limit in jobs.QUEUE_LIMITS.items() if queue not in served}
    if not missing:
        yield
        return
    queues = ",".join(f"{queue}:{limit}" for queue, limit in missing.items())
    helping: Settings = rooms.settings.model_copy(update={"queues": queues})
    async with app.open_workers(app.Rooms(helping, rooms.dsn, rooms.storage)):
        yield
