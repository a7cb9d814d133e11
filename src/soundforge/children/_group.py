"""A process group: who is in it, what it uses, how it ends, and how a later process recognises it.

The group is remembered in ``child-<id>.json`` in the child's folder. A number alone proves nothing, for the kernel
uses numbers again: a process belongs to the group if it carries the group's token in its environment, or if it leads
the group and started when the record says.
"""

import asyncio
import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from soundforge import logs

from ._environment import TOKEN

_GRACE_S = 0.5  # between the request to end and the end; a cancelled job's group has 2 s with all that comes before
_KILL_S = 5.0  # a killed group is gone long before, unless the kernel holds it
_SAME_START_S = 2.0

log = logs.get(__name__)


@dataclass(frozen=True)
class Group:
    """A process group by its id (the pid of its first process), as written to the record."""

    id: int
    token: str
    started_at: float  # seconds since 1970
    program: str

    def record(self, folder: Path) -> Path:
        """Return the path of the record in ``folder``."""
        return folder / f"child-{self.id}.json"

    def members(self) -> list[psutil.Process]:
        """List the living processes of the group, grandchildren included."""
        found = (_process(pid) for pid in psutil.pids() if _group_of(pid) == self.id)
        return [process for process in found if process and _lives(process)]

    def rss_bytes(self) -> int:
        """Add up the resident memory of all members, in bytes."""
        total = 0
        for process in self.members():
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def send(self, number: signal.Signals) -> None:
        """Signal the whole group; one that is gone already is fine."""
        with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
            os.killpg(self.id, number)

    async def end(self) -> bool:
        """SIGTERM, a moment of grace, SIGKILL; return when no member is left. The leader must not be reaped yet.

        False after some seconds where the kernel holds one, as it does while a disk does not answer.
        """
        self.send(signal.SIGTERM)
        if await self._gone_within(_GRACE_S):
            return True
        self.send(signal.SIGKILL)
        gone = await self._gone_within(_KILL_S)
        if not gone:
            log.error("child_group_survives", group=self.id, program=self.program)
        return gone

    async def _gone_within(self, seconds: float) -> bool:
        until, pause = time.monotonic() + seconds, 0.002
        while self.members():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)
        return True


def write_record(group: Group, folder: Path) -> None:
    """Leave word of the group in its folder, for a sweep after we died."""
    group.record(folder).write_text(json.dumps(asdict(group)))


def sweep(folder: Path) -> list[int]:
    """Kill every group recorded below ``folder`` that survived its parent; give the ids of those killed.

    Blocks up to some seconds; for a node's start and for ``db verify``, in folders whose owner is known to be dead.
    """
    killed = []
    for path in sorted(folder.rglob("child-*.json")):
        group = _read_record(path)
        if group and any(_is_ours(process, group) for process in group.members()):
            group.send(signal.SIGKILL)
            psutil.wait_procs(group.members(), timeout=_KILL_S)
            killed.append(group.id)
        path.unlink(missing_ok=True)
    return killed


def find_living(folder: Path) -> dict[int, Path]:
    """Find the groups that work somewhere below ``folder``, each with its own folder; kills nothing.

    By their records, and by what the processes themselves carry, for a record may be lost with its folder.
    """
    found = {}
    for path in sorted(folder.rglob("child-*.json")):
        group = _read_record(path)
        if group and any(_is_ours(process, group) for process in group.members()):
            found[group.id] = path.parent
    for process in psutil.process_iter():
        home, group_id = _home(process), _group_of(process.pid)
        if home and group_id is not None and home.is_relative_to(folder) and _lives(process):
            found.setdefault(group_id, home)
    return found


def _home(process: psutil.Process) -> Path | None:
    """The folder of the child that a process belongs to, where it belongs to one."""
    with suppress(psutil.Error):
        environment = process.environ()
        if TOKEN in environment and "HOME" in environment:
            return Path(environment["HOME"])
    return None


def _read_record(path: Path) -> Group | None:
    try:
        return Group(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        log.warning("child_record_unreadable", path=str(path))
        return None


def _is_ours(process: psutil.Process, group: Group) -> bool:
    with suppress(psutil.Error):
        if process.environ().get(TOKEN) == group.token:
            return True
    with suppress(psutil.Error):
        return bool(process.pid == group.id and abs(process.create_time() - group.started_at) < _SAME_START_S)
    return False


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False
