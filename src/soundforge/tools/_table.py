"""Which environments there are. A new one is an entry here and two files in ``locks/``; the rest follows.

``locks/<name>.in`` says what is wanted, ``locks/<name>.override`` (if any) what overrules a package's own wishes, and
``make lock`` writes ``locks/<name>.txt``: every package with version and hashes, and no address.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from soundforge.errors import NotFound

LOCKS: Final = Path(__file__).with_name("locks")


@dataclass(frozen=True)
class Tool:
    """One environment: what it is for, under which Python, and how one sees that it works.

    ``pythons`` are versions of the interpreter that will do, the best first. ``proof`` is a Python statement that must
    run in a new environment before it counts. ``shows`` names the packages whose versions people want to know; the
    first one's names the environment. ``by_pip``: pip installs it, where an index or its wheels are only in pip's
    configuration; else uv does. pip takes from the lock only what the packages that it finds here ask for.
    """

    name: str
    label: str
    purpose: str
    pythons: tuple[str, ...]
    proof: str
    shows: tuple[str, ...]
    disk_mb: int
    by_pip: bool = False
    locks: Path = LOCKS

    @property
    def wishes(self) -> Path:
        """What is asked for, and may be asked for anew by an upgrade."""
        return self.locks / f"{self.name}.in"

    @property
    def overrides(self) -> Path | None:
        """What overrules the wishes of the packages themselves, where that is needed."""
        path = self.locks / f"{self.name}.override"
        return path if path.is_file() else None

    @property
    def roots(self) -> tuple[str, ...]:
        """The names of the packages that are asked for."""
        return tuple(name.lower() for name in re.findall(r"^([A-Za-z0-9-]+)", self.wishes.read_text(), re.MULTILINE))

    @property
    def first(self) -> dict[str, str]:
        """Lines of builds that are tried before those of the lock, by package: smaller, but not on every index."""
        path = self.locks / f"{self.name}.first"
        lines = path.read_text().splitlines() if path.is_file() else []
        return {line.partition("==")[0]: line for line in lines if "==" in line}

    @property
    def lock(self) -> Path:
        """What this version of the studio was released with."""
        return self.locks / f"{self.name}.txt"


TOOLS: Final[dict[str, Tool]] = {
    tool.name: tool
    for tool in (
        Tool(
            name="downloader",
            label="Downloader",
            purpose="Fetches songs from YouTube, SoundCloud and Bandcamp, with spotdl and yt-dlp.",
            pythons=("3.12", "3.13"),
            proof="import deno, imageio_ffmpeg, mutagen, rapidfuzz, spotdl, yt_dlp, yt_dlp_ejs, ytmusicapi",
            shows=("spotdl", "yt-dlp", "deno", "imageio-ffmpeg"),
            disk_mb=400,
        ),
        Tool(
            name="demucs",
            label="Demucs with torch",
            purpose="Separates with the demucs package: all its models, and on a graphics card.",
            pythons=("3.11", "3.12", "3.13"),
            proof="import demucs.apply, numpy, safetensors, soundfile, soxr, torch; torch.zeros(2).sum()",
            shows=("demucs", "torch", "numpy"),
            disk_mb=1200,
            by_pip=True,
        ),
    )
}


def get_tool(name: str, table: Mapping[str, Tool] = TOOLS) -> Tool:
    """Return an entry of the table; raises NotFound ``tool_not_found``."""
    if name not in table:
        raise NotFound(f"There is no such tool. There are: {', '.join(table)}.", code="tool_not_found")
    return table[name]


def digest(*parts: str) -> str:
    """Return twelve letters that stand for these texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
