"""Where environments lie, and how one comes and goes.

``<folder>/<tool>/<version>-<digest>/`` is one, complete or not there at all: it is made under another name, proved,
and moved into place. ``current`` names the one in use. The one before it stays, for a program that still runs in it.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundforge.children import Limits, call, runner
from soundforge.config import CHECKOUT, make_folder
from soundforge.errors import Broken, Unavailable

from ._table import TOOLS, Tool, digest, get_tool

type OnProgress = Callable[[float, str], None]

_LIMITS = Limits(total_s=3600, silence_s=300)
_ABOUT = "tool.json"
_NEW = ".new-"
# What an installer may know of this machine: where packages come from, and how to get there.
_HANDED_ON = (
    *("HOME", "PATH", "LANG", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "PYENV_ROOT"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),  # a Python outside its prefix starts only with them
)
_HANDED_ON_PREFIXES = ("UV_", "PIP_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class ToolState:
    """How a tool stands here. ``version`` is "" where it is not installed; ``versions`` by package.

    ``is_current``: what is installed is what would be installed now.
    """

    tool: Tool
    version: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    python_version: str = ""
    is_current: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it can be used."""
        return bool(self.version)


class Tools:
    """The environments of one data folder."""

    def __init__(self, folder: Path, *, table: Mapping[str, Tool] = TOOLS) -> None:
        """``folder``: the studio's own, ``<data>/tools``; made when something is installed."""
        self._folder, self._table = folder, table

    def list(self) -> tuple[ToolState, ...]:
        """Tell how each tool of the table stands."""
        return tuple(self.get(name) for name in self._table)

    def get(self, name: str) -> ToolState:
        """Tell how a tool stands; raises NotFound ``tool_not_found``."""
        tool = get_tool(name, self._table)
        home = self._home(tool)
        about = _read_about(home) if home else None
        if home is None or about is None:
            return ToolState(tool)
        versions = {str(key): str(value) for key, value in about["versions"].items()}
        return ToolState(
            tool,
            version=versions[tool.shows[0]],
            versions=versions,
            python_version=str(about["python"]),
            is_current=about["lock"] == digest(self._lock_text(tool)),
        )

    def is_installed(self, name: str) -> bool:
        """Whether a tool can be used."""
        return self.get(name).is_installed

    def python(self, name: str) -> Path:
        """Return the interpreter of a tool's environment; raises Broken ``tool_missing``."""
        tool = get_tool(name, self._table)
        home = self._home(tool)
        if home is None or _read_about(home) is None:
            raise Broken(
                f"{tool.label}: not installed here. Install it in Settings, or with `soundforge tools install {name}`.",
                code="tool_missing",
            )
        return home / "bin" / "python"

    async def install(self, name: str, *, upgrade: bool = False, on_progress: OnProgress | None = None) -> ToolState:
        """Install what is locked, or with ``upgrade`` the newest that is wished for; what is there already stays.

        Raises NotFound ``tool_not_found``, Unavailable ``tool_busy`` and ``tool_not_installed``, Broken
        ``python_missing`` and ``installer_missing``.
        """
        tool = get_tool(name, self._table)
        place = self._folder / tool.name
        with _only_one(place, tool):
            _sweep(place)
            if not upgrade and self.get(name).is_current:
                return self.get(name)
            new = place / f"{_NEW}{secrets.token_hex(4)}"
            try:
                answer = await call(
                    runner("install_tool"),
                    self._request(tool, new, upgrade=upgrade),
                    folder=new,
                    limits=_LIMITS,
                    on_progress=on_progress,
                )
                self._move_in(tool, new, answer, upgrade=upgrade)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        return self.get(name)

    def _request(self, tool: Tool, new: Path, *, upgrade: bool) -> dict[str, Any]:
        """Write the lock into the new folder, and say what is to be done there."""
        new.mkdir(parents=True)
        lock = new / "lock.txt"
        lock.write_text(self._lock_text(tool))
        return {
            "uv": _find_uv(),
            "folder": str(new),
            "lock": str(lock),
            "wishes": str(tool.wishes) if upgrade else None,
            "overrides": str(tool.overrides) if tool.overrides else None,
            "pythons": list(tool.pythons),
            "by_pip": tool.by_pip,
            "roots": list(tool.roots),
            "first": tool.first,
            "proof": tool.proof,
            "shows": list(tool.shows),
            "label": tool.label,
            "disk_mb": tool.disk_mb,
            "env": {name: value for name, value in os.environ.items() if _is_handed_on(name)},
        }

    def _move_in(self, tool: Tool, new: Path, answer: Mapping[str, Any], *, upgrade: bool) -> None:
        """Give the finished environment its name, then point to it."""
        place, lock = new.parent, (new / "lock.txt").read_text()
        about = {"versions": answer["versions"], "python": answer["python"], "lock": digest(lock)}
        (new / "env" / _ABOUT).write_text(json.dumps(about))
        home = place / f"{answer['versions'][tool.shows[0]]}-{digest(lock, str(answer['python']))}"
        previous = self._home(tool)
        if home == previous:  # the same once more, because the old one was not whole
            home = home.with_name(f"{home.name}-{secrets.token_hex(2)}")
        shutil.rmtree(home, ignore_errors=True)
        (new / "env").replace(home)
        if upgrade:
            _write(place / "lock.txt", f"{_mark(tool)}\n{lock}")
        _write(place / "current", home.name)
        _remove_others(place, keep={home, previous})

    def _lock_text(self, tool: Tool) -> str:
        """Return the lock of the last upgrade, unless the studio has come with a newer one since; else the studio's."""
        with suppress(FileNotFoundError):
            mark, _, text = (self._folder / tool.name / "lock.txt").read_text().partition("\n")
            if mark == _mark(tool):
                return text
        return tool.lock.read_text()

    def _home(self, tool: Tool) -> Path | None:
        with suppress(FileNotFoundError):
            name = (self._folder / tool.name / "current").read_text()
            return self._folder / tool.name / name
        return None


def _mark(tool: Tool) -> str:
    return f"# newer than {digest(tool.lock.read_text())}"


def _read_about(home: Path) -> dict[str, Any] | None:
    """Read what an environment says of itself; None where it cannot be used (its interpreter may have gone)."""
    if not (home / "bin" / "python").exists():
        return None
    with suppress(FileNotFoundError):
        about: dict[str, Any] = json.loads((home / _ABOUT).read_text())
        return about
    return None


def _is_handed_on(name: str) -> bool:
    return name in _HANDED_ON or name.upper().startswith(_HANDED_ON_PREFIXES)


def _find_uv() -> str:
    for uv in (str(CHECKOUT / ".tools" / "bin" / "uv"), shutil.which("uv")):
        if uv and Path(uv).is_file():
            return uv
    raise Broken("The installer uv is missing: run `make setup`.", code="installer_missing")


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    new.write_text(text)
    new.replace(path)


def _sweep(place: Path) -> None:
    """Remove what installations left behind that were killed; only who holds the lock may ask for it."""
    for left in place.glob(f"{_NEW}*"):
        shutil.rmtree(left, ignore_errors=True)


def _remove_others(place: Path, *, keep: set[Path | None]) -> None:
    for home in place.iterdir():
        if home.is_dir() and home not in keep and not home.name.startswith(_NEW):
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _only_one(place: Path, tool: Tool) -> Iterator[None]:
    """Let one process at a time install a tool; raises Unavailable ``tool_busy``."""
    make_folder(place)
    with (place / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unavailable(f"{tool.label}: it is being installed at this moment.", code="tool_busy") from error
        yield
