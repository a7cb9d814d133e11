"""One browser and one studio for all tests here; every test is a person of its own in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from soundforge import accounts
from soundforge.db import Database, open_database, transaction
from soundforge.tables import User
from tests.support.accounts import set_password
from tests.support.browser import FLAGS, Studio, Visit, run_studio, visit
from tests.support.db import TestServer
from tests.support.leaks import keep_process, our_children
from tests.support.require import chromium
from tests.support.song import write_song

type Entering = Callable[..., Awaitable[Visit]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; each visit opens a context of its own."""
    before = our_children()
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for process in our_children() - before:
            keep_process(process.pid)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(postgres: TestServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """The studio of this run, set up long ago."""
    dsn = postgres.create_database()
    async with open_database(dsn), transaction() as session:
        owner = await accounts.ensure_owner(session)
        await set_password(session, owner, str(uuid4()))
    async with run_studio(dsn, tmp_path_factory.mktemp("house"), kept=True) as studio:
        yield studio
    postgres.drop_database(dsn)


@pytest_asyncio.fixture(loop_scope="session")
async def rows(house: Studio) -> AsyncIterator[Database]:
    """The database of the studio, open in the test as well."""
    async with open_database(house.dsn) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="session")
async def person(rows: Database) -> User:
    """Somebody who has just joined: no music, no jobs."""
    return await new_person()


@pytest_asyncio.fixture(loop_scope="session")
async def here(house: Studio, browser: Browser, person: User) -> AsyncIterator[Visit]:
    """That somebody's browser, logged in."""
    async with visit(browser, house, await cookie_of(person)) as visiting:
        yield visiting


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_dsn(dsn: str) -> str:
    """A database that nobody used yet."""
    return dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def musician(house: Studio, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> AsyncIterator[str]:
    """Somebody with one finished song; gives the cookie."""
    async with open_database(house.dsn):
        cookie = await cookie_of(await new_person("admin"))
    song = write_song(tmp_path_factory.mktemp("song") / "x.flac", seconds=8, title="Quiet: Fire", artist="Ana/B")
    async with visit(browser, house, cookie) as visiting:
        page = await visiting.live()
        await page.set_input_files("#upload-files", song)
        await page.wait_for_selector(".row .stems i >> nth=3", timeout=90_000, state="attached")
        await page.wait_for_selector(".row .column-key .key", timeout=90_000, state="attached")
    yield cookie


@pytest_asyncio.fixture(loop_scope="session")
async def studio_of_song(musician: str, house: Studio, browser: Browser) -> AsyncIterator[tuple[Visit, Page]]:
    """That somebody before their song's stage."""
    async with visit(browser, house, musician) as visiting:
        page = await visiting.live()
        await page.click(".row a")
        await page.wait_for_selector("#stage[data-view=track] .strip >> nth=3")
        yield visiting, page


async def new_person(role: str = "member") -> User:
    """Add a user of the bound database."""
    async with transaction() as session:
        return await accounts.add_user(session, f"user-{uuid4().hex[:8]}", role=role)


async def cookie_of(user: User) -> str:
    """Log a user in without a password; the text of the cookie."""
    async with transaction() as session:
        return await accounts.start_session(session, user.id, agent="tests")


@pytest.fixture
def song_folder(tmp_path: Path) -> Path:
    """Where a test writes its songs."""
    return tmp_path
