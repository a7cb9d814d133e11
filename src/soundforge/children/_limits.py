"""What a child may use."""

from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one request. ``memory_mb`` holds for the whole group, ``output_mb`` for all files in its folder."""

    total_s: float
    silence_s: float = 60
    memory_mb: int | None = None
    output_mb: int | None = None


def folder_bytes(folder: Path) -> int:
    """Add up the sizes of the files below ``folder``, links not followed. Files may vanish meanwhile."""
    total = 0
    for parent, _folders, files in folder.walk():
        for name in files:
            try:
                total += (parent / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
