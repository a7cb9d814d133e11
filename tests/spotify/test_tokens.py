"""The token: one request for everybody, one more when it is refused, whoever goes away meanwhile."""

import asyncio

import pytest

from soundforge.errors import Forbidden, Unavailable
from soundforge.spotify._tokens import Grant, TokenCache
from tests.support.fake_spotify_clock import QuickClock


class Server:
    """Gives out tokens, each when the test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.lasts_s = 3600.0

    async def give(self) -> Grant:
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.failure:
            raise self.failure
        return Grant(f"token-{number}", self.lasts_s)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def cache(server: Server, clock: QuickClock) -> TokenCache:
    return TokenCache(server.give, now=clock.now)


async def test_200_callers_cost_one_request(server: Server, cache: TokenCache) -> None:
    tokens = await asyncio.gather(*(cache.get() for _ in range(200)))
    assert (set(tokens), server.asked) == ({"token-1"}, 1)


async def test_a_token_is_renewed_a_minute_before_it_runs_out(
    server: Server, cache: TokenCache, clock: QuickClock
) -> None:
    await cache.get()
    clock.time += 3539
    assert await cache.get() == "token-1"
    clock.time += 2
    assert set(await asyncio.gather(*(cache.get() for _ in range(50)))) == {"token-2"}
    assert server.asked == 2


async def test_a_short_token_is_used_for_half_its_time(server: Server, cache: TokenCache, clock: QuickClock) -> None:
    server.lasts_s = 40
    await cache.get()
    clock.time += 19
    assert await cache.get() == "token-1"
    clock.time += 2
    assert await cache.get() == "token-2"


async def test_a_refused_token_is_renewed_once_for_all_who_had_it(server: Server, cache: TokenCache) -> None:
    refused = await cache.get()
    again = await asyncio.gather(*(cache.get(reject=refused) for _ in range(50)))
    assert (set(again), server.asked) == ({"token-2"}, 2)
    assert await cache.get(reject=refused) == "token-2"  # who comes late with the old one gets the new one
    assert server.asked == 2


async def test_who_goes_away_takes_nothing_from_those_who_wait(server: Server, cache: TokenCache) -> None:
    server.open.clear()
    first, second = asyncio.create_task(cache.get()), asyncio.create_task(cache.get())
    while not server.asked:
        await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    server.open.set()
    assert (await second, server.asked) == ("token-1", 1)


async def test_refused_credentials_are_remembered_for_a_minute(
    server: Server, cache: TokenCache, clock: QuickClock
) -> None:
    server.failure = Forbidden("No.", code="spotify_refused_credentials")
    for _ in range(5):
        with pytest.raises(Forbidden) as refused:
            await cache.get()
        assert (refused.value.code, refused.value.sentence) == ("spotify_refused_credentials", "No.")
    assert server.asked == 1
    server.failure = None
    clock.time += 61
    assert (await cache.get(), server.asked) == ("token-2", 2)


async def test_another_failure_is_forgotten_at_once(server: Server, cache: TokenCache) -> None:
    server.failure = Unavailable("Away.", code="service_away")
    with pytest.raises(Unavailable):
        await cache.get()
    server.failure = None
    assert await cache.get() == "token-2"


async def test_closing_ends_a_request_that_hangs(server: Server, cache: TokenCache) -> None:
    server.open.clear()
    waiting = asyncio.create_task(cache.get())
    while not server.asked:
        await asyncio.sleep(0)
    waiting.cancel()
    await cache.aclose()
    assert [task for task in asyncio.all_tasks() if task not in (asyncio.current_task(), waiting)] == []


async def test_a_token_shows_in_no_text(server: Server, cache: TokenCache) -> None:
    await cache.get()
    assert "token-1" not in f"{cache!r}{vars(cache)}{Grant('token-1', 1)!r}"
