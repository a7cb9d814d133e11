"""A worker process of its own, to be killed: ``python -m tests.support.worker DSN DATA SCALE QUEUES``."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from soundforge import jobs, logs
from soundforge.config import Settings
from soundforge.db import open_database

_CHECKOUT = Path(__file__).resolve().parents[2]
READY = b"ready"


async def main(dsn: str, data: str, scale: str, queues: str) -> None:
    """Work until killed."""
    settings = Settings(_env_file=None, data=Path(data), time_scale=float(scale), queues=queues)

    async def on_sweep(_prefix: str) -> None:
        pass

    logs.set_up()  # to stderr: standard output is for the one line below
    async with open_database(dsn), jobs.open_node(settings, dsn, on_sweep=on_sweep) as node:
        print(READY.decode(), node.name, flush=True)  # noqa: T201 - read by run_worker
        await asyncio.Event().wait()


@asynccontextmanager
async def run_worker(
    dsn: str, settings: Settings, *more: str, module: str = "tests.support.worker"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker process until the block ends; it may be killed before. ``more``: what its module wants beside."""
    arguments = [dsn, str(settings.data), str(settings.time_scale), settings.queues, *more]
    env = {**os.environ, "PYTHONPATH": f"{_CHECKOUT / 'src'}:{_CHECKOUT}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while not (line := await process.stdout.readline()).startswith(READY):
                assert line, "the worker ended before it was ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
