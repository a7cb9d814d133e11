"""Each way in which rows, files, jobs and processes can disagree is found, and a healthy studio has none."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from soundforge import children, jobs, library, pipeline
from soundforge.config import Settings
from soundforge.db import Database, transaction
from soundforge.library import NewFile
from soundforge.storage import DiskStorage
from soundforge.tables import Kind
from tests.support.jobs import HOSTILE, add_user

KEY = "jobs/11111111-1111-4111-8111-111111111111/1/original.wav"


@pytest.fixture
def storage(settings: Settings) -> DiskStorage:
    return DiskStorage(settings.storage_folder)


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    return await add_user()


@pytest.fixture
async def stored(owner_id: UUID, storage: DiskStorage, tmp_path: Path) -> Path:
    """One stored file with its row; gives where it lies."""
    source = tmp_path / "source"
    source.write_bytes(b"a song")
    kept = await storage.put(source, KEY)
    async with transaction() as session:
        await library.add_file(session, owner_id, NewFile(kept.key, kept.size_bytes, kept.sha256, "audio/wav"))
    async with storage.local(KEY) as path:
        return path


@pytest.fixture
def find(settings: Settings, storage: DiskStorage) -> Callable[[], Awaitable[list[str]]]:
    async def found() -> list[str]:
        return [finding.code for finding in await pipeline.verify(settings, storage)]

    return found


type Find = Callable[[], Awaitable[list[str]]]


async def execute(statement: str, **values: Any) -> None:
    async with transaction() as session:
        await session.execute(text(statement), values)


async def add_running(owner_id: UUID, *, node: str = "here-0") -> UUID:
    """A job that runs on a node which shows that it lives."""
    async with transaction() as session:
        job = await jobs.add_job(session, kind=Kind.ANALYSIS, owner_id=owner_id, unique_key="song")
    await execute("UPDATE jobs SET status = 'processing', run = 1, node = :node WHERE id = :id", node=node, id=job.id)
    producer = str(uuid4())
    await execute("INSERT INTO oban_producers (uuid, node, queue) VALUES (:uuid, 'here-0', 'analysis')", uuid=producer)
    await execute(
        "UPDATE oban_jobs SET state = 'executing', attempted_by = ARRAY[CAST(:node AS text), CAST(:uuid AS text)]",
        node=node,
        uuid=producer,
    )
    return job.id


async def test_a_studio_in_which_everything_agrees_has_no_findings(stored: Path, owner_id: UUID, find: Find) -> None:
    await add_running(owner_id)
    assert await find() == []


async def test_a_file_that_is_gone_is_found(stored: Path, find: Find) -> None:
    stored.unlink()
    assert await find() == ["no_file"]


async def test_a_file_that_no_row_names_is_found(stored: Path, find: Find) -> None:
    await execute("DELETE FROM files")
    assert await find() == ["no_row"]


async def test_a_file_that_was_cut_short_is_found(stored: Path, find: Find) -> None:
    stored.chmod(0o600)
    stored.write_bytes(b"a so")
    assert await find() == ["wrong_size"]


async def test_a_file_in_which_one_bit_fell_over_is_found(stored: Path, find: Find) -> None:
    stored.chmod(0o600)
    stored.write_bytes(b"a sonf")
    assert await find() == ["wrong_hash"]


async def test_what_a_running_job_has_stored_already_is_no_finding(
    owner_id: UUID, storage: DiskStorage, tmp_path: Path, find: Find
) -> None:
    job_id = await add_running(owner_id)
    (tmp_path / "stem").write_bytes(b"vocals")
    await storage.put(tmp_path / "stem", f"jobs/{job_id}/1/vocals.flac")
    assert await find() == []
    await storage.put(tmp_path / "stem", f"jobs/{job_id}/2/vocals.flac")
    assert await find() == ["no_row"]


async def test_an_active_row_without_its_oban_job_is_found(owner_id: UUID, find: Find) -> None:
    await add_running(owner_id)
    await execute("DELETE FROM oban_jobs")
    assert await find() == ["row_without_oban_job"]


async def test_an_oban_job_without_an_active_row_is_found(owner_id: UUID, find: Find) -> None:
    await add_running(owner_id)
    await execute("UPDATE jobs SET status = 'failed'")
    assert await find() == [], "its worker is about to tell Oban"
    await execute("DELETE FROM oban_producers")
    assert await find() == ["oban_job_without_row"]


async def test_a_second_oban_job_for_the_same_row_is_found(owner_id: UUID, find: Find) -> None:
    await add_running(owner_id)
    await execute(
        "INSERT INTO oban_jobs (state, queue, worker, args) SELECT 'available', queue, worker, args FROM oban_jobs"
    )
    assert await find() == ["oban_job_without_row"]


async def test_a_running_job_whose_worker_shows_no_sign_of_life_is_found(owner_id: UUID, find: Find) -> None:
    await add_running(owner_id, node="gone-7")
    assert await find() == ["no_worker"]


@pytest.fixture
async def child(settings: Settings) -> AsyncIterator[children.Child]:
    """A child that works for a run that nobody runs."""
    folder = settings.work_folder / "here-0" / str(uuid4()) / "1" / "decode"
    async with children.open_child(HOSTILE, folder=folder, limits=children.Limits(total_s=60)) as opened:
        yield opened


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_process_that_outlived_its_run_is_found(
    child: children.Child, owner_id: UUID, find: Find, *, recorded: bool
) -> None:
    if not recorded:
        for record in child.folder.glob("child-*.json"):
            record.unlink()
    assert await find() == ["process_left"]
    await child.end()
    assert await find() == []


async def test_a_warm_engine_is_a_finding_once_its_node_is_dead(owner_id: UUID, settings: Settings, find: Find) -> None:
    folder = settings.work_folder / "here-0" / "warm"
    async with children.open_warm(folder) as warm, warm.take(HOSTILE, limits=children.Limits(total_s=60)):
        assert await find() == ["process_left"]
        await add_running(owner_id)
        assert await find() == []


async def test_a_process_of_a_run_that_goes_on_is_no_finding(owner_id: UUID, settings: Settings, find: Find) -> None:
    job_id = await add_running(owner_id)
    folder = settings.work_folder / "here-0" / str(job_id) / "1" / "decode"
    async with children.open_child(HOSTILE, folder=folder, limits=children.Limits(total_s=60)):
        assert await find() == []
