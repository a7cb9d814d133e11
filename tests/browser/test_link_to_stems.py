"""From a pasted link to stems that play: a Spotify on loopback, the room's downloader, the real engines, a browser.

Once with a quick program of the tests in the tools' place, once with the real spotdl and yt-dlp and a local server in
the sites' place.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from soundforge import accounts, library
from soundforge.config import Settings
from soundforge.db import Database, open_database, reading, transaction
from soundforge.engines import ANALYZER, DECODER, SEPARATORS
from soundforge.events import open_listener
from soundforge.sources import Downloader, ToolDownloader
from soundforge.spotify import Skip, Track, open_spotify
from soundforge.tools import Tools
from soundforge.web import Studio as Web
from soundforge.web import bind_port, create_app, serve_web
from tests.browser.conftest import cookie_of
from tests.support.accounts import set_password
from tests.support.browser import Studio, Visit, evaluate, until, visit
from tests.support.fake_spotify_server import FakeSpotifyWire, serving_spotify
from tests.support.fake_spotify_world import FakePlaylist, World, identity
from tests.support.real_downloader import real_downloader
from tests.support.shelf_server import SOUND_HOST, shelf_server
from tests.support.sound_shelf import ARTIST, LENGTH_S, write_shelf
from tests.support.workshop import Workshop, open_workshop

pytestmark = [
    *(pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("chromium")),
    *(pytest.mark.browser, pytest.mark.timeout(300)),
]

PLAYLIST = "https://open.spotify.com/playlist/{}"
ENTRIES = "[...document.querySelectorAll('.entry .row-name .clip:first-child')].map((one) => one.textContent)"
PROGRAM = Path(__file__).resolve().parents[1] / "support" / "hostile_downloader.py"


def named(title: str) -> Track:
    """A song of the shelf, as Spotify tells of it."""
    return Track(
        identity(title), title, (ARTIST,), round(LENGTH_S * 1000), "Tides", isrc=f"GBAYE{sum(title.encode()):07}"
    )


def small_list(world: World) -> FakePlaylist:
    songs = [named(title) for title in ("Harbour", "Lantern", "source_gone")]
    songs[1] = replace(songs[1], duration_ms=0)  # a length that cannot be compared: the match is to be looked at
    world.tracks |= {song.id: song for song in songs}
    return world.add_playlist("Evening", [songs[0], Skip.LOCAL, songs[1], songs[0], songs[2]])


def downloader(folder: Path) -> ToolDownloader:
    """The shipped adapter over a program that gives out the shelf's songs."""
    folder.mkdir()
    write_shelf(folder)
    return ToolDownloader(
        Tools(folder / "tools"), programs=lambda name: [sys.executable, str(PROGRAM), name, str(folder)]
    )


