"""Commands run in this process, on a database and in a folder of the test's own."""

from pathlib import Path

import pytest

from soundforge.cli import main
from tests.cli.commands import Command


@pytest.fixture
def run_bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command that must not reach a database: there is none."""
    monkeypatch.setenv("SOUNDFORGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("SOUNDFORGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SOUNDFORGE_TIME_SCALE", "0.05")
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*words])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


@pytest.fixture
def run(run_bare: Command, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command."""
    monkeypatch.setenv("SOUNDFORGE_DATABASE_URL", dsn)
    return run_bare
