"""A small Spotify for each test, and three that answer for it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from soundforge.http import Client, Service, client
from soundforge.spotify import Credentials, Places, SpotifyApi, SpotifyClient, open_spotify
from tests.support.fake_spotify import FakeSpotify
from tests.support.fake_spotify_clock import QuickClock
from tests.support.fake_spotify_server import FakeSpotifyWire, serving_spotify, transport_to
from tests.support.fake_spotify_world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def credentials(world: World) -> Credentials:
    return Credentials(world.client_id, world.client_secret)


@pytest.fixture
def wire(world: World) -> FakeSpotifyWire:
    return FakeSpotifyWire(world)


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def places(wire: FakeSpotifyWire) -> Iterator[Places]:
    """Where the server on loopback is."""
    with serving_spotify(wire) as found:
        yield found


def without_network(wire: FakeSpotifyWire) -> Callable[[Service], Client]:
    """Make clients with the real addresses and all the checks of ``http``, whose last step is a function."""
    return lambda service: client(service, transport=transport_to(wire))


@pytest.fixture
async def spotify(wire: FakeSpotifyWire, credentials: Credentials, clock: QuickClock) -> AsyncIterator[SpotifyClient]:
    """The real client with its real addresses, without a network."""
    async with open_spotify(credentials, clock=clock, connect=without_network(wire)) as opened:
        yield opened


class Subjects:
    """Opens the Spotify under test, with the credentials and permissions that a test wants."""

    def __init__(self, kind: str, wire: FakeSpotifyWire, clock: QuickClock, places: Places | None) -> None:
        self.kind, self.wire, self.clock, self.places = kind, wire, clock, places

    @asynccontextmanager
    async def open(self, credentials: Credentials | None, *, read_pages: bool = False) -> AsyncIterator[SpotifyApi]:
        async with AsyncExitStack() as stack:
            yield await self._enter(stack, credentials, read_pages=read_pages)

    async def _enter(self, stack: AsyncExitStack, credentials: Credentials | None, *, read_pages: bool) -> SpotifyApi:
        if self.kind == "memory":
            return FakeSpotify(self.wire.world, credentials, read_pages=read_pages)
        if self.places:
            opening = open_spotify(credentials, read_pages=read_pages, places=self.places, clock=self.clock)
        else:
            connect = without_network(self.wire)
            opening = open_spotify(credentials, read_pages=read_pages, clock=self.clock, connect=connect)
        return await stack.enter_async_context(opening)


@pytest.fixture(params=["memory", "server", "adapter"])
def subjects(request: pytest.FixtureRequest, wire: FakeSpotifyWire, clock: QuickClock) -> Subjects:
    """The fake in memory, the client over a server on loopback, the client as it is shipped."""
    places = request.getfixturevalue("places") if request.param == "server" else None
    return Subjects(request.param, wire, clock, places)


@pytest.fixture
async def api(subjects: Subjects, credentials: Credentials) -> AsyncIterator[SpotifyApi]:
    """The Spotify under test, set up well."""
    async with subjects.open(credentials) as opened:
        yield opened
