"""A database that goes away in the middle of a job: short absences pass unnoticed, long ones interrupt."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import psutil
import pytest

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import EmbeddedServer, open_database, reading
from soundforge.errors import Unavailable
from soundforge.tables import Job, migrate
from tests.support.db import fast_folder
from tests.support.jobs import Script, add_user, scripted_kinds
from tests.support.leaks import end_oban_leftovers

PATIENCE_S = 60


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    folder = fast_folder() / f"soundforge-away-{uuid4().hex[:8]}"
    folder.mkdir()
    folder.chmod(0o711)
    server = EmbeddedServer(folder / "pg")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        folder.rmdir()


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EmbeddedServer]:
    with own_server() as running:
        await migrate(running.url())
        yield running


@asynccontextmanager
async def studio(server: EmbeddedServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Script]:
    async def on_sweep(_prefix: str) -> None:
        pass

    with scripted_kinds(monkeypatch):
        async with open_database(server.url()), jobs.open_node(settings, server.url(), on_sweep=on_sweep):
            yield Script(await add_user())
    await end_oban_leftovers()


def kill_server(server: EmbeddedServer) -> None:
    """Kill the postmaster and see its backends go; one that still answered would take a change that nobody keeps."""
    postmaster = psutil.Process(int((server.cluster / "postmaster.pid").read_text().split()[0]))
    backends = postmaster.children(recursive=True)
    postmaster.kill()
    _, alive = psutil.wait_procs(backends, timeout=10)
    assert [one.pid for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


async def until_status(script: Script, job: Job, *statuses: str) -> Job:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                row = await script.get(job)
            except Unavailable:
                row = None
            if row is not None and row.status in statuses:
                return row
            await asyncio.sleep(0.05)


async def until_no_orphans() -> None:
    """Wait until Oban heard that the first run ended: a crash empties its list of who works, so nothing excuses it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with reading() as session:
                if await jobs.check_orphans(session) == []:
                    return
            await asyncio.sleep(0.05)


async def test_a_job_outlives_a_server_that_is_killed_and_restarted(
    server: EmbeddedServer, worker_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = worker_settings.model_copy(update={"time_scale": 0.3})  # 30 s are 9 s
    begun, go = asyncio.Event(), asyncio.Event()

    async def body(run: jobs.Run) -> None:
        begun.set()
        await go.wait()
        async with run.writing():  # waits until the server is back
            run.report(50)

    async with studio(server, settings, monkeypatch) as script:
        job = await script.add(body)
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
        kill_server(server)
        go.set()
        await asyncio.to_thread(server.heal)
        row = await until_status(script, job, "completed", "failed")
        assert (row.status, row.run) == ("completed", 1)


async def test_a_job_is_interrupted_and_begins_again_when_the_server_stays_away(
    server: EmbeddedServer, worker_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def body(run: jobs.Run) -> None:
        if run.run > 1:
            return
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with studio(server, worker_settings, monkeypatch) as script:  # 30 s are 1.5 s
        job = await script.add(body)
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
            kill_server(server)
            await stopped.wait()
        await asyncio.to_thread(server.heal)
        row = await until_status(script, job, "completed", "failed")
        assert (row.status, row.run) == ("completed", 2)
        await until_no_orphans()
