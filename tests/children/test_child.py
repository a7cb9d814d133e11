import asyncio
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from soundforge.children import Child, Limits, _pipes, call, open_child, sweep
from soundforge.children._environment import child_environment
from soundforge.children._group import Group, write_record
from soundforge.errors import Broken, Invalid, SoundForgeError, Unavailable
from tests.support.processes import none_left
from tests.support.servers import until

HOSTILE = [sys.executable, str(Path(__file__).parents[1] / "support" / "hostile.py")]
PATIENT = Limits(total_s=30, silence_s=30)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "run"
    yield folder
    assert not list(folder.rglob("child-*.json")), "a record is left although the child is gone"
    shutil.rmtree(folder)  # fails where something still writes


async def ask(folder: Path, do: str, *, limits: Limits = PATIENT, **fields: Any) -> dict[str, Any]:
    return await call(HOSTILE, {"do": do, **fields}, folder=folder, limits=limits)


async def fault(folder: Path, do: str, *, limits: Limits = PATIENT, **fields: Any) -> SoundForgeError:
    pids: list[int] = []
    async with open_child(HOSTILE, folder=folder, limits=limits) as child:
        pids.append(child.pid)
        with pytest.raises(SoundForgeError) as caught:
            await child.ask({"do": do, **fields}, on_part=lambda part: pids.extend(part["document"]["pids"]))
        assert not child.alive
        assert none_left(pids, within_s=0), "the error came before the group was gone"
    return caught.value


async def test_a_child_answers_reports_progress_and_hands_over_parts(folder: Path) -> None:
    seen: list[Any] = []
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        result = await child.ask({"do": "reports"}, lambda percent, stage: seen.append((percent, stage)), seen.append)
        assert child.hello["program"] == "hostile"
    assert result == {"done": True}
    part = {"stage": "peaks", "document": {"n": 1}, "path": "peaks.dat"}
    assert seen == [(10.0, "first"), part, (100.0, "last")]


async def test_a_warm_child_answers_many_requests(folder: Path) -> None:
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        answers = [await child.ask({"do": "answers", "echo": number}) for number in range(50)]
    assert [answer["echo"] for answer in answers] == list(range(50))
    assert len({answer["pid"] for answer in answers}) == 1


async def test_two_callers_of_one_child_take_turns(folder: Path) -> None:
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        answers = await asyncio.gather(*(child.ask({"do": "answers", "echo": number}) for number in range(5)))
    assert [answer["echo"] for answer in answers] == list(range(5))


async def test_a_child_that_refuses_can_be_asked_again(folder: Path) -> None:
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        with pytest.raises(Invalid) as caught:
            await child.ask({"do": "refuses"})
        assert (caught.value.code, caught.value.sentence) == ("not_audio", "This is no audio file.")
        assert (await child.ask({"do": "answers", "echo": "still here"}))["echo"] == "still here"


async def test_a_child_lives_in_its_folder_and_its_own_group_without_our_secrets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("SOUNDFORGE_SPOTIFY_SECRET", "secret")
    async with open_child(HOSTILE, folder=folder, limits=PATIENT, env={"OMP_NUM_THREADS": "2"}) as child:
        said = await child.ask({"do": "describes_itself"})
        assert said["group"] == said["session"] == child.pid
    assert said["cwd"] == said["env"]["HOME"] == str(folder)
    assert said["env"]["OMP_NUM_THREADS"] == "2"
    assert said["env"]["OPENBLAS_NUM_THREADS"] == "1"
    assert "secret" not in str(said["env"])


