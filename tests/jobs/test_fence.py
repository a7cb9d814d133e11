"""A transaction that waits for a database that is away or busy."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.db import Database
from soundforge.errors import Unavailable
from soundforge.jobs._fence import patient_transaction


class Lock:
    """Somebody's lock on the users, and a first read that needs them at once."""

    def __init__(self, other: AsyncSession, *, free_after: int) -> None:
        self.other, self.free_after, self.asked = other, free_after, 0

    async def __call__(self, session: AsyncSession) -> None:
        self.asked += 1
        if self.asked == self.free_after:
            await self.other.rollback()
        await session.execute(text("LOCK TABLE users IN SHARE MODE NOWAIT"))


async def hold(other: AsyncSession) -> None:
    await other.execute(text("LOCK TABLE users"))


async def test_a_busy_database_is_asked_again_like_one_that_is_away(database: Database) -> None:
    async with AsyncSession(database.engine) as other:
        await hold(other)
        lock = Lock(other, free_after=3)
        async with asyncio.timeout(20), patient_transaction(lock, limit_s=20) as session:
            assert await session.scalar(text("SELECT 1")) == 1
    assert lock.asked == 3


async def test_a_database_that_stays_busy_is_unavailable_in_the_end(database: Database) -> None:
    async with AsyncSession(database.engine) as other:
        await hold(other)
        for options in ({"limit_s": 0.0}, {"limit_s": 60.0, "give_up": lambda: True}):
            lock = Lock(other, free_after=99)
            with pytest.raises(Unavailable) as busy:
                async with patient_transaction(lock, **options):
                    pass
            assert (busy.value.code, lock.asked) == ("database_busy", 1)


async def test_what_breaks_after_the_beginning_is_not_done_twice(database: Database) -> None:
    done = []

    async def break_down() -> None:
        async with AsyncSession(database.engine) as other, patient_transaction(Lock(other, free_after=99), limit_s=60):
            done.append("once")
            raise Unavailable("Busy.", code="database_busy")

    with pytest.raises(Unavailable):
        await break_down()
    assert done == ["once"]
