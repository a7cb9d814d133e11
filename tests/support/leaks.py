"""Rule 13: what a test starts, a fixture of it ends. These checks fail the test that leaves something behind."""

import asyncio
import os
import time
from pathlib import Path

import psutil

_kept: set[int] = set()
_LISTS = Path(f"/proc/self/task/{os.getpid()}/children")
_GRACE_S = 2.0  # a killed child needs a moment to be reaped


def keep_process(pid: int) -> None:
    """Say that a fixture of the whole session owns this process (a browser, a server) and will end it."""
    _kept.add(pid)


def our_children() -> set[psutil.Process]:
    """Processes below this one that no session fixture owns; helpers of multiprocessing excepted."""
    found: set[psutil.Process] = set()
    parents = [os.getpid()]
    while parents:
        for child in _children(parents.pop()):
            if child.pid not in _kept:
                parents.append(child.pid)
                found |= {child} if _counts(child) else set()
    return found


def leaked_children(before: set[psutil.Process]) -> list[str]:
    """Children that were not there before the test and do not go away by themselves."""
    deadline = time.monotonic() + _GRACE_S
    left = our_children() - before
    while left and time.monotonic() < deadline:
        psutil.wait_procs(left, timeout=0.05)
        left = our_children() - before
    return [_name(process) for process in left]


def leaked_tasks(before: set[asyncio.Task[object]]) -> list[str]:
    """Tasks of the test's loop that are still there after its fixtures were torn down."""
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    return [str(task) for task in left if not task.done()]


def _children(pid: int) -> list[psutil.Process]:
    """The children of a process, by the kernel's own list where it keeps one; psutil would look at every process."""
    try:
        if not _LISTS.exists():
            return list(psutil.Process(pid).children())
        lists = [listed.read_text() for listed in Path(f"/proc/{pid}/task").glob("*/children")]
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):  # it has ended
        return []
    return [process for listed in lists for child in listed.split() if (process := _process(int(child)))]


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _counts(process: psutil.Process) -> bool:
    try:
        return not any("multiprocessing.resource_tracker" in part for part in process.cmdline())
    except psutil.ZombieProcess:
        return True  # nobody waited for it: that is a leak as well
    except psutil.NoSuchProcess:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}: not waited for"


async def end_oban_leftovers() -> None:
    """End what oban's notifier forgets to stop once it had to reconnect: tasks of its own, without work."""
    left = [task for task in asyncio.all_tasks() if "PostgresNotifier" in repr(task.get_coro())]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
