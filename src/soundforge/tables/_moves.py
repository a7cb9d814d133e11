"""Job kinds, their status moves, and nothing else: the one place where both are declared.

The trigger on ``jobs``, the guarded updates of a run, the buttons of a page and the diagram in the
documents are derived from ``MOVES``.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a job does."""

    IMPORT = "import"
    DOWNLOAD = "download"
    SEPARATION = "separation"
    ANALYSIS = "analysis"
    EXPORT = "export"
    MAINTENANCE = "maintenance"


class Status(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


type Moves = dict[Status, frozenset[Status]]

_WORK: Moves = {
    Status.QUEUED: frozenset({Status.PROCESSING, Status.FAILED}),
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),
}
_DOWNLOAD: Moves = {
    Status.QUEUED: frozenset({Status.DOWNLOADING, Status.FAILED}),
    Status.DOWNLOADING: frozenset({Status.PROCESSING, Status.COMPLETED, Status.FAILED}),
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),
}

MOVES: dict[Kind, Moves] = {kind: _DOWNLOAD if kind is Kind.DOWNLOAD else _WORK for kind in Kind}
ACTIVE = frozenset({Status.QUEUED, Status.DOWNLOADING, Status.PROCESSING})
RUNNING = frozenset({Status.DOWNLOADING, Status.PROCESSING})
TERMINAL = frozenset({Status.COMPLETED, Status.FAILED})


def may_move(kind: Kind, now: Status, then: Status) -> bool:
    """Whether a job of ``kind`` may go from ``now`` to ``then``."""
    return then in MOVES[kind].get(now, frozenset())
