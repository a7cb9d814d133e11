"""How a storage is checked: for real, seldom, and once for all who ask."""

import asyncio
from pathlib import Path

import pytest

from soundforge.errors import Unavailable
from soundforge.storage import StorageCheck, Stored
from tests.support.fakes_storage import MemoryStorage


class Counting(MemoryStorage):
    """Counts what is put; ``gate`` holds it up, ``loses`` forgets it, ``spoils`` changes it."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0
        self.gate: asyncio.Event | None = None
        self.loses = self.spoils = False

    async def put(self, path: Path, key: str) -> Stored:
        self.puts += 1
        if self.gate:
            await self.gate.wait()
        stored = await super().put(path, key)
        if self.loses:
            del self.objects[key]
        if self.spoils:
            self.objects[key] = b"something else"
        return stored


async def test_a_hundred_who_ask_cost_one_look_and_the_next_within_seconds_none() -> None:
    storage = Counting()
    check = StorageCheck(storage, every_s=3600)
    answers = await asyncio.gather(*(check.free_bytes() for _ in range(100)))
    assert (len(set(answers)), storage.puts) == (1, 1)
    storage.is_away = True
    assert await check.free_bytes() == answers[0]
    assert storage.puts == 1


async def test_one_who_stops_waiting_does_not_end_the_look_of_the_others() -> None:
    storage = Counting()
    storage.gate = asyncio.Event()
    check = StorageCheck(storage)
    first, second = (asyncio.create_task(check.free_bytes()) for _ in range(2))
    while not storage.puts:
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    storage.gate.set()
    assert (await second, storage.puts) == (storage.room_bytes, 1)


async def test_a_storage_that_hangs_is_away_and_hangs_once() -> None:
    storage = Counting()
    storage.gate = asyncio.Event()
    check = StorageCheck(storage, every_s=0, patience_s=0)
    for _ in range(3):
        with pytest.raises(Unavailable) as away:
            await check.free_bytes()
        assert away.value.code == "storage_away"
    assert storage.puts == 1
    storage.gate.set()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})  # the look that nobody waits for ends as well
    assert storage.objects == {}


@pytest.mark.parametrize("fault", ["loses", "spoils"])
async def test_a_storage_that_does_not_give_back_what_it_got_is_not_well(fault: str) -> None:
    storage = Counting()
    setattr(storage, fault, True)
    with pytest.raises(Unavailable) as away:
        await StorageCheck(storage).free_bytes()
    assert away.value.code == "storage_away"
    assert storage.objects == {}


async def test_a_full_storage_says_that_it_is_full() -> None:
    with pytest.raises(Unavailable) as full:
        await StorageCheck(MemoryStorage(room_bytes=10)).free_bytes()
    assert full.value.code == "disk_full"
