"""A node's name, ``<host>-<slot>``: nobody else works under it for as long as its two locks are held.

The advisory lock keeps it from every process on this database, the file lock from every process on
this disk. A database that restarts frees the first but never the second, so on one disk (always so
with the embedded server) a name that was won has no living owner. On a server of the user's own,
another machine may bear the same host name: there a newly won name waits one heartbeat period, and
gives way to an owner who shows up.
"""

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from sqlalchemy import text

from soundforge import db
from soundforge.config import Settings, make_private
from soundforge.errors import Unavailable
from soundforge.jobs._clock import HEARTBEAT_S
from soundforge.jobs._locks import Locks

_SLOTS = 100
_WAIT_PERIODS = 1.5  # a heartbeat may come late


@asynccontextmanager
async def hold_slot(settings: Settings, locks: Locks) -> AsyncIterator[str]:
    """Win the first free slot of this host and give the node's name. Raises ``Unavailable`` ("no_slot")."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    make_private(settings.work_folder)
    for slot in range(_SLOTS):
        name = f"{host}-{slot}"
        with _file_lock(settings.work_folder / f"{name}.lock") as ours:
            if ours and await _win(settings, locks, name):
                try:
                    yield name
                finally:
                    with contextlib.suppress(Exception):  # the connection may be gone, and the lock with it
                        await locks.release(name)
                return
    msg = f"All {_SLOTS} worker slots of this machine are taken."
    raise Unavailable(msg, code="no_slot")


async def hold_free_slots(settings: Settings, locks: Locks) -> AsyncGenerator[tuple[str, bool]]:
    """Hold, one after the other, slots of this disk whose owners are dead and may never come back.

    Each with whether its rows are without an owner too. The file lock alone says that of the files; of the rows only
    with the embedded server, for on another one a machine of the same name may work them, with a disk of its own.
    """
    for path in sorted(settings.work_folder.glob("*.lock")):
        with _file_lock(path) as ours:
            if ours and settings.database_url is not None:
                yield path.stem, False
            elif ours and await locks.take(path.stem):
                try:
                    yield path.stem, True
                finally:
                    await locks.release(path.stem)


async def _win(settings: Settings, locks: Locks, name: str) -> bool:
    if not await locks.take(name):
        return False
    if settings.database_url is None or not await _has_owner(settings, name):
        return True
    await locks.release(name)
    return False


async def _has_owner(settings: Settings, name: str) -> bool:
    """Wait for a heartbeat under a name that we have just won."""
    async with db.reading() as session:
        now = await session.scalar(text("SELECT timezone('UTC', now())"))
    await asyncio.sleep(HEARTBEAT_S * settings.time_scale * _WAIT_PERIODS)
    beats = text("SELECT EXISTS (SELECT FROM oban_producers WHERE node = :name AND updated_at > :now)")
    async with db.reading() as session:
        return bool(await session.scalar(beats, {"name": name, "now": now}))


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
