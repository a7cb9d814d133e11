"""The real client: how many requests it makes, what it waits for, what it does not believe."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from soundforge.errors import Broken, Forbidden, SoundForgeError, Unavailable
from soundforge.spotify import Credentials, Places, PlaylistPage, Skip, SpotifyClient, Via, open_spotify
from tests.spotify.conftest import without_network
from tests.support.fake_spotify_clock import QuickClock
from tests.support.fake_spotify_server import FakeSpotifyWire, Told, as_json, error
from tests.support.fake_spotify_world import World, track

SONG = track(3).id
PREMIUM = b"Active premium subscription required for the owner of the app."


async def all_of(pages: AsyncIterator[PlaylistPage]) -> list[PlaylistPage]:
    return [page async for page in pages]


async def test_512_entries_cost_13_requests(spotify: SpotifyClient, wire: FakeSpotifyWire, world: World) -> None:
    await all_of(spotify.fetch_playlist(world.large.id))
    assert (wire.other_requests, wire.token_requests) == (13, 1)


async def test_512_entries_that_changed_meanwhile_cost_25(
    spotify: SpotifyClient, wire: FakeSpotifyWire, world: World
) -> None:
    world.large.change_after(6, lambda rows: rows.reverse())
    await all_of(spotify.fetch_playlist(world.large.id))
    assert (wire.other_requests, wire.token_requests) == (25, 1)


async def test_pages_are_asked_for_by_number_and_with_episodes(
    spotify: SpotifyClient, wire: FakeSpotifyWire, world: World
) -> None:
    await all_of(spotify.fetch_playlist(world.large.id))
    asked = [asked.query for asked in wire.asked if asked.path.endswith("/items")]
    assert [query["offset"] for query in asked] == [str(offset) for offset in range(0, 512, 50)]
    assert {(query["limit"], query["additional_types"]) for query in asked} == {("50", "track,episode")}


async def test_200_callers_cost_one_token(places: Places, wire: FakeSpotifyWire, credentials: Credentials) -> None:
    """Over real sockets."""
    async with open_spotify(credentials, places=places, clock=QuickClock()) as spotify:
        await asyncio.gather(*(spotify.fetch_track(SONG) for _ in range(200)))
    assert (wire.token_requests, wire.other_requests) == (1, 200)


async def test_a_revoked_token_costs_one_new_one(spotify: SpotifyClient, wire: FakeSpotifyWire) -> None:
    await spotify.fetch_track(SONG)
    wire.expire_tokens()
    await asyncio.gather(*(spotify.fetch_track(SONG) for _ in range(50)))
    assert wire.token_requests == 2


async def test_a_server_that_refuses_every_token_is_asked_for_one_more_and_no_further(
    spotify: SpotifyClient, wire: FakeSpotifyWire
) -> None:
    wire.refuses_every_token = True
    with pytest.raises(Forbidden) as refused:
        await spotify.fetch_track(SONG)
    assert (refused.value.code, wire.token_requests, wire.other_requests) == ("spotify_refused_credentials", 2, 2)


async def test_wrong_credentials_are_not_tried_over_and_over(
    spotify: SpotifyClient, wire: FakeSpotifyWire, world: World
) -> None:
    spotify.use(Credentials("an-app", "wrong"))
    for _ in range(20):
        assert (await spotify.check()).code == "spotify_refused_credentials"
    assert len(wire.asked) == 1
    spotify.use(Credentials(world.client_id, world.client_secret))
    assert (await spotify.check()).works


async def test_the_same_credentials_again_change_nothing(
    spotify: SpotifyClient, wire: FakeSpotifyWire, credentials: Credentials
) -> None:
    await spotify.fetch_track(SONG)
    spotify.use(Credentials(credentials.client_id, credentials.client_secret))
    await spotify.fetch_track(SONG)
    assert wire.token_requests == 1


async def test_a_short_wait_is_waited_and_nobody_else_asks_meanwhile(
    spotify: SpotifyClient, wire: FakeSpotifyWire, clock: QuickClock
) -> None:
    await spotify.fetch_track(SONG)
    wire.fail("/v1/", Told(429, b"", {"Retry-After": "7"}), times=2)
    assert await spotify.fetch_track(SONG) == track(3)
    assert [round(seconds) for seconds in clock.long_waits] == [7, 7]


async def test_a_429_without_a_time_is_waited_for_longer_and_longer(
    spotify: SpotifyClient, wire: FakeSpotifyWire, clock: QuickClock
) -> None:
    wire.fail("/v1/", Told(429, b"busy"), times=3)
    assert await spotify.fetch_track(SONG) == track(3)
    first, second, third = clock.long_waits
    assert 1 <= first <= 1.5
    assert 2 <= second <= 3
    assert 4 <= third <= 6


async def test_a_429_that_does_not_end_opens_the_breaker(
    spotify: SpotifyClient, wire: FakeSpotifyWire, clock: QuickClock
) -> None:
    wire.fail("/v1/", Told(429, b"", {"Retry-After": "3"}), times=99)
    with pytest.raises(Unavailable) as busy:
        await spotify.fetch_track(SONG)
    assert (busy.value.code, len(clock.long_waits)) == ("spotify_busy", 3)


@pytest.mark.parametrize("seconds", ["31", "12677", "86400"])
async def test_a_long_wait_is_not_waited_and_nothing_more_is_sent(
    spotify: SpotifyClient, wire: FakeSpotifyWire, clock: QuickClock, seconds: str
) -> None:
    await spotify.fetch_track(SONG)
    wire.fail("/v1/", Told(429, b"", {"Retry-After": seconds}))
    sent = len(wire.asked) + 1
    for _ in range(5):
        with pytest.raises(Unavailable) as busy:
            await spotify.fetch_track(SONG)
        assert busy.value.retry_after_s == pytest.approx(int(seconds), abs=5)
    assert (len(wire.asked), clock.long_waits) == (sent, [])
    clock.time += int(seconds) + 1
    assert await spotify.fetch_track(SONG) == track(3)


async def test_a_used_up_quota_says_so_even_with_a_short_time(
    spotify: SpotifyClient, wire: FakeSpotifyWire, clock: QuickClock
) -> None:
    wire.fail("/v1/", Told(429, error(429, "Too many requests", reason="QUOTA_EXCEEDED").body, {"Retry-After": "5"}))
    with pytest.raises(Unavailable) as used:
        await spotify.fetch_track(SONG)
    assert (used.value.code, clock.long_waits) == ("spotify_quota_used", [])


@pytest.mark.parametrize("told", [Told(500), Told(503, b"<html>"), Told(cut=True)], ids=["500", "503", "cut"])
async def test_a_failure_that_passes_is_tried_three_times_more(
    spotify: SpotifyClient, wire: FakeSpotifyWire, clock: QuickClock, told: Told
) -> None:
    wire.fail("/v1/", told, times=3)
    assert await spotify.fetch_track(SONG) == track(3)
    assert len(clock.long_waits) == 3
    wire.fail("/v1/", told, times=4)
    with pytest.raises(Unavailable) as away:
        await spotify.fetch_track(SONG)
    assert away.value.code in {"spotify_away", "service_away"}
    assert len(clock.long_waits) == 6


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told(200, b"<html>a portal of some hotel</html>"), "spotify_unreadable"),
        (Told(200, b""), "spotify_unreadable"),
        (Told(200, b"[1, 2]"), "spotify_unreadable"),
        (Told(200, b'{"id": '), "spotify_unreadable"),
        (Told(200, b"\xff\xfe\x00"), "spotify_unreadable"),
        (Told(200, b"[" * 1_000_000), "spotify_unreadable"),
        (Told(200, b'{"id": ' + b"9" * 5000 + b"}"), "spotify_unreadable"),
        (Told(200, b"{}"), "spotify_unreadable"),
        (Told(200, b'{"id": "' + b"a" * 22 + b'", "name": 7}'), "spotify_unreadable"),
        (Told(200, b'"' + b"x" * 6_000_000), "answer_too_large"),
        (Told(200, b"{}", {"Content-Encoding": "gzip"}), "answer_unreadable"),
        (Told(302, b"", {"Location": "https://api.spotify.com/v1/me"}), "spotify_unreadable"),
        (Told(400, b"Bad"), "spotify_unreadable"),
        (Told(418, b"teapot"), "spotify_unreadable"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_broken(
    spotify: SpotifyClient, wire: FakeSpotifyWire, told: Told, code: str
) -> None:
    wire.fail("/v1/", told)
    with pytest.raises(Broken) as broken:
        await spotify.fetch_track(SONG)
    assert broken.value.code == code
    assert await spotify.fetch_track(SONG) == track(3)


@pytest.mark.parametrize("status", [200, 400, 403, 404])
async def test_an_owner_without_premium_is_told_apart_though_it_comes_as_plain_text(
    spotify: SpotifyClient, wire: FakeSpotifyWire, status: int
) -> None:
    wire.fail("/v1/", Told(status, PREMIUM, {"Content-Type": "text/plain"}))
    checked = await spotify.check()
    assert checked.code == "spotify_premium_needed"


async def test_another_403_is_forbidden_and_not_tried_again(spotify: SpotifyClient, wire: FakeSpotifyWire) -> None:
    wire.fail("/v1/", error(403, "Forbidden"), times=9)
    with pytest.raises(Forbidden) as forbidden:
        await spotify.fetch_album(SONG)
    assert (forbidden.value.code, wire.other_requests) == ("spotify_forbidden", 1)


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"token_type": "Bearer"}),
        as_json({"access_token": "a\r\nX-Evil: 1", "expires_in": 3600}),
        as_json({"access_token": "", "expires_in": 3600}),
        as_json({"access_token": "good", "expires_in": 0}),
        as_json({"access_token": "good", "expires_in": "soon"}),
        as_json({"access_token": "x" * 5000, "expires_in": 3600}),
        Told(302, b"", {"Location": "https://evil.example/"}),
    ],
)
async def test_a_token_that_is_none_is_not_used(spotify: SpotifyClient, wire: FakeSpotifyWire, answer: Told) -> None:
    wire.fail("/api/token", answer)
    with pytest.raises(Broken) as broken:
        await spotify.fetch_track(SONG)
    assert (broken.value.code, wire.other_requests) == ("spotify_unreadable", 0)


async def test_a_list_without_end_is_broken_off(spotify: SpotifyClient, wire: FakeSpotifyWire, world: World) -> None:
    page = {"items": [{"item": None}] * 50, "next": "https://api.spotify.com/v1/more"}
    wire.fail(f"/v1/playlists/{world.large.id}/items", as_json(page), times=999)
    with pytest.raises(Broken) as broken:
        await all_of(spotify.fetch_playlist(world.large.id))
    assert broken.value.code == "spotify_unreadable"
    assert wire.other_requests < 225


async def test_an_album_goes_on_behind_a_page_without_tracks(
    spotify: SpotifyClient, wire: FakeSpotifyWire, world: World
) -> None:
    album = world.album("Long")
    wire.fail(f"/v1/albums/{album.id}/tracks", as_json({"items": [], "next": "more", "limit": 50}))
    found = await spotify.fetch_album(album.id)
    assert [entry.position for entry in found.entries] == [*range(50), *range(100, 123)]


async def test_a_server_that_gives_less_than_was_asked_for_is_asked_for_the_next_at_its_own_pace(
    spotify: SpotifyClient, wire: FakeSpotifyWire, world: World
) -> None:
    page = {"items": [{"item": None}] * 18, "next": "more", "limit": 20}  # two of twenty are kept back
    wire.fail(f"/v1/playlists/{world.large.id}/items", as_json(page))
    first, second, *_ = await all_of(spotify.fetch_playlist(world.large.id))
    assert (len(first.entries), first.following, second.offset) == (18, 20, 20)


async def test_a_hidden_total_is_learnt_from_the_first_page(spotify: SpotifyClient, world: World) -> None:
    world.large.tells_total = False
    pages = await all_of(spotify.fetch_playlist(world.large.id))
    assert {page.head.total for page in pages} == {512}


async def test_without_an_account_pages_alone_answer_where_that_is_allowed(
    wire: FakeSpotifyWire, world: World, clock: QuickClock
) -> None:
    connect = without_network(wire)
    async with open_spotify(None, read_pages=True, clock=clock, connect=connect) as spotify:
        song = await spotify.fetch_track(SONG)
        album = await spotify.fetch_album(world.album("Long").id)
        (page,) = await all_of(spotify.fetch_playlist(world.large.id))
    assert (song.title, song.artists, song.cover) == (track(3).title, track(3).artists, track(3).cover)
    assert (len(album.tracks), album.via, album.artists) == (100, Via.PAGE, ("Ann", "Bob"))
    assert album.notice
    assert page.notice
    assert (album.notice.code, page.notice.code, page.is_cut) == ("first_only", "first_only", True)
    assert page.entries[3].skip is Skip.UNREADABLE
    assert {asked.path.split("/")[1] for asked in wire.asked} == {"embed"}


async def test_a_wrong_secret_is_not_hidden_behind_a_page(
    wire: FakeSpotifyWire, world: World, clock: QuickClock
) -> None:
    wrong = Credentials("an-app", "wrong")
    async with open_spotify(wrong, read_pages=True, clock=clock, connect=without_network(wire)) as spotify:
        with pytest.raises(Forbidden) as refused:
            await spotify.fetch_track(SONG)
    assert refused.value.code == "spotify_refused_credentials"


async def test_a_market_is_named_in_every_request_of_the_api(
    wire: FakeSpotifyWire, world: World, credentials: Credentials, clock: QuickClock
) -> None:
    connect = without_network(wire)
    async with open_spotify(credentials, market="DE", clock=clock, connect=connect) as spotify:
        await spotify.fetch_track(SONG)
        await spotify.fetch_album(world.album("Long").id)
        await all_of(spotify.fetch_playlist(world.empty.id))
    assert {asked.query.get("market") for asked in wire.asked if asked.path.startswith("/v1/")} == {"DE"}


async def test_no_secret_is_in_a_log_an_error_or_a_name(
    spotify: SpotifyClient, wire: FakeSpotifyWire, credentials: Credentials
) -> None:
    failures: list[SoundForgeError] = []
    with structlog.testing.capture_logs() as lines:
        for told in (Told(418, b"no"), error(403, "no"), Told(200, b"x")):
            wire.fail("/v1/", told)
            with pytest.raises(SoundForgeError) as failed:
                await spotify.fetch_track(SONG)
            failures.append(failed.value)
    told_of = f"{lines}{credentials}{spotify!r}{[vars(failure) for failure in failures]}"
    assert "its-secret" not in told_of
    assert "token-1" not in told_of


async def test_the_real_server_may_cut_its_answer_in_half(
    places: Places, wire: FakeSpotifyWire, credentials: Credentials, clock: QuickClock
) -> None:
    wire.fail("/v1/", Told(200, b'{"id"', missing=100), times=2)
    async with open_spotify(credentials, places=places, clock=clock) as spotify:
        assert await spotify.fetch_track(SONG) == track(3)
    assert len(clock.long_waits) == 2
