"""Looking at processes from tests."""

from collections.abc import Iterable

import psutil


def none_left(pids: Iterable[int], *, within_s: float = 10) -> bool:
    """Whether all these processes end (or are zombies nobody reaps) before the deadline."""
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return all(not process.is_running() or process.status() == psutil.STATUS_ZOMBIE for process in alive)
