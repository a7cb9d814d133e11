import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from soundforge.children import sweep
from tests.support.processes import none_left

SUPPORT = Path(__file__).parents[1] / "support"
Parent = tuple[subprocess.Popen[str], list[int]]


@pytest.fixture
def start_parent(tmp_path: Path) -> Iterator[Callable[[str, str], Parent]]:
    """Start a parent with a family below it; gives the parent and the pids of the family."""
    started: list[Parent] = []

    def start(program: str, do: str) -> Parent:
        argv = [str(SUPPORT / "parent.py"), str(SUPPORT / program), str(tmp_path), json.dumps({"do": do})]
        environment = {**os.environ, "PYTHONPATH": str(SUPPORT.parents[1] / "src")}
        parent = subprocess.Popen([sys.executable, *argv], stdout=subprocess.PIPE, text=True, env=environment)
        assert parent.stdout
        started.append((parent, json.loads(parent.stdout.readline())["pids"]))
        return started[-1]

    yield start
    for parent, family in started:
        for pid in (parent.pid, *family):
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
        parent.wait()
        assert parent.stdout
        parent.stdout.close()


def kill(parent: Parent) -> None:
    parent[0].kill()
    parent[0].wait()


def test_a_runner_and_its_grandchildren_die_with_a_parent_that_was_killed(
    start_parent: Callable[[str, str], Parent],
) -> None:
    parent = start_parent("served.py", "family")
    assert len(parent[1]) == 3
    assert all(psutil.pid_exists(pid) for pid in parent[1])
    kill(parent)
    assert none_left(parent[1])


def test_what_survives_its_killed_parent_is_swept(start_parent: Callable[[str, str], Parent], tmp_path: Path) -> None:
    parent = start_parent("hostile.py", "family_that_hangs")
    kill(parent)
    assert all(psutil.pid_exists(pid) for pid in parent[1]), "the hostile family was to survive"
    assert sweep(tmp_path) == [parent[1][0]]
    assert none_left(parent[1], within_s=0)
    assert not list(tmp_path.iterdir())


def test_grandchildren_are_swept_although_their_leader_is_dead(
    start_parent: Callable[[str, str], Parent], tmp_path: Path
) -> None:
    parent = start_parent("hostile.py", "family_that_hangs")
    kill(parent)
    leader, *grandchildren = parent[1]
    os.kill(leader, signal.SIGKILL)
    assert none_left([leader])
    assert sweep(tmp_path) == [leader]
    assert none_left(grandchildren, within_s=0)


def test_a_number_that_now_means_another_process_is_left_alone(
    start_parent: Callable[[str, str], Parent], tmp_path: Path
) -> None:
    parent = start_parent("hostile.py", "family_that_hangs")
    (record,) = tmp_path.glob("child-*.json")
    said = json.loads(record.read_text())
    record.write_text(json.dumps({**said, "token": "another", "started_at": said["started_at"] - 3600}))
    assert sweep(tmp_path) == []
    assert all(psutil.pid_exists(pid) for pid in parent[1])
    assert not record.exists()


_NO_NUMBER = '{"id": "1", "token": "", "started_at": 0, "program": ""}'


@pytest.mark.parametrize("text", ["", "{", '{"id": 1}', _NO_NUMBER, "[]"])
def test_a_spoiled_record_is_removed_and_harms_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "child-1.json").write_text(text)
    assert sweep(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_a_sweep_of_nothing_kills_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path / "no such folder") == []
