"""Where the room's requests may go (SSRF): nowhere but to Spotify, whatever its answers, its names or a file say.

Seven places fetch something: the token, a track, an album, its next page, a playlist, its entries, the page for
embedding; and covers are the eighth. Each is led astray in every way that its answer could try.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import httpx2
import pytest

from soundforge.errors import Broken, SoundForgeError
from soundforge.http import Client, GuardedTransport, Service
from soundforge.spotify import Cover, Credentials, SpotifyClient, open_spotify
from soundforge.spotify._read import read_cover
from tests.support.fake_spotify_clock import QuickClock
from tests.support.fake_spotify_server import FakeSpotifyWire, Told, as_json, transport_to
from tests.support.fake_spotify_world import World, track

OURS = {"api.spotify.com", "accounts.spotify.com", "open.spotify.com", "i.scdn.co", "mosaic.scdn.co"}
ASTRAY = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://127.0.0.1:5432/",
    "https://[::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://2130706433/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "//evil.example/",
    "https://api.spotify.com@evil.example/",
    "http://[",
    "https://i.scdn.co:99999/",
    "\x00",
]
PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0"]

type Fetch = Callable[[SpotifyClient, World], Awaitable[object]]


async def whole_playlist(spotify: SpotifyClient, world: World) -> object:
    return [page async for page in spotify.fetch_playlist(world.large.id)]


async def page_of_a_closed_one(spotify: SpotifyClient, world: World) -> object:
    return [page async for page in spotify.fetch_playlist(world.closed.id)]


async def a_cover(spotify: SpotifyClient, world: World) -> object:
    return await spotify.fetch_cover(track(1).cover or Cover(""))


PLACES: dict[str, tuple[str, Fetch]] = {
    "token": ("/api/token", lambda spotify, _: spotify.fetch_track(track(1).id)),
    "track": ("/v1/tracks/", lambda spotify, _: spotify.fetch_track(track(1).id)),
    "album": ("/v1/albums/", lambda spotify, world: spotify.fetch_album(world.album("Long").id)),
    "album-next": ("/v1/albums/{album}/tracks", lambda spotify, world: spotify.fetch_album(world.album("Long").id)),
    "playlist": ("/v1/playlists/{large}", whole_playlist),
    "entries": ("/v1/playlists/{large}/items", whole_playlist),
    "page": ("/embed/", page_of_a_closed_one),
    "cover": ("/image/", a_cover),
}


class Sent:
    """Makes clients whose names are looked up in a book, and keeps who was asked at which address."""

    def __init__(self, wire: FakeSpotifyWire) -> None:
        self.wire = wire
        self.book: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str]] = []

    def connect(self, service: Service) -> Client:
        inner = transport_to(self.wire)

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.asked.append((request.headers["host"], request.url.host))
            return inner.handler(request)  # type: ignore[return-value]  # it is no coroutine

        transport = GuardedTransport(service, inner=httpx2.MockTransport(answer), resolve=self.look_up)
        return httpx2.AsyncClient(transport=transport)

    async def look_up(self, host: str, port: int) -> list[str]:
        found = self.book.get(host, ["93.184.215.14"])
        return [found.pop(0)] if len(found) > 1 else found


@pytest.fixture
def sent(wire: FakeSpotifyWire) -> Sent:
    return Sent(wire)


async def outcome(sent: Sent, credentials: Credentials, clock: QuickClock, fetch: Fetch, world: World) -> str:
    """What a fetch ends with: a code of ours, or ``fine``; any other exception fails the test."""
    async with AsyncExitStack() as stack:
        opening = open_spotify(credentials, read_pages=True, clock=clock, connect=sent.connect)
        spotify = await stack.enter_async_context(opening)
        try:
            await fetch(spotify, world)
        except SoundForgeError as failure:
            return failure.code
    return "fine"


@pytest.mark.parametrize("place", PLACES)
async def test_a_redirect_leads_nowhere(
    place: str, sent: Sent, wire: FakeSpotifyWire, world: World, credentials: Credentials, clock: QuickClock
) -> None:
    path, fetch = PLACES[place]
    path = path.format(album=world.album("Long").id, large=world.large.id)
    for status in (301, 302, 303, 307, 308):
        for address in ASTRAY:
            wire.faults.clear()
            wire.fail(path, Told(status, b"", {"Location": address}))
            code = await outcome(sent, credentials, clock, fetch, world)
            assert code in {"spotify_unreadable", "spotify_page_changed"}, (status, address)
    assert {host for host, _ in sent.asked} <= OURS


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_into_the_house_is_not_followed(
    place: str, address: str, sent: Sent, world: World, credentials: Credentials, clock: QuickClock
) -> None:
    host = {"token": "accounts.spotify.com", "page": "open.spotify.com", "cover": "i.scdn.co"}.get(place)
    sent.book[host or "api.spotify.com"] = [address]
    assert await outcome(sent, credentials, clock, PLACES[place][1], world) == "address_not_allowed"
    assert address not in {at for _, at in sent.asked}


async def test_a_name_that_changes_its_address_meanwhile_is_caught(
    sent: Sent, world: World, credentials: Credentials, clock: QuickClock
) -> None:
    """Rebinding: good for some requests, then the metadata server of a cloud."""
    sent.book["api.spotify.com"] = ["93.184.215.14", "93.184.215.15", "169.254.169.254"]
    assert await outcome(sent, credentials, clock, whole_playlist, world) == "address_not_allowed"
    assert {at for _, at in sent.asked} == {"93.184.215.14", "93.184.215.15"}


@pytest.mark.parametrize("address", ASTRAY)
async def test_the_address_of_a_next_page_is_not_even_looked_at(
    address: str, sent: Sent, wire: FakeSpotifyWire, world: World, credentials: Credentials, clock: QuickClock
) -> None:
    page = {"items": [{"item": None}], "next": address, "href": address}
    wire.fail(f"/v1/playlists/{world.large.id}/items", as_json(page))
    assert await outcome(sent, credentials, clock, whole_playlist, world) == "fine"
    assert {host for host, _ in sent.asked} <= OURS


NO_COVERS = [
    *ASTRAY,
    f"http://i.scdn.co/image/{'a' * 40}",
    f"https://i.scdn.co.evil.example/image/{'a' * 40}",
    f"https://i.scdn.co@evil.example/image/{'a' * 40}",
    f"https://i.scdn.co:8443/image/{'a' * 40}",
    f"https://I.SCDN.CO/image/{'a' * 40}",
    f"https://i.scdn.co/image/{'a' * 40}/../../x",
    f"https://i.scdn.co/image/{'a' * 40}\n",
    f"https://i.scdn.co/image/{'a' * 39}g",
    f"https://evil.example/?https://i.scdn.co/image/{'a' * 40}",
    7,
    None,
    ["https://i.scdn.co/"],
]


@pytest.mark.parametrize("address", NO_COVERS)
def test_an_address_elsewhere_is_no_cover(address: object) -> None:
    assert read_cover(address) is None


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (f"https://i.scdn.co/image/{'a' * 40}", f"https://i.scdn.co/image/{'a' * 40}"),
        (f"https://image-cdn-ak.spotifycdn.com/image/{'b' * 40}", f"https://i.scdn.co/image/{'b' * 40}"),
        (f"https://mosaic.scdn.co/300/{'c' * 160}", f"https://mosaic.scdn.co/640/{'c' * 160}"),
    ],
)
def test_a_cover_is_its_name_alone_and_its_address_is_made_of_it(address: str, url: str) -> None:
    cover = read_cover(address)
    assert cover
    assert cover.url == url


@pytest.mark.parametrize("name", ["", "..", "a/../../x", "@evil.example/", "a" * 40 + "?x", "A" * 40])
async def test_a_cover_of_another_name_is_not_asked_for(
    name: str, spotify: SpotifyClient, wire: FakeSpotifyWire
) -> None:
    """A name may come from a row that is years old."""
    with pytest.raises(Broken) as refused:
        await spotify.fetch_cover(Cover(name))
    assert (refused.value.code, wire.asked) == ("spotify_unreadable", [])


async def test_the_page_holds_a_token_that_is_not_used(
    sent: Sent, wire: FakeSpotifyWire, world: World, credentials: Credentials, clock: QuickClock
) -> None:
    await outcome(sent, credentials, clock, page_of_a_closed_one, world)
    assert "not for us" not in json.dumps([asked.headers for asked in wire.asked])
    assert all("authorization" not in asked.headers for asked in wire.asked if asked.path.startswith("/embed/"))
