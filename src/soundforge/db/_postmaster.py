"""Who is meant by ``postmaster.pid``: our living server, a dead one, or a stranger who got its number."""

from pathlib import Path

import psutil

# Above every pid a kernel gives out (Linux: at most 4194304; macOS: 99998).
_NOBODY_S_PID = 4194305


def find_postmaster(cluster: Path, name: str) -> int | None:
    """Return the pid of the living postmaster that serves ``cluster`` under the cluster name ``name``.

    The number alone proves nothing: after a crash or a container's restart it may belong to any
    process, and a postmaster that nobody has reaped yet is a zombie. Its command line is readable
    for every account, unlike its working folder.
    """
    pid = _read_pid(cluster)
    if pid is None:
        return None
    try:
        return pid if f"cluster_name={name}" in psutil.Process(pid).cmdline() else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # ZombieProcess is a NoSuchProcess
        return None


def disown_stale(cluster: Path) -> None:
    """Make a left-over ``postmaster.pid`` name no process, so that PostgreSQL does not take a stranger for itself.

    Only to be called when :func:`find_postmaster` gave None. The file itself stays: its last line
    names the shared memory by which PostgreSQL refuses to start beside surviving backends.
    """
    pid = _read_pid(cluster)
    if pid is None or not psutil.pid_exists(pid):
        return
    path = cluster / "postmaster.pid"
    _first, _newline, rest = path.read_text(encoding="utf-8").partition("\n")
    with path.open("r+", encoding="utf-8") as file:  # in place: keeps its owner
        file.write(f"{_NOBODY_S_PID}\n{rest}")
        file.truncate()


def clear_sockets(folder: Path) -> None:
    """Remove socket and socket lock of a server that is gone; the lock would be misread like the pid file."""
    for entry in folder.iterdir():
        entry.unlink(missing_ok=True)


def _read_pid(cluster: Path) -> int | None:
    try:
        first = (cluster / "postmaster.pid").read_text(encoding="utf-8").partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first) if first.strip().isdigit() else None
