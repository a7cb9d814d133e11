"""A worker of imports as a process of its own: ``python -m tests.support.paste_worker DSN DATA SCALE QUEUES PORT``.

Its Spotify answers on that port of loopback. Downloads stay queued: an import is judged by what it asked for.
"""

import asyncio
import sys
from pathlib import Path

from soundforge import logs
from soundforge.config import Settings
from soundforge.db import open_database
from soundforge.spotify import open_spotify, places_on_loopback
from tests.support.worker import READY
from tests.support.workshop import open_workshop


async def main(dsn: str, data: str, scale: str, _queues: str, port: str) -> None:
    """Work until killed."""
    settings = Settings(_env_file=None, data=Path(data), time_scale=float(scale))
    logs.set_up()
    async with (
        open_database(dsn) as database,
        open_spotify(None, places=places_on_loopback(int(port))) as spotify,
        open_workshop(settings, database, spotify=spotify, downloads=0),
    ):
        print(READY.decode(), flush=True)  # noqa: T201 - read by run_worker
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6]))
