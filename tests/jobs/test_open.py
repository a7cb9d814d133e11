"""A process without queues helps where it can and works nothing."""

import asyncio

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import Database
from soundforge.tables import Kind
from tests.support.jobs import Script, Wire


async def _ignore(_prefix: str) -> None:
    pass


async def test_a_node_without_queues_works_nothing_but_cancels(
    database: Database, settings: Settings, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    async def body(_run: jobs.Run) -> None:
        await asyncio.Event().wait()

    async with jobs.open_node(settings, database.dsn, on_sweep=_ignore) as client:
        assert client.oban.check_all_queues() == []
        assert not settings.work_folder.exists()
        job = await script.add(body)
        async with jobs.open_node(worker_settings, database.dsn, on_sweep=_ignore):
            await wire.until(job, "processing")
            await script.cancel(job)
            assert (await wire.until(job, "failed"))["error_code"] == "cancelled"


async def test_a_node_works_only_its_own_queues(
    database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    async def body(_run: jobs.Run) -> None:
        pass

    settings = worker_settings.model_copy(update={"queues": "exports:1"})
    async with jobs.open_node(settings, database.dsn, on_sweep=_ignore):
        waiting = await script.add(body)
        export = await script.add(body, kind=Kind.EXPORT)
        await wire.until(export, "completed")
        assert (await script.get(waiting)).status == "queued"