@asynccontextmanager
async def served(workshop: Workshop, database: Database) -> AsyncIterator[Studio]:
    """The pages of this process, on a port of their own."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with open_listener() as listener:
        web = Web(workshop.settings, workshop.storage, listener)
        listening = bind_port(workshop.settings)
        serving = asyncio.create_task(serve_web(web, create_app(web), listening, told=told.set_result))
        try:
            yield Studio(database.dsn, workshop.settings.data, url=await told)
        finally:
            web.stopping.set()
            await serving


async def test_a_pasted_playlist_plays_as_stems(dsn: str, tmp_path: Path, browser: Browser) -> None:
    await pasted_playlist_plays(dsn, tmp_path / "data", browser, downloader(tmp_path / "shelf"))


@pytest.mark.engines
@pytest.mark.needs("downloader")
async def test_a_pasted_playlist_plays_as_stems_with_the_real_tools(dsn: str, tmp_path: Path, browser: Browser) -> None:
    """Every byte of sound came through spotdl and yt-dlp, the gate and HTTPS."""
    with shelf_server() as server:
        await pasted_playlist_plays(dsn, tmp_path / "data", browser, real_downloader(server))
        hosts = {asked.partition("/")[0] for asked in server.asked}
    assert hosts == {"music.youtube.com", "www.youtube.com", SOUND_HOST}


async def pasted_playlist_plays(dsn: str, data: Path, browser: Browser, downloader: Downloader) -> None:
    """The whole way, on the pages."""
    settings = Settings(_env_file=None, data=data, time_scale=0.05, port=0)
    world = World()
    evening, wire = small_list(world), FakeSpotifyWire(world)
    async with AsyncExitStack() as stack:
        places = stack.enter_context(serving_spotify(wire))
        database = await stack.enter_async_context(open_database(dsn))
        ports: dict[str, Any] = {"decoder": DECODER, "separators": SEPARATORS, "analyzer": ANALYZER}
        ports["spotify"] = await stack.enter_async_context(open_spotify(None, places=places))
        ports["downloader"] = downloader
        workshop = await stack.enter_async_context(open_workshop(settings, database, downloads=2, **ports))
        async with transaction() as session:
            owner = await accounts.ensure_owner(session)
            await set_password(session, owner, "correct horse battery")
        studio = await stack.enter_async_context(served(workshop, database))
        visiting = await stack.enter_async_context(visit(browser, studio, await cookie_of(owner)))
        visiting.expected.append("422")
        page = await visiting.live()
        await allow(page)
        await workshop.set("spotify_client_id", world.client_id)
        await workshop.set("spotify_client_secret", world.client_secret)
        await paste(page, f"{PLAYLIST.format(evening.id)}?si=1\nfile:///etc/passwd")
        await the_songs_come(page)
        await a_failure_says_why(page)
        await the_open_list_follows_its_source(visiting, workshop, evening)
        await stems_play(page)
        assert wire.other_requests <= 7  # head, entries, head, twice; one cover would be asked for if there were any
        async with reading() as session:
            found = await library.list_playlists(session, owner.id)
        assert [one.title for one in found.rows] == ["Evening"]


async def allow(page: Page) -> None:
    """Nothing is fetched before somebody has read what that means."""
    await page.keyboard.press("i")
    await page.click("text=I have read this: allow it")
    await page.wait_for_selector("#paste textarea")


async def paste(page: Page, text: str) -> None:
    """What was recognised shows before anything starts; then the dialog goes away by itself."""
    await page.fill("#paste textarea", text)
    await page.wait_for_selector("#recognised >> text=1 of 2 lines can be imported.")
    assert await page.locator("#recognised li").all_inner_texts()
    await page.click("#paste button:has-text('Import')")
    await page.wait_for_selector("dialog#import:not([open])", state="attached")


async def the_songs_come(page: Page) -> None:
    """Rows come by themselves; one is marked, and the import counts them."""
    await page.locator(".row", has_text="Harbour").wait_for(timeout=60_000)
    await page.locator(".row", has_text="Lantern").get_by_text("check me").wait_for(timeout=60_000)
    await page.locator("#newest-jobs .job-note", has_text="2 of 3 songs, 1 failed").wait_for(timeout=60_000)
    await page.locator("#newest-jobs").get_by_text("Retry failed (1)").wait_for()


async def a_failure_says_why(page: Page) -> None:
    """The stage of a song without audio says why, and what to do."""
    await page.locator(".row", has_text="source_gone").locator("a").click()
    await page.wait_for_selector("#stage .source >> text=This source is gone or is not public")
    await page.wait_for_selector("#stage >> text=Choose another source")


async def the_open_list_follows_its_source(visiting: Visit, workshop: Workshop, evening: FakePlaylist) -> None:
    """Five places in their order, one left out; what comes, moves and goes shows without loading the page anew."""
    page = await visiting.open("playlists")
    await page.click("text=Evening")
    await page.wait_for_selector(".entry")
    await shows(page, ["Harbour", "A file of mine", "Lantern", "Harbour", "source_gone"])
    await evaluate(page, "window.stayed = true")
    harbour, local, lantern, again, _gone = evening.rows
    evening.rows[:] = [lantern, harbour, Skip.REMOVED, local, again]
    evening.version += 1
    assert (await workshop.ended(await workshop.paste(PLAYLIST.format(evening.id)))).status == "completed"
    await shows(page, ["Lantern", "Harbour", "–", "A file of mine", "Harbour"])
    assert await evaluate(page, "return window.stayed") is True
    assert "1 gone since" in await page.inner_text(".list-head")
    await page.close()


async def shows(page: Page, titles: list[str]) -> None:
    await until(
        page,
        f"JSON.stringify({ENTRIES}) === {json.dumps(json.dumps(titles, ensure_ascii=False, separators=(',', ':')))}",
        within_s=20,
    )


async def stems_play(page: Page) -> None:
    """Four stems of the fetched song play."""
    await page.locator(".row", has_text="Harbour").locator("a").click()
    await page.wait_for_selector("sf-mixer .strip", timeout=90_000)
    await page.click("#stage .track-head [data-play]")
    await until(page, "mixer.playing && mixer.sources.length === 4 && mixer.position > 0.2", within_s=60)
    assert len(await evaluate(page, "return mixer.sources.map(({ name }) => name)")) == 4
