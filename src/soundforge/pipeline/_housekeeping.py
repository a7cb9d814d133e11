"""Somebody has to ask for maintenance: every studio and every worker does, at its start and every hour."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from soundforge import accounts, logs
from soundforge.db import transaction
from soundforge.errors import Conflict, Unavailable
from soundforge.pipeline._requests import request_purge

_log = logs.get(__name__)

EVERY_S = 3600.0


@asynccontextmanager
async def open_housekeeping(every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Ask for the purge now and then as long as the block lasts."""
    task = asyncio.create_task(_ask_again(every_s), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _ask_again(every_s: float) -> None:
    while True:
        try:
            await ask_for_purge()
        except Unavailable as error:  # the next time is soon enough
            _log.warning("housekeeping.put_off", code=error.code, error=error.sentence)
        await asyncio.sleep(every_s)


async def ask_for_purge() -> bool:
    """Ask for the purge in the owner's name; False where it is under way already."""
    try:
        async with transaction() as session:
            owner = await accounts.ensure_owner(session)
            await request_purge(session, owner.id)
    except Conflict:
        return False
    return True
