"""What the six kinds of jobs are, declared once: queue, worker, attempts, back-off, time limit.

``worker_path`` lies in Oban's rows for as long as a job does: a path that was ever released must
resolve for ever.
"""

from dataclasses import dataclass
from datetime import timedelta

from soundforge.tables import MOVES, RUNNING, Kind, Status

_MINUTE_S = 60.0
_HOUR_S = 60 * _MINUTE_S

KEEP_UPLOADS = timedelta(days=1)  # so long the received file of a failed import waits to be tried again


@dataclass(frozen=True)
class KindSpec:
    """How jobs of one kind are worked."""

    queue: str
    worker_path: str
    backoff_s: float  # before the second attempt; each further wait is four times as long
    limit_s: float  # of one run
    attempts: int = 3
    waits_for: str = ""  # one sentence, told while every node leaves its jobs to others


KINDS: dict[Kind, KindSpec] = {
    Kind.IMPORT: KindSpec("imports", "soundforge.pipeline.ImportWorker", 5, 2 * _HOUR_S),
    Kind.DOWNLOAD: KindSpec(
        *("download", "soundforge.pipeline.DownloadWorker", 30, 30 * _MINUTE_S),
        waits_for="The downloader is not installed: these songs are fetched as soon as it is, in Settings or by"
        " `soundforge tools install downloader`; files can be uploaded without it.",
    ),
    Kind.SEPARATION: KindSpec("processing", "soundforge.pipeline.SeparationWorker", 10, 6 * _HOUR_S),
    Kind.ANALYSIS: KindSpec("analysis", "soundforge.pipeline.AnalysisWorker", 10, 2 * _HOUR_S),
    Kind.EXPORT: KindSpec("exports", "soundforge.pipeline.ExportWorker", 5, _HOUR_S),
    Kind.MAINTENANCE: KindSpec("maintenance", "soundforge.pipeline.MaintenanceWorker", 30, 2 * _HOUR_S),
}

QUEUE_LIMITS = {"imports": 2, "download": 3, "processing": 2, "analysis": 2, "exports": 1, "maintenance": 1}


def first_status(kind: Kind) -> Status:
    """Return the status that a claim moves a job of ``kind`` to."""
    (first,) = MOVES[kind][Status.QUEUED] & RUNNING
    return first


def backoff_s(kind: Kind, attempt: int) -> float:
    """Return how long to wait after ``attempt`` (1, 2, …) failed, before clocks are scaled."""
    return float(KINDS[kind].backoff_s * 4 ** (max(attempt, 1) - 1))
