"""How fast is asked, how long is waited, and when nobody asks at all."""

import asyncio
from itertools import pairwise

import pytest

from soundforge.errors import Unavailable
from soundforge.spotify._pace import Pace, RealClock, jittered
from tests.support.fake_spotify_clock import QuickClock


async def test_five_a_second_and_two_at_once(clock: QuickClock) -> None:
    pace, began, inside, most = Pace(clock), clock.now(), 0, 0

    async def ask() -> float:
        nonlocal inside, most
        async with pace.turn():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return clock.now() - began

    starts = sorted(await asyncio.gather(*(ask() for _ in range(26))))
    assert most <= 2
    assert starts[-1] == pytest.approx(5.0)
    assert all(later - earlier > 0.19 for earlier, later in pairwise(starts))


async def test_who_waits_keeps_all_others_back(clock: QuickClock) -> None:
    pace, began = Pace(clock), clock.now()
    async with pace.turn():
        pass
    waiting = asyncio.create_task(pace.wait(20))
    while not clock.waits:
        await asyncio.sleep(0)
    async with pace.turn():
        assert clock.now() - began >= 20
    await waiting


async def test_while_the_breaker_is_open_nobody_waits_and_nobody_asks(clock: QuickClock) -> None:
    pace = Pace(clock)
    with pytest.raises(Unavailable) as busy:
        pace.stay_away(12_677, quota=False)
    assert (busy.value.code, busy.value.retry_after_s) == ("spotify_busy", 12_677)
    clock.time += 12_000
    with pytest.raises(Unavailable) as still:
        async with pace.turn():
            pytest.fail("the breaker is open")
    assert still.value.retry_after_s == pytest.approx(677)
    clock.time += 678
    async with pace.turn():
        assert clock.waits == []


async def test_nobody_stays_away_longer_than_a_day(clock: QuickClock) -> None:
    with pytest.raises(Unavailable) as busy:
        Pace(clock).stay_away(999_999_999, quota=False)
    assert busy.value.retry_after_s == 86_400


async def test_a_quota_without_a_time_is_looked_at_again_in_an_hour(clock: QuickClock) -> None:
    with pytest.raises(Unavailable) as used:
        Pace(clock).stay_away(None, quota=True)
    assert (used.value.code, used.value.retry_after_s) == ("spotify_quota_used", 3600)


def test_jitter_spreads_and_never_hurries() -> None:
    spread = {jittered(2) for _ in range(100)}
    assert len(spread) > 50
    assert all(2 <= seconds <= 3 for seconds in spread)


async def test_the_real_clock_goes_forward() -> None:
    clock = RealClock()
    before = clock.now()
    await clock.sleep(0)
    assert clock.now() >= before
