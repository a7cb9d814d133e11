"""Covers, from the file of a song to the stage and the bar at the bottom."""

import asyncio
import zlib
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, Route

from tests.support.audio import id3_with_cover, write_audio
from tests.support.browser import Visit, evaluate, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

RED = [200, 30, 40]


def png(colour: list[int], size: int = 8) -> bytes:
    """A square of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = size.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    lines = (b"\0" + bytes(colour) * size) * size
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def write_song(path: Path, title: str, cover: bytes = b"") -> Path:
    plain = write_audio(path).read_bytes()
    path.write_bytes(id3_with_cover(cover, media_type="image/png", title=title) + plain if cover else plain)
    return path


async def colour_of(page: Page, square: Locator) -> list[int]:
    """What is drawn near a corner of the square, where the icon of a song without a cover does not reach."""
    drawn = """
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(argument)]));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      canvas.drawImage(bitmap, 0, 0);
      return [...canvas.getImageData(6, 6, 1, 1).data].slice(0, 3);"""
    found: list[int] = await evaluate(page, drawn, list(await square.screenshot(caret="initial")))
    return found


async def import_song(page: Page, song: Path, title: str) -> str:
    await page.set_input_files("#upload-files", song)
    row = page.locator(".row", has_text=title).filter(has=page.locator("[data-play]:not([disabled])"))
    await row.wait_for(timeout=60_000)
    return f"#{await row.get_attribute('id')}"


async def test_the_cover_in_a_file_is_seen_on_its_stage_and_in_the_bar_at_the_bottom(
    here: Visit, tmp_path: Path
) -> None:
    page = await here.live()
    red = await import_song(page, write_song(tmp_path / "red.mp3", "Red", png(RED)), "Red")
    plain = await import_song(page, write_song(tmp_path / "plain.mp3", ""), "plain")
    stage, bar = page.locator(".track-head .cover"), page.locator("sf-player .cover")

    await page.click(f"{red} [data-play]")
    await until(page, "document.querySelector('sf-player .cover img').naturalWidth === 8")
    assert await colour_of(page, bar) == RED
    await page.click(f"{red} a")
    await until(page, "document.querySelector('.track-head .cover img')?.naturalWidth === 8")
    assert await colour_of(page, stage) == RED

    await page.click(f"{plain} [data-play]")
    await page.click(f"{plain} a")
    await page.wait_for_selector(".track-head .cover:not(:has(img))")
    assert await page.is_visible("sf-player .cover .icon")
    assert await colour_of(page, bar) == await colour_of(page, stage) != RED

    await page.click(".track-head [data-play]")  # it stops
    await page.click(f"{red} a")
    await page.click(".track-head:has(img) [data-play]")
    await until(page, "document.querySelector('sf-player .cover img').naturalWidth === 8")
    assert await colour_of(page, bar) == RED


async def test_where_a_cover_does_not_come_the_icon_is_seen(here: Visit, tmp_path: Path) -> None:
    here.expected += ["ERR_FAILED", "Failed to load resource"]
    page = await here.live()
    row = await import_song(page, write_song(tmp_path / "red.mp3", "Red", png(RED)), "Red")
    plain = await import_song(page, write_song(tmp_path / "plain.mp3", ""), "plain")

    asked = asyncio.Semaphore(0)

    async def refuse(route: Route) -> None:
        await route.abort()
        asked.release()

    await page.route("**/cover*", refuse)
    stage, bar = page.locator(".track-head .cover"), page.locator("sf-player .cover")
    await page.click(f"{plain} [data-play]")
    await page.click(f"{plain} a")
    await page.wait_for_selector(".track-head .cover:not(:has(img))")
    without = await colour_of(page, stage)
    await page.click(f"{row} [data-play]")
    await page.click(f"{row} a")
    for _ in (bar, stage):
        await asked.acquire()
    await page.wait_for_selector("#stage h1:text('Red')")
    await until(page, "!document.querySelector('.cover img')")
    assert await colour_of(page, bar) == await colour_of(page, stage) == without
    await page.reload()  # it is refused before a script could hear of it
    await asked.acquire()
    await until(page, "!document.querySelector('.cover img')")
    assert await colour_of(page, stage) == without
