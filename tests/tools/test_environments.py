import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from soundforge.errors import Broken, NotFound, SoundForgeError, Unavailable
from soundforge.tools import Tool, Tools
from tests.support.wheels import write_lock, write_wheel


class Bench:
    """A table with one tool whose package lies in a folder, and the environments made of it."""

    def __init__(self, folder: Path) -> None:
        self.wheels, self.locks, self.data = folder / "wheels", folder / "locks", folder / "data"
        self.tool = Tool(
            name="bell",
            label="Bell",
            purpose="Rings.",
            pythons=(f"{sys.version_info[0]}.{sys.version_info[1]}",),
            proof="import bell",
            shows=("bell",),
            disk_mb=1,
            locks=self.locks,
        )
        self.release("1.0")
        (self.locks / "bell.in").write_text("bell>=1\n")

    def release(self, version: str, *, code: str = "", locked: bool = True) -> None:
        sha = write_wheel(self.wheels, "bell", version, code=code)
        if locked:
            write_lock(self.locks / "bell.txt", {"bell": (version, sha)})

    def tools(self, **changes: object) -> Tools:
        return Tools(self.data, table={"bell": replace(self.tool, **changes)})  # type: ignore[arg-type]  # fields of Tool

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.data / "bell").iterdir() if path.name.startswith(".new"))

    def homes(self) -> list[str]:
        return sorted(path.name.split("-")[0] for path in (self.data / "bell").iterdir() if path.is_dir())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path)
    for name, value in {
        "UV_FIND_LINKS": str(made.wheels),
        "UV_NO_INDEX": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_FIND_LINKS": str(made.wheels),
        "PIP_NO_INDEX": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return made


async def refusal(work: object) -> SoundForgeError:
    with pytest.raises(SoundForgeError) as caught:
        await work  # type: ignore[misc]  # a coroutine
    assert caught.value.sentence.endswith(".")
    return caught.value


def said_by(python: Path, code: str) -> str:
    return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout


def test_what_is_not_installed_says_how_to_install_it(bench: Bench) -> None:
    tools = bench.tools()
    assert not tools.is_installed("bell")
    with pytest.raises(Broken) as caught:
        tools.python("bell")
    assert caught.value.code == "tool_missing"
    assert "soundforge tools install bell" in caught.value.sentence


def test_a_name_that_is_not_in_the_table_is_refused(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.tools().get("../../etc")


async def test_an_installed_tool_has_an_interpreter_of_its_own(bench: Bench) -> None:
    seen: list[tuple[float, str]] = []
    state = await bench.tools().install("bell", on_progress=lambda *told: seen.append(told))
    assert (state.version, state.is_current, state.versions) == ("1.0", True, {"bell": "1.0"})
    where = said_by(bench.tools().python("bell"), "import bell, sys; print(bell.__file__, sys.prefix)").split()
    assert all(path.startswith(str(bench.data / "bell" / "1.0-")) for path in where)
    assert [percent for percent, _ in seen] == sorted(percent for percent, _ in seen)
    assert {"making the environment", "fetching", "checking"} <= {stage for _, stage in seen}
    assert bench.left() == []


async def test_what_is_there_already_is_not_made_again(bench: Bench) -> None:
    await bench.tools().install("bell")
    seen: list[float] = []
    await bench.tools().install("bell", on_progress=lambda percent, _: seen.append(percent))
    assert seen == []


async def test_a_wrong_hash_installs_nothing(bench: Bench) -> None:
    write_lock(bench.locks / "bell.txt", {"bell": ("1.0", "0" * 64)})
    error = await refusal(bench.tools().install("bell"))
    assert (error.code, isinstance(error, Unavailable)) == ("tool_not_installed", True)
    assert "ash" in error.sentence
    assert (bench.left(), bench.homes(), bench.tools().is_installed("bell")) == ([], [], False)


async def test_what_does_not_run_replaces_nothing(bench: Bench) -> None:
    await bench.tools().install("bell")
    before = bench.tools().python("bell")
    bench.release("2.0", code="raise ImportError('cracked')")
    error = await refusal(bench.tools().install("bell"))
    assert "cracked" in error.sentence
    assert (bench.tools().python("bell"), bench.tools().get("bell").version) == (before, "1.0")
    assert not bench.tools().get("bell").is_current
    assert bench.left() == []


async def test_an_upgrade_takes_the_newest_that_is_wished_for(bench: Bench) -> None:
    await bench.tools().install("bell")
    bench.release("1.5", locked=False)
    state = await bench.tools().install("bell", upgrade=True)
    assert (state.version, state.is_current) == ("1.5", True)
    assert (await bench.tools().install("bell")).version == "1.5", "installing again does not go back"
    assert "--hash=sha256:" in (bench.data / "bell" / "lock.txt").read_text()
    assert "://" not in (bench.data / "bell" / "lock.txt").read_text()


async def test_a_newer_lock_of_the_studio_ends_an_upgrade(bench: Bench) -> None:
    bench.release("1.5", locked=False)
    await bench.tools().install("bell", upgrade=True)
    bench.release("1.7")
    assert not bench.tools().get("bell").is_current
    assert (await bench.tools().install("bell")).version == "1.7"


async def test_only_the_one_before_stays(bench: Bench) -> None:
    for version in ("1.0", "1.1", "1.2"):
        bench.release(version)
        await bench.tools().install("bell")
    assert bench.homes() == ["1.1", "1.2"]


async def test_a_python_that_is_not_here_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    error = await refusal(bench.tools(pythons=("3.99",)).install("bell"))
    assert (error.code, "Python 3.99" in error.sentence) == ("python_missing", True)
    assert (bench.left(), bench.homes()) == ([], [])


async def test_pip_installs_where_the_table_says_so(bench: Bench) -> None:
    assert (await bench.tools(by_pip=True).install("bell")).version == "1.0"


async def test_a_cancelled_installation_leaves_nothing(bench: Bench) -> None:
    begun = asyncio.Event()
    work = asyncio.create_task(bench.tools().install("bell", on_progress=lambda *_: begun.set()))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (bench.left(), bench.homes()) == ([], [])
    assert (await bench.tools().install("bell")).is_installed


async def test_two_at_once_do_not_meet(bench: Bench) -> None:
    begun = asyncio.Event()
    first = asyncio.create_task(bench.tools().install("bell", on_progress=lambda *_: begun.set()))
    await begun.wait()
    assert (await refusal(bench.tools().install("bell"))).code == "tool_busy"
    assert (await first).is_installed


async def test_an_environment_whose_interpreter_is_gone_is_made_again(bench: Bench) -> None:
    await bench.tools().install("bell")
    bench.tools().python("bell").unlink()
    assert not bench.tools().is_installed("bell")
    assert (await bench.tools().install("bell")).is_installed


async def test_the_installer_gets_nothing_of_ours(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDFORGE_SECRET", "x")
    monkeypatch.setenv("DATABASE_URL", "x")
    request = bench.tools()._request(bench.tool, bench.data / "new", upgrade=False)
    assert not {"SOUNDFORGE_SECRET", "DATABASE_URL"} & set(request["env"])
    assert request["env"]["UV_NO_INDEX"] == os.environ["UV_NO_INDEX"]
