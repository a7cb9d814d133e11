"""Readings of a list that break off, are held up, overtaken, cancelled or given in part: the list stays true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from soundforge import jobs, library, pipeline, views
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.errors import Forbidden, SoundForgeError, Unavailable
from soundforge.spotify import PlaylistPage
from soundforge.tables import Job, Kind, Playlist, Track
from tests.support.fake_spotify import FakeSpotify
from tests.support.fake_spotify_world import World, track
from tests.support.lists import DISTINCT, count, downloads, entries, titles, url, wanted
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def opened(database: Database, settings: Settings, world: World) -> AsyncIterator[Workshop]:
    async with open_workshop(settings, database, spotify=FakeSpotify(world, None), downloads=0) as workshop:
        await workshop.allow(world)
        yield workshop


class Torn(FakeSpotify):
    """Breaks off after so many pages, as often as it is told to, with ``refusal``."""

    def __init__(self, world: World, *tears: int) -> None:
        super().__init__(world, None)
        self.tears = list(tears)
        self.pages = 0
        self.refusal: SoundForgeError = Unavailable("Torn.", code="spotify_busy", retry_after_s=0.01)

    async def fetch_playlist(
        self, playlist_id: str, *, start: int = 0, snapshot_id: str = ""
    ) -> AsyncIterator[PlaylistPage]:
        left = self.tears.pop(0) if self.tears else None
        async for page in super().fetch_playlist(playlist_id, start=start, snapshot_id=snapshot_id):
            if left == 0:
                raise self.refusal
            left = None if left is None else left - 1
            self.pages += 1
            yield page


async def test_an_import_that_breaks_off_at_every_page_ends_the_same(
    database: Database, settings: Settings, world: World
) -> None:
    spotify = Torn(world, 0, *(11 * [1]))  # before the first page, and behind each
    async with open_workshop(settings, database, spotify=spotify, downloads=0) as workshop:
        await workshop.allow(world)
        job = await workshop.ended(await workshop.paste(url("playlist", world.large.id)))
        assert (job.status, job.run, job.error) == ("completed", 12, None)
        assert job.result == {"tracks": DISTINCT, "known": 12, "skipped": 16, "problems": []}
        assert await titles(await entries()) == wanted(world.large.rows)
        assert (await count(Track), await downloads()) == (DISTINCT, DISTINCT)
        assert spotify.pages == 11  # none was read twice


async def test_one_that_changed_while_its_import_lay_broken_is_read_from_the_start(
    database: Database, settings: Settings, world: World
) -> None:
    spotify = Torn(world, 4)
    world.large.change_after(5, lambda rows: rows.reverse())
    async with open_workshop(settings, database, spotify=spotify, downloads=0) as workshop:
        await workshop.allow(world)
        await workshop.ended(await workshop.paste(url("playlist", world.large.id)))
        assert await titles(await entries()) == wanted(world.large.rows)
        assert (await count(Track), await downloads()) == (DISTINCT, DISTINCT)


async def test_places_that_spotify_kept_back_are_told_and_not_counted_as_gone(opened: Workshop, world: World) -> None:
    link = url("playlist", world.large.id)
    await opened.ended(await opened.paste(link))
    world.large.gaps, world.large.version = frozenset({100}), 2
    job = await opened.ended(await opened.paste(link))
    assert job.status == "completed"
    assert await titles(await entries()) == wanted(world.large.rows)
    async with reading() as session:
        (playlist,) = await session.scalars(select(Playlist))
    assert playlist.notice == "Only 462 of 512 entries were given."


async def test_a_list_whose_reading_broke_off_says_so_until_it_is_read_to_its_end(
    database: Database, settings: Settings, world: World
) -> None:
    spotify = Torn(world)
    async with open_workshop(settings, database, spotify=spotify, downloads=0) as workshop:
        await workshop.allow(world)
        link = url("playlist", world.large.id)
        await workshop.ended(await workshop.paste(link))
        spotify.refusal = Forbidden("This app may not read playlists.", code="spotify_playlist_closed")
        spotify.tears = [2]
        world.large.rows.insert(0, track(500))
        world.large.version += 1
        job = await workshop.ended(await workshop.paste(link))
        assert (job.status, job.error_code) == ("failed", "spotify_playlist_closed")
        assert await notice_of(workshop) == (
            "Reading this list broke off after 100 of 513 entries: older ones may stand among them. Import it again."
        )
        await workshop.ended(await workshop.retry(job))
        assert await notice_of(workshop) is None
        assert await titles(await entries()) == wanted(world.large.rows)


class Held(FakeSpotify):
    """Keeps the first reading of a list waiting behind its first page."""

    def __init__(self, world: World) -> None:
        super().__init__(world, None)
        self.gates = [asyncio.Event()]
        self.gate = self.gates[0]

    async def fetch_playlist(
        self, playlist_id: str, *, start: int = 0, snapshot_id: str = ""
    ) -> AsyncIterator[PlaylistPage]:
        gate = self.gates.pop() if self.gates else None
        async for page in super().fetch_playlist(playlist_id, start=start, snapshot_id=snapshot_id):
            if page.offset and gate:
                await gate.wait()
            yield page


@asynccontextmanager
async def being_read(database: Database, settings: Settings, world: World) -> AsyncIterator[tuple[Held, Workshop, Job]]:
    """A list whose first page is in, and whose second one waits for ``gate``."""
    spotify = Held(world)
    async with open_workshop(settings, database, spotify=spotify, downloads=0) as workshop:
        await workshop.allow(world)
        job = await workshop.paste(url("playlist", world.large.id))
        await workshop.seen(job, lambda row: bool(row.params.get("offset")))
        yield spotify, workshop, job


async def test_a_list_that_is_being_read_is_not_said_to_be_broken_off(
    database: Database, settings: Settings, world: World
) -> None:
    async with being_read(database, settings, world) as (spotify, workshop, job):
        assert await notice_of(workshop) is None
        spotify.gate.set()
        await workshop.ended(job)


async def notice_of(workshop: Workshop) -> str | None:
    async with reading() as session:
        (playlist,) = (await views.list_playlist_views(session, workshop.owner_id)).rows
    return playlist.notice


async def test_of_two_readings_of_one_list_the_newer_writes_it(
    database: Database, settings: Settings, world: World
) -> None:
    async with being_read(database, settings, world) as (spotify, workshop, older):
        link = url("playlist", world.large.id)
        newer = await workshop.ended(await workshop.paste(f"{link}\nBob - Sky"))
        spotify.gate.set()
        assert [newer.status, (await workshop.ended(older)).status] == ["completed", "completed"]
        assert await titles(await entries()) == wanted(world.large.rows)  # nothing is marked as gone


async def test_a_list_that_was_removed_while_it_came_in_stays_removed(
    database: Database, settings: Settings, world: World
) -> None:
    async with being_read(database, settings, world) as (spotify, workshop, job):
        async with transaction() as session:
            (playlist,) = await session.scalars(select(Playlist))
            await library.remove_playlist(session, workshop.owner_id, playlist.id)
        spotify.gate.set()
        assert (await workshop.ended(job)).status == "completed"
        assert (await count(Playlist), await count(Track)) == (0, DISTINCT)


async def test_an_import_that_was_cancelled_asks_for_nothing_more(
    database: Database, settings: Settings, world: World
) -> None:
    gate = asyncio.Event()

    class Slow(FakeSpotify):
        async def fetch_playlist(
            self, playlist_id: str, *, start: int = 0, snapshot_id: str = ""
        ) -> AsyncIterator[PlaylistPage]:
            async for page in super().fetch_playlist(playlist_id, start=start, snapshot_id=snapshot_id):
                if page.offset:
                    await gate.wait()
                yield page

    async with open_workshop(settings, database, spotify=Slow(world, None), downloads=0) as workshop:
        await workshop.allow(world)
        job = await workshop.paste(url("playlist", world.large.id))
        await workshop.seen(job, lambda row: bool(row.params.get("offset")))
        async with transaction() as session:
            cancelled = await pipeline.request_cancel(session, workshop.owner_id, job.id)
        gate.set()  # the next page comes at the very moment
        for one in cancelled:
            await jobs.wake_cancelled(one)
        ended = await workshop.ended(job)
        assert (ended.status, ended.error_code) == ("failed", "cancelled")
        assert await count(Job, Job.kind == Kind.DOWNLOAD, Job.error_code.is_distinct_from("cancelled")) == 0
