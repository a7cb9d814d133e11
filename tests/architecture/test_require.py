"""What a machine lacks is skipped at home and fails where it is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.require import PROBES
from tests.support.source import ROOT

CASE = """
import pytest

@pytest.mark.needs({name!r})
def test_something_of_this_machine():
    assert True

def test_something_else():
    pytest.skip("not today")
"""


@pytest.fixture
def run(tmp_path: Path) -> "Runner":
    """Run two tests that skip, in a project of their own."""
    return Runner(tmp_path)


class Runner:
    """A pytest of its own with the plugin loaded, on a machine that has nothing but what is named."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, needs: str, require: str, chromium: str = "") -> tuple[int, str]:
        (self.folder / "test_case.py").write_text(CASE.format(name=needs))
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.require", "-rs"],
            cwd=self.folder,
            env={
                "PATH": "/nonexistent",
                "PYTHONPATH": str(ROOT),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
                "SOUNDFORGE_REQUIRE": require,
                "SOUNDFORGE_CHROMIUM": chromium,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr


def test_a_test_whose_need_is_not_met_is_skipped_with_a_sentence(run: Runner) -> None:
    code, said = run(needs="chromium", require="")
    assert code == 0
    assert "2 skipped" in said
    assert PROBES["chromium"][1] in said


def test_a_required_thing_that_is_missing_stops_the_run(run: Runner) -> None:
    code, said = run(needs="chromium", require="chromium")
    assert code != 0
    assert "SOUNDFORGE_REQUIRE=chromium" in said


def test_any_skip_is_a_failure_while_something_is_required(run: Runner) -> None:
    code, said = run(needs="chromium", require="chromium", chromium=sys.executable)
    assert code == 1
    assert "1 failed, 1 passed" in said
    assert "skipped although SOUNDFORGE_REQUIRE is set" in said


def test_a_name_that_nobody_knows_is_refused(run: Runner) -> None:
    code, said = run(needs="chromium", require="chromuim")
    assert code != 0
    assert "names chromuim" in said
