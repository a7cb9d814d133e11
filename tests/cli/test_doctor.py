"""``soundforge doctor``: what is effective here, and whether it works."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from soundforge.cli import main
from soundforge.config import Settings

NOWHERE = "postgresql://nobody:hushhush@127.0.0.1:1/nothing"

type Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def doctor(
    dsn: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Doctor:
    monkeypatch.setenv("SOUNDFORGE_DATA", str(data))
    monkeypatch.chdir(tmp_path)

    def run(*words: str, database: str = dsn) -> tuple[int, str]:
        monkeypatch.setenv("SOUNDFORGE_DATABASE_URL", database)
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *words])
        return int(ended.value.code or 0), capfd.readouterr().out

    return run


def verdicts(out: str) -> dict[str, str]:
    """What was looked at, and how it is: "ok" or "BAD"."""
    lines = [line.split(maxsplit=1) for line in out.splitlines() if line.startswith(("ok ", "BAD "))]
    return {rest.partition(":")[0]: verdict for verdict, rest in lines if not rest.startswith("tool ")}


def test_a_studio_that_is_well_is_told_setting_by_setting_and_check_by_check(doctor: Doctor, data: Path) -> None:
    code, out = doctor()
    assert code == 0, out
    assert out.startswith("Sound Forge Alchemy ")
    assert f"     data = {data}\n" in out
    assert {line.split()[0] for line in out.splitlines() if line.startswith("     ")} == {*Settings.model_fields}
    assert verdicts(out) == dict.fromkeys(("database", "queues", "storage", "space"), "ok")
    assert "ok   tool " in out


def test_with_the_database_down_the_settings_come_first_and_it_alone_is_bad(doctor: Doctor) -> None:
    code, out = doctor(database=NOWHERE)
    assert code == 1
    assert out.index("     database_url = ") < out.index("BAD  database: ")
    assert verdicts(out) == {"database": "BAD", "storage": "ok", "space": "ok"}
    assert "hushhush" not in out


def test_a_storage_that_is_away_is_bad_and_the_database_is_not_blamed(doctor: Doctor, data: Path) -> None:
    data.mkdir()
    (data / "storage").write_text("no folder")
    code, out = doctor()
    assert code == 1
    assert verdicts(out) == {"storage": "BAD"}
    assert "BAD  storage: The storage does not answer." in out


def test_the_same_is_told_to_programs(doctor: Doctor) -> None:
    code, out = doctor("--json", database=NOWHERE)
    told = json.loads(out)
    assert code == 1
    assert told["settings"].keys() == Settings.model_fields.keys()
    assert {one["name"]: one["is_good"] for one in told["health"]["checks"][:3]} == {
        "database": False,
        "storage": True,
        "space": True,
    }
    assert "hushhush" not in out
