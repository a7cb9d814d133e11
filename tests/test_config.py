"""Who may look into the data folder: what is received and worked on is of this account alone, whatever the umask is."""

import os
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from soundforge import accounts, jobs, pipeline
from soundforge.config import Settings, make_private
from soundforge.db import Database
from soundforge.errors import Broken, Invalid
from soundforge.storage import DiskStorage
from soundforge.tools import TOOLS, Tools

ALONE = 0o700
PASSABLE = 0o711 if os.geteuid() == 0 else 0o700  # as root PostgreSQL's account must pass through the data folder


@pytest.fixture(params=[0o022, 0o000], ids=["022", "000"], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


async def nothing() -> AsyncIterator[bytes]:
    yield b""


async def test_received_audio_is_closed_to_others(settings: Settings) -> None:
    with pytest.raises(Invalid):
        async with pipeline.open_upload(settings, "song.wav", nothing()):
            pytest.fail("took an empty file")
    assert (mode(settings.data), mode(settings.incoming_folder)) == (PASSABLE, ALONE)


async def test_working_audio_is_closed_to_others(database: Database, settings: Settings) -> None:
    async def on_sweep(_prefix: str) -> None:
        pass

    working = settings.model_copy(update={"queues": "exports:1"})
    async with jobs.open_node(working, database.dsn, on_sweep=on_sweep):
        assert (mode(settings.data), mode(settings.work_folder)) == (PASSABLE, ALONE)


async def test_whoever_makes_the_data_folder_closes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    nowhere = {"downloader": replace(TOOLS["downloader"], pythons=("3.99",))}
    accounts.open_keyring(tmp_path / "keyring" / "secret.key")
    DiskStorage(tmp_path / "storing" / "storage")
    with pytest.raises(Broken, match=r"Python 3\.99"):
        await Tools(tmp_path / "tooling" / "tools", table=nowhere).install("downloader")
    assert [mode(tmp_path / made) for made in ("keyring", "storing", "tooling")] == [PASSABLE] * 3


def test_a_folder_that_was_open_is_closed_and_the_one_above_stays_as_its_owner_wants_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "incoming").mkdir()
    make_private(tmp_path / "data" / "incoming")
    assert (mode(tmp_path / "data"), mode(tmp_path / "data" / "incoming")) == (0o755, ALONE)