@pytest.mark.parametrize(
    ("do", "family", "code", "words"),
    [
        ("crashes", Unavailable, "engine_crashed", "crashed (SIGSEGV)"),
        ("exits_with_status", Unavailable, "engine_crashed", "crashed (exit status 3)"),
        ("exits_silently", Broken, "engine_garbage", "ended without a result"),
        ("half_a_line", Broken, "engine_garbage", "in the middle of a message"),
        ("long_line", Broken, "engine_garbage", "a line that is too long"),
        ("endless_line", Broken, "engine_garbage", "a line that is too long"),
        ("not_utf8", Broken, "engine_garbage", "not JSON"),
        ("not_json", Broken, "engine_garbage", "not JSON"),
        ("deep_json", Broken, "engine_garbage", "not JSON"),
        ("no_object", Broken, "engine_garbage", "no message"),
        ("nan_progress", Broken, "engine_garbage", "not JSON"),
        ("huge_progress", Broken, "engine_garbage", "no number"),
        ("unknown_type", Broken, "engine_garbage", "no known type"),
        ("closes_its_pipe", Broken, "engine_garbage", "closed its pipe"),
        ("grandchild_holds_the_pipe", Unavailable, "engine_crashed", "exit status 4"),
    ],
)
async def test_a_fault_becomes_one_typed_error_and_the_group_is_gone(
    folder: Path, do: str, family: type[SoundForgeError], code: str, words: str
) -> None:
    error = await fault(folder, do)
    assert isinstance(error, family)
    assert error.code == code
    assert words in error.sentence
    assert error.sentence.startswith("The hostile program")


async def test_the_end_of_what_it_printed_is_in_the_detail(folder: Path) -> None:
    assert "about to crash" in (await fault(folder, "crashes")).detail
    assert "it broke" in (await fault(folder, "exits_with_status")).detail


async def test_an_error_without_a_cause_is_garbage(folder: Path) -> None:
    with pytest.raises(Broken, match="an error without a cause"):
        await ask(folder, "causeless_error")


async def test_a_silent_child_is_ended(folder: Path) -> None:
    error = await fault(folder, "silence", limits=Limits(total_s=30, silence_s=0.3))
    assert isinstance(error, Unavailable)
    assert error.code == "engine_silent"


async def test_a_child_that_talks_on_and_on_is_ended(folder: Path) -> None:
    error = await fault(folder, "endless_progress", limits=Limits(total_s=0.5, silence_s=30))
    assert isinstance(error, Unavailable)
    assert error.code == "timed_out"


async def test_a_child_that_ignores_sigterm_is_killed(folder: Path) -> None:
    assert (await fault(folder, "ignores_sigterm", limits=Limits(30, silence_s=0.5))).code == "engine_silent"


async def test_children_of_a_silent_child_go_with_it(folder: Path) -> None:
    assert (await fault(folder, "family_that_hangs", limits=Limits(30, silence_s=0.5))).code == "engine_silent"


async def test_a_grandchild_that_outlives_its_parent_is_killed(folder: Path) -> None:
    pids: list[int] = []
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        result = await child.ask(
            {"do": "grandchild_outlives"}, on_part=lambda part: pids.extend(part["document"]["pids"])
        )
    assert result == {"done": True}
    assert len(pids) == 1
    assert none_left(pids, within_s=0)


@pytest.mark.parametrize("do", ["eats_memory", "grandchild_eats_memory"])
async def test_a_group_over_its_memory_is_ended(folder: Path, do: str) -> None:
    error = await fault(folder, do, mb=200, limits=Limits(30, memory_mb=120))
    assert isinstance(error, Broken)
    assert error.code == "out_of_memory"


async def test_a_child_that_fills_the_disk_is_ended(folder: Path) -> None:
    error = await fault(folder, "fills_the_disk", mb=12, limits=Limits(30, output_mb=8))
    assert isinstance(error, Broken)
    assert error.code == "output_too_large"


async def test_chatter_neither_blocks_nor_piles_up(folder: Path) -> None:
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        assert await child.ask({"do": "chatters"}) == {"done": True}
        with pytest.raises(Unavailable) as caught:
            await child.ask({"do": "crashes"})
    assert len(caught.value.detail) <= 8192
    assert "the last words" in caught.value.detail


async def test_an_ended_child_says_so(folder: Path) -> None:
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        await child.end()
        with pytest.raises(Unavailable, match="has ended"):
            await child.ask({"do": "answers"})


