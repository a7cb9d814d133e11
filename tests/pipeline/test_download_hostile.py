"""Whole downloads through a download program that misbehaves: the row tells it in words, and nothing is left."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from soundforge import library
from soundforge.children import Limits
from soundforge.config import Settings
from soundforge.db import Database, reading
from soundforge.sources import ToolDownloader
from soundforge.tables import Job, Kind
from soundforge.tools import Tools
from tests.support.processes import none_left
from tests.support.sound_shelf import write_shelf
from tests.support.workshop import Workshop, open_workshop

pytestmark = pytest.mark.timeout(240)

PATIENT = Limits(total_s=60, silence_s=40, memory_mb=300, output_mb=20)

# Scenario: code of the row. What may pass by itself is at its last attempt here: see ``let_jobs_try_once``.
AT_ONCE = {
    "source 404": "source_gone",
    "search impossible": "network",
    "file is not audio": "source_not_audio",
    "metadata incomplete": "download_failed",
    "no match": "no_match",
    "ffmpeg missing": "download_failed",
    "bad song": "download_failed",
    "age_restricted": "age_restricted",
    "bad_arguments": "engine_crashed",
    "traceback": "engine_crashed",
    "crash": "engine_crashed",
    "child_outlives_a_crash": "engine_crashed",
    "exit_0_without_result": "engine_garbage",
    "file_missing": "engine_garbage",
    "file_elsewhere": "engine_garbage",
    "garbage": "engine_garbage",
    "half_a_line": "engine_garbage",
    "long_line": "engine_garbage",
    "not_utf8": "engine_garbage",
    "plays_on": "wrong_length",
    "sends_no_sound": "not_audio",
    "fills_the_disk": "output_too_large",
    "eats_memory": "out_of_memory",
}
SILENT = {"hangs": "engine_silent", "ignores_sigterm": "engine_silent"}
ENDLESS = {"never_ends": "timed_out"}
WELL = ("takes_its_time", "leaves_files", "child_outlives", "chatters")


@asynccontextmanager
async def studio(settings: Settings, database: Database, folder: Path, limits: Limits) -> AsyncIterator[Workshop]:
    """A studio whose download programs both misbehave."""
    folder.mkdir()
    write_shelf(folder)
    program = Path(__file__).resolve().parents[1] / "support" / "hostile_downloader.py"
    downloader = ToolDownloader(
        Tools(folder / "tools"),
        programs=lambda name: [sys.executable, str(program), name, str(folder)],
        limits=limits,
    )
    async with open_workshop(settings, database, downloads=2, downloader=downloader) as workshop:
        await workshop.allow()
        await workshop.let_jobs_try_once("download")
        yield workshop


async def ends(workshop: Workshop, scenarios: Sequence[str]) -> dict[str, Job]:
    """Import one song for each scenario by one list, and give their downloads when all are over."""
    head = "Track Name,Artist Name(s),Duration (ms)\n"
    listed = head + "".join(f"!{scenario},Ann Lee,12000\n" for scenario in scenarios)
    job = await workshop.ended(await workshop.receive(listed.encode(), "list.csv"))
    async with reading() as session:
        found = (await session.scalars(select(Job).where(Job.parent_id == job.id, Job.kind == Kind.DOWNLOAD))).all()
    over = [await workshop.ended(one) for one in found]
    return {str(one.params["title"]).removeprefix("!"): one for one in over}


async def check_failures(workshop: Workshop, folder: Path, expected: dict[str, str]) -> None:
    over = await ends(workshop, list(expected))
    assert {name: (job.status, job.error_code, job.run) for name, job in over.items()} == {
        name: ("failed", code, 1) for name, code in expected.items()
    }
    for name, job in over.items():
        assert str(job.error).endswith("."), name
        async with reading() as session:
            track = await library.get_track(session, workshop.owner_id, job.track_id or UUID(int=0))
        assert track.audio_file_id is None, name
    assert (workshop.storage.objects, await workshop.left_over()) == ({}, [])
    assert none_left([int(line) for line in (folder / "pids").read_text().split()])


async def test_every_misbehaviour_that_shows_at_once_ends_in_its_row(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    async with studio(settings, database, tmp_path / "shelf", PATIENT) as workshop:
        await check_failures(workshop, tmp_path / "shelf", AT_ONCE)


@pytest.mark.parametrize(
    ("expected", "limits"),
    [(SILENT, Limits(total_s=60, silence_s=2)), (ENDLESS, Limits(total_s=1.5, silence_s=40))],
    ids=["silent", "endless"],
)
async def test_what_never_answers_is_ended_and_told(
    settings: Settings, database: Database, tmp_path: Path, expected: dict[str, str], limits: Limits
) -> None:
    async with studio(settings, database, tmp_path / "shelf", limits) as workshop:
        await check_failures(workshop, tmp_path / "shelf", expected)


async def test_what_works_in_a_disorderly_way_works_and_leaves_the_song_alone(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    async with studio(settings, database, tmp_path / "shelf", PATIENT) as workshop:
        over = await ends(workshop, WELL)
        assert {name: (job.status, job.error) for name, job in over.items()} == dict.fromkeys(WELL, ("completed", None))
        async with reading() as session:
            rest = (await session.scalars(select(Job).where(Job.kind.in_([Kind.SEPARATION, Kind.ANALYSIS])))).all()
        assert {(await workshop.ended(job)).status for job in rest} == {"completed"}
        assert await workshop.left_over() == []
        assert none_left([int(line) for line in (tmp_path / "shelf" / "pids").read_text().split()])
