"""The main job by the keyboard alone: log in, upload, play, open the track, mute a stem, take a stem home."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.test_new_user import ARTIST, QUEUES, SECONDS, TITLE, row_of
from tests.support.browser import PASSWORD, run_studio, until, visit
from tests.support.song import write_song

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]


async def command(page: Page, words: str) -> None:
    """Do what the palette finds first under these words."""
    await page.keyboard.press("Control+k")
    await page.wait_for_selector("dialog#palette[open]")
    await page.keyboard.type(words)
    first = page.locator("#palette-list [aria-selected=true]")
    await first.filter(has_text=re.compile(re.escape(words), re.IGNORECASE)).wait_for()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog#palette:not([open])", state="attached")


async def focus(page: Page, selector: str) -> None:
    """Press Tab until it has the focus."""
    for _ in range(60):
        if await page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reached {selector}")


async def type_in(page: Page, text: str) -> None:
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def upload(page: Page, song: Path) -> None:
    async with page.expect_file_chooser() as choosing:
        await page.keyboard.press("i")
        await focus(page, "#upload-files")
        await page.keyboard.press("Enter")
    await (await choosing.value).set_files(song)
    await page.wait_for_selector(".upload[data-state='completed']")
    await page.keyboard.press("Escape")


async def test_the_main_job_is_done_without_a_mouse(dsn: str, tmp_path: Path, browser: Browser) -> None:
    song = write_song(tmp_path / "take 3.flac", seconds=SECONDS, title=TITLE, artist=ARTIST)
    async with run_studio(dsn, tmp_path / "data", queues=QUEUES) as studio, visit(browser, studio) as visiting:
        page = await visiting.open(studio.link.removeprefix(studio.url))
        await focus(page, "input[type=password]")
        await type_in(page, PASSWORD)
        await page.wait_for_selector("#link[data-state='live']")
        await command(page, "log out")
        await page.wait_for_url("**/login")
        await type_in(page, PASSWORD)
        await page.wait_for_selector("#link[data-state='live']")
        await upload(page, song)
        row = await row_of(page)
        await page.wait_for_selector(f"{row} [data-play]:not([disabled])")
        await page.keyboard.press("j")
        await page.keyboard.press("p")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#stage[data-view=track] h1")
        await until(page, "mixer.sources.length === 4 && mixer.playing", within_s=90)
        await command(page, "mute vocals")
        await page.wait_for_selector("[data-stem=vocals] [data-act=mute][aria-pressed=true]", state="attached")
        async with page.expect_download() as waiting:
            await command(page, "download vocals")
        assert (await waiting.value).suggested_filename == f"{ARTIST} - {TITLE} (vocals).flac"