async def test_one_that_ended_between_two_requests_tells_what_it_printed(folder: Path) -> None:
    async with open_child(HOSTILE, folder=folder, limits=PATIENT) as child:
        await child.ask({"do": "breaks_when_told"})
        os.kill(child.pid, signal.SIGUSR1)
        until(lambda: not child.alive)  # the loop stands still: nobody has read what it printed
        with pytest.raises(Unavailable, match="has ended") as caught:
            await child.ask({"do": "answers"})
    assert "it broke" in caught.value.detail


async def test_a_cancelled_request_ends_the_whole_group_within_two_seconds(folder: Path) -> None:
    pids: list[int] = []
    started = asyncio.Event()

    def remember(part: dict[str, Any]) -> None:
        pids.extend(part["document"]["pids"])
        started.set()

    request = {"do": "family_that_hangs"}
    task = asyncio.create_task(_forward(folder, request, remember))
    await asyncio.wait_for(started.wait(), 20)
    task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(pids) == 3
    assert none_left(pids, within_s=0)


async def test_a_second_cancellation_does_not_stop_the_ending(folder: Path) -> None:
    pids: list[int] = []
    started = asyncio.Event()

    def remember(part: dict[str, Any]) -> None:
        pids.extend(part["document"]["pids"])
        started.set()

    task = asyncio.create_task(_forward(folder, {"do": "ignores_sigterm"}, remember))
    await asyncio.wait_for(started.wait(), 20)
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
    assert none_left(pids, within_s=0)


async def test_a_program_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(Broken) as caught:
        await call(["/nowhere/spleeter"], {}, folder=folder, limits=PATIENT)
    assert caught.value.code == "engine_missing"
    assert "spleeter" in caught.value.sentence


def lowest_free(count: int) -> int:
    """The limit under which a process can open so many files more."""
    limit = 0
    while count or is_open(limit):
        count -= not is_open(limit)
        limit += 1
    return limit


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@contextmanager
def limited(what: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(what)
    resource.setrlimit(what, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


@pytest.mark.parametrize("more", [0, 2, 4, 5])
async def test_a_system_without_room_for_a_program_is_trouble_that_passes(folder: Path, more: int) -> None:
    opened = psutil.Process().num_fds()
    with limited(resource.RLIMIT_NOFILE, lowest_free(more)), pytest.raises(Unavailable) as caught:
        await ask(folder, "answers")
    assert caught.value.code == "engine_not_started"
    assert "hostile" in caught.value.sentence
    assert "Too many open files" in caught.value.sentence
    assert psutil.Process().num_fds() == opened
    await ask(folder, "answers")


async def test_a_disk_without_room_for_the_record_is_told_and_the_child_ends(folder: Path) -> None:
    before = {process.pid for process in psutil.Process().children()}
    with limited(resource.RLIMIT_FSIZE, 0), pytest.raises(Unavailable) as caught:
        await ask(folder, "answers")
    assert caught.value.code == "disk_full"
    assert {process.pid for process in psutil.Process().children()} == before


class Held(Group):
    """A group that the kernel does not let go."""

    async def end(self) -> bool:
        return False


async def test_a_child_that_the_kernel_holds_keeps_nobody_waiting(folder: Path) -> None:
    folder.mkdir()
    environment = child_environment(folder, "token", {})
    process, pipes = await _pipes.start(HOSTILE, folder=folder, environment=environment, program="hostile")
    pipes.requests.write(b'{"do": "silence"}\n')
    group = Held(process.pid, "token", time.time(), "hostile")
    write_record(group, folder)
    child = Child(process, pipes, group, folder, PATIENT)
    await child.end()
    assert not child.alive
    assert group.record(folder).exists(), "the next start's sweep must find it"
    assert sweep(folder) in ([process.pid], [])
    process.wait(20)


async def _forward(folder: Path, request: dict[str, Any], on_part: Any) -> dict[str, Any]:
    return await call(HOSTILE, request, folder=folder, limits=PATIENT, on_part=on_part)
