"""The Oban workers: one class a kind, each with its body from a file of its own.

Oban stores the path of the class in its rows: never rename or move one that was released.
"""

from datetime import timedelta

from oban import worker
from sqlalchemy import select

from soundforge import jobs
from soundforge.db import reading
from soundforge.errors import Invalid
from soundforge.jobs import KINDS
from soundforge.pipeline._analysis import analyze
from soundforge.pipeline._download import download
from soundforge.pipeline._export import export
from soundforge.pipeline._import import import_upload
from soundforge.pipeline._maintenance import maintain
from soundforge.pipeline._pack import pack
from soundforge.pipeline._paste_import import import_paste
from soundforge.pipeline._ports import ports
from soundforge.pipeline._readiness import lacking
from soundforge.pipeline._render import render
from soundforge.pipeline._separation import separate
from soundforge.tables import Kind, Track

_ANALYSIS_MB = 700
_TOOL_AGAIN_S = 30.0


@worker(queue=KINDS[Kind.IMPORT].queue)
class ImportWorker(jobs.Worker):
    """Makes tracks of received bytes, of a paste, of a list."""

    async def body(self, run: jobs.Run) -> None:
        """Import."""
        await (import_paste(run) if "what" in run.params else import_upload(run))


@worker(queue=KINDS[Kind.DOWNLOAD].queue)
class DownloadWorker(jobs.Worker):
    """Fetches a track's audio."""

    async def body(self, run: jobs.Run) -> None:
        """Download."""
        await download(run)

    async def needs(self, candidate: jobs.Candidate) -> jobs.NotYet | None:  # noqa: ARG002 - any song
        """The downloader: a machine that has lost it leaves its songs queued, until it has paused the queue."""
        return jobs.NotYet(KINDS[Kind.DOWNLOAD].waits_for, _TOOL_AGAIN_S) if await lacking() else None


@worker(queue=KINDS[Kind.SEPARATION].queue)
class SeparationWorker(jobs.Worker):
    """Splits a track into stems."""

    async def body(self, run: jobs.Run) -> None:
        """Separate."""
        await separate(run)

    async def needs(self, candidate: jobs.Candidate) -> int | None:
        """Memory for the engine on a song of this length."""
        try:
            choice = ports().choose(candidate.params)
        except Invalid:  # the run itself will say so, on its row
            return None
        return choice.engine.needs_mb((await _duration(candidate)).total_seconds())


@worker(queue=KINDS[Kind.ANALYSIS].queue)
class AnalysisWorker(jobs.Worker):
    """Finds tempo, key, sections and the rest."""

    async def body(self, run: jobs.Run) -> None:
        """Analyse."""
        await analyze(run)

    async def needs(self, candidate: jobs.Candidate) -> int | None:  # noqa: ARG002 - any song
        """As much memory for any song: long ones are read in blocks."""
        return _ANALYSIS_MB


@worker(queue=KINDS[Kind.EXPORT].queue)
class ExportWorker(jobs.Worker):
    """Makes a file to take away."""

    async def body(self, run: jobs.Run) -> None:
        """Export."""
        body = pack if "tracks" in run.params else export if run.params.get("format") == "zip" else render
        await body(run)


@worker(queue=KINDS[Kind.MAINTENANCE].queue)
class MaintenanceWorker(jobs.Worker):
    """Looks after the instance."""

    async def body(self, run: jobs.Run) -> None:
        """Maintain."""
        await maintain(run)


async def _duration(candidate: jobs.Candidate) -> timedelta:
    async with reading() as session:
        found = await session.scalar(select(Track.duration_ms).where(Track.id == candidate.track_id))
    return timedelta(milliseconds=found or 0)
