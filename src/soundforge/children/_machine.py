"""The memory of the machine, or of the container around us."""

from pathlib import Path

import psutil

_MB = 1 << 20
_CGROUP = Path("/sys/fs/cgroup")


def total_mb() -> int:
    """Return the memory of the machine, or of the container around us, in MB."""
    machine = psutil.virtual_memory().total
    limit = _read(_CGROUP / "memory.max")
    return int(min(machine, limit or machine)) // _MB


def available_mb() -> int:
    """Return what could be used now without swapping, in MB."""
    machine = psutil.virtual_memory().available
    limit, used = _read(_CGROUP / "memory.max"), _read(_CGROUP / "memory.current")
    return int(min(machine, limit - used if limit and used else machine)) // _MB


def _read(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
