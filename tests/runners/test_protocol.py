import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soundforge.children import Child, Limits, open_child
from soundforge.errors import Broken, Invalid, SoundForgeError, Unavailable
from soundforge_runners._protocol import lacks_memory
from tests.support.libraries import libraries

ROOT = Path(__file__).parents[2]
SERVED = [sys.executable, str(ROOT / "tests" / "support" / "served.py")]
LIMITS = Limits(total_s=30, silence_s=30)


async def failure(child: Child, do: str) -> SoundForgeError:
    with pytest.raises(SoundForgeError) as caught:
        await child.ask({"do": do})
    return caught.value


async def test_a_runner_says_hello_reports_and_answers_with_its_cost(tmp_path: Path) -> None:
    seen: list[Any] = []
    async with open_child(SERVED, folder=tmp_path, limits=LIMITS) as child:
        result = await child.ask(
            {"do": "answer", "echo": "é"}, lambda percent, stage: seen.append((percent, stage)), seen.append
        )
        assert child.hello == {"program": "served", "version": "7", "network": "none"}
    assert result["echo"] == "é"
    assert result["cost"]["peak_rss_mb"] > 5
    assert set(result["cost"]) == {"cpu_s", "wall_s", "peak_rss_mb"}
    part = {"stage": "peaks", "document": {"n": 1}, "version": "", "path": "peaks.dat"}
    assert seen == [(10.0, "a"), (11.0, "a"), part]


async def test_known_causes_leave_the_runner_alive(tmp_path: Path) -> None:
    async with open_child(SERVED, folder=tmp_path, limits=LIMITS) as child:
        refused, memory, disk = [await failure(child, do) for do in ("refuse", "memory", "disk")]
        assert (await child.ask({"do": "answer", "echo": 1}))["echo"] == 1
    assert (type(refused), refused.code, refused.sentence) == (Invalid, "not_audio", "This is no audio file.")
    assert (type(memory), memory.code) == (Broken, "out_of_memory")
    assert (type(disk), disk.code) == (Unavailable, "disk_full")


@pytest.mark.parametrize(("do", "kind"), [("bug", "KeyError"), ("nan", "ValueError"), ("long", "ValueError")])
async def test_a_bug_is_reported_with_its_traceback_and_ends_the_runner(tmp_path: Path, do: str, kind: str) -> None:
    async with open_child(SERVED, folder=tmp_path, limits=LIMITS) as child:
        first, second = await failure(child, do), await failure(child, "answer")
    assert (type(first), first.code) == (Broken, "engine_failed")
    assert f"failed: {kind}" in first.sentence
    assert second.code == "engine_crashed"
    assert "Traceback" in second.detail


async def test_a_grandchild_finds_standard_input_empty(tmp_path: Path) -> None:
    async with open_child(SERVED, folder=tmp_path, limits=LIMITS) as child:
        assert (await child.ask({"do": "grandchild reads"}))["status"] == 0


def test_a_runner_can_be_tried_by_hand(tmp_path: Path) -> None:
    requests = '{"do": "answer", "echo": 1}\n{"do": "refuse"}\n'
    environment = {"PYTHONPATH": str(ROOT / "src"), **libraries()}
    done = subprocess.run(
        SERVED,
        input=requests,
        capture_output=True,
        text=True,
        timeout=20,
        env=environment,
        check=True,
    )
    types = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert types == ["hello", "progress", "progress", "part", "result", "error"]
    assert "chatter" in done.stderr


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("Exception from src/inference/src/dev/plugin.cpp:54:\ncan't alloc"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("the shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_libraries_that_lack_memory_are_understood_by_their_words(error: Exception, lacks: bool) -> None:  # noqa: FBT001 - a case
    assert lacks_memory(error) is lacks
