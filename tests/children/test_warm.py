import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from soundforge.children import Limits, Warm, open_warm, warm_child, warm_mb
from soundforge.errors import Invalid, Unavailable
from tests.support.processes import none_left

HOSTILE = [sys.executable, str(Path(__file__).parents[1] / "support" / "hostile.py")]
PATIENT = Limits(total_s=60, silence_s=60)


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncIterator[Warm]:
    async with open_warm(tmp_path / "warm", idle_s=3600, requests=3) as warm:
        yield warm


async def pid_of(warm: Warm, **env: str) -> int:
    async with warm.take(HOSTILE, limits=PATIENT, env=env) as child:
        return int((await child.ask({"do": "answers"}))["pid"])


async def test_a_child_stays_for_the_next_request_and_is_renewed_after_so_many(warm: Warm) -> None:
    pids = [await pid_of(warm) for _ in range(4)]
    assert len(set(pids[:3])) == 1
    assert pids[3] != pids[0]
    assert none_left(pids[:1])


async def test_another_environment_gets_another_child_and_the_first_one_goes(warm: Warm) -> None:
    one = await pid_of(warm, OMP_NUM_THREADS="1")
    two = await pid_of(warm, OMP_NUM_THREADS="2")
    assert one != two
    assert none_left([one])


async def test_two_requests_at_once_have_two_children_and_one_stays(warm: Warm) -> None:
    async with warm.take(HOSTILE, limits=PATIENT) as one, warm.take(HOSTILE, limits=PATIENT) as other:
        pids = [one.pid, other.pid]
        assert len(set(pids)) == 2
    assert sum(psutil.pid_exists(pid) for pid in pids) == 1
    assert await pid_of(warm) in pids


async def test_a_child_that_crashed_or_refused_does_not_stay(warm: Warm) -> None:
    first = await pid_of(warm)
    with pytest.raises(Unavailable):
        async with warm.take(HOSTILE, limits=PATIENT) as child:
            await child.ask({"do": "crashes"})
    second = await pid_of(warm)
    with pytest.raises(Invalid):
        async with warm.take(HOSTILE, limits=PATIENT) as child:
            await child.ask({"do": "refuses"})
    assert none_left([first, second])
    assert await pid_of(warm) not in (first, second)


async def test_a_child_that_died_while_it_waited_is_replaced(warm: Warm) -> None:
    first = await pid_of(warm)
    psutil.Process(first).kill()
    assert none_left([first])
    assert await pid_of(warm) != first


async def test_a_cancelled_request_leaves_no_process(warm: Warm) -> None:
    async def hang() -> None:
        async with warm.take(HOSTILE, limits=PATIENT) as child:
            await child.ask({"do": "family_that_hangs"}, on_part=family.set_result)

    family: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(hang())
    async with asyncio.timeout(60):
        pids = (await family)["document"]["pids"]
    assert len(pids) == 3
    assert all(psutil.pid_exists(pid) for pid in pids), "the request was to be in progress"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert none_left(pids, within_s=0)


async def test_a_child_that_waits_too_long_ends_by_itself(tmp_path: Path) -> None:
    async with open_warm(tmp_path / "warm", idle_s=0.2) as warm:
        pid = await pid_of(warm)
        assert warm.rss_mb > 0
        async with asyncio.timeout(60):
            while psutil.pid_exists(pid):
                await asyncio.sleep(0.05)
        assert warm.rss_mb == 0


async def test_nothing_is_left_of_the_children_or_their_folders_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "warm"
    async with open_warm(place) as warm:
        assert not place.exists(), "it is made with the first child"
        async with warm.take(HOSTILE, limits=PATIENT) as child:
            await child.ask({"do": "answers"})
        pid, folder = child.pid, child.folder
        assert folder.parent == place
        await warm.end()
        assert not folder.exists(), "the folder of a child goes with it"
        await pid_of(warm)
    assert none_left([pid], within_s=0)
    assert not place.exists()


async def test_a_child_stays_only_where_a_place_for_it_is_open(tmp_path: Path) -> None:
    async with warm_child(HOSTILE, folder=tmp_path / "alone", limits=PATIENT) as child:
        assert child.folder == tmp_path / "alone"
    assert none_left([child.pid], within_s=0)
    async with open_warm(tmp_path / "warm"):
        async with warm_child(HOSTILE, folder=tmp_path / "alone", limits=PATIENT) as child:
            await child.ask({"do": "answers"})
        assert child.alive
        assert warm_mb() > 0
    assert none_left([child.pid], within_s=0)
    assert warm_mb() == 0
