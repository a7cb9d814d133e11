"""Memory that running jobs of this node have been promised, so that two large ones do not meet."""

from collections.abc import Callable
from uuid import UUID

from soundforge.children import available_mb, total_mb

_SHARE = 0.9  # of the machine that jobs may be promised together


class Memory:
    """Promises of memory, by job."""

    def __init__(self, total: Callable[[], int] = total_mb, available: Callable[[], int] = available_mb) -> None:
        """Measure with ``total`` and ``available``, both in MB."""
        self._total = total
        self._available = available
        self._promised: dict[UUID, int] = {}

    def promise(self, job_id: UUID, need_mb: int) -> str | None:
        """Promise ``need_mb`` to a job; when that does not fit, return why it must wait.

        A job that finds no other is let through whatever it needs: waiting would not help it.
        """
        promised = sum(mb for other, mb in self._promised.items() if other != job_id)
        free = min(int(self._total() * _SHARE) - promised, self._available())
        if promised and need_mb > free:
            return f"Waiting for memory: this needs {_gb(need_mb)} GB and {_gb(max(free, 0))} GB are free."
        self._promised[job_id] = need_mb
        return None

    def release(self, job_id: UUID) -> None:
        """Take a promise back."""
        self._promised.pop(job_id, None)


def _gb(mb: int) -> str:
    return f"{mb / 1024:.1f}"
