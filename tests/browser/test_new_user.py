"""A new user's first hour in half a minute; the one browser test that `make test` runs."""

import base64
import io
import itertools
from pathlib import Path

import pytest
import soundfile
from playwright.async_api import Browser, Page

from soundforge import jobs
from soundforge.db import open_database, transaction
from tests.support.browser import PASSWORD, Visit, evaluate, run_studio, until, visit
from tests.support.song import write_song

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("chromium"), pytest.mark.timeout(180)]

# No maintenance: the demo song would take the engines first.
QUEUES = "imports:2,processing:2,analysis:2,exports:1"
TITLE, ARTIST = "Glass Tide", "Ana & the Šea"
SECONDS = 24
RECORD = """
  window.sound = [];
  setInterval(() => {
    const { position, sources, playing, held } = mixer;
    window.sound.push({ at: performance.now(), position, sources: sources.length, steady: playing && !held });
    if (sources.length === 1 && position > 20) mixer.seek(0.5); // a slow machine would let it end
  }, 20);
"""
DROP = """([name, content]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  for (const what of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(what, { dataTransfer, bubbles: true, cancelable: true }));
}"""
BARS = """
  window.bars = {};
  new MutationObserver((changes) => {
    for (const { target } of changes)
      if (target.matches?.("#newest-jobs progress")) (window.bars[target.id] ??= new Set()).add(target.value);
  }).observe(document.getElementById("newest-jobs"), { subtree: true, childList: true, attributes: true });
"""


async def test_a_new_user_hears_their_song_and_its_stems_and_takes_one_home(
    dsn: str, tmp_path: Path, browser: Browser
) -> None:
    song = write_song(tmp_path / "take 3.flac", seconds=SECONDS, title=TITLE, artist=ARTIST)
    await let_separations(dsn, wait=True)
    async with run_studio(dsn, tmp_path / "data", queues=QUEUES) as studio, visit(browser, studio) as visiting:
        page = await enter(visiting, studio.link)
        other = await visiting.live()
        await page.evaluate(f"async () => {{ {BARS} }}")
        await drop_file(page, song)
        row = await row_of(page)
        await play_at_once(page, row)
        await let_separations(dsn, wait=False)
        await watch_the_bars(page)
        await stems_take_over(page)
        await everything_is_live_in_the_other_tab(other, row)
        await reload_keeps_everything(page)
        await search_finds_it(page, row)
        await a_stem_downloads(page)


async def let_separations(dsn: str, *, wait: bool) -> None:
    """On a slow machine the stems would be there before the browser has asked for the mix."""
    async with open_database(dsn, pool_size=1), transaction() as session:
        await jobs.change_queue(session, "processing", paused=wait)


async def enter(visiting: Visit, link: str) -> Page:
    """By the first-run link: a password, and the library stands open."""
    page = await visiting.open(link.removeprefix(visiting.studio.url))
    await page.fill("input[type=password]", PASSWORD)
    await page.click("text=Enter the studio")
    await page.wait_for_selector("#link[data-state='live']")
    return page


async def drop_file(page: Page, song: Path) -> None:
    """Drop a file on the page; the dialog that opens by it goes away on Escape."""
    await page.evaluate(DROP, [song.name, base64.b64encode(song.read_bytes()).decode()])
    await page.wait_for_selector("dialog#import[open]")
    await page.wait_for_selector(".upload[data-state='completed']")
    await page.keyboard.press("Escape")


async def row_of(page: Page) -> str:
    """Its row comes by itself."""
    row = page.locator(".row", has_text=TITLE).filter(has_text=ARTIST)
    await row.wait_for(timeout=40_000)
    return f"#{await row.get_attribute('id')}"


async def play_at_once(page: Page, row: str) -> None:
    """The mix plays from the transport bar while engines still work; the stage shows the song."""
    await page.wait_for_selector(f"{row} [data-play]:not([disabled])")
    await evaluate(page, RECORD)
    await page.click(f"{row} [data-play]")
    await page.click(f"{row} a")
    await until(page, "mixer.playing && !mixer.held && mixer.position > 0.2")
    assert await page.inner_text("sf-player [data-now=title]") == TITLE
    assert await evaluate(page, "return mixer.sources.map(({ name }) => name)") == ["mix"]
    await page.wait_for_selector("#stage[data-view=track] h1")


async def watch_the_bars(page: Page) -> None:
    """Some bar of the dock was on its way and arrived, without a reload."""
    moved = "[...seen].some((value) => value > 0 && value < 100) && seen.has(100)"
    await until(page, f"Object.values(window.bars).some((seen) => {moved})", within_s=60)


async def stems_take_over(page: Page) -> None:
    """Four stems, at the same position, while the sound goes on."""
    await until(page, "mixer.sources.length === 4", within_s=60)
    await until(page, "window.sound.filter(({ sources, steady }) => sources === 4 && steady).length > 5")
    told = await page.evaluate("window.sound")
    first = next(number for number, one in enumerate(told) if one["sources"] == 4)
    around = told[first - 5 : first + 5]
    assert all(one["steady"] for one in around)
    jumps = [abs((b["position"] - a["position"]) - (b["at"] - a["at"]) / 1000) for a, b in itertools.pairwise(around)]
    assert max(jumps) < 0.1, f"the sound jumped by {max(jumps):.2f} s"
    assert await page.locator("sf-mixer .strip").count() == 4


async def everything_is_live_in_the_other_tab(other: Page, row: str) -> None:
    """The tab that nobody touched shows the row with stems and figures."""
    await other.wait_for_selector(f"{row} .stems i >> nth=3")
    await other.wait_for_selector(f"{row} .column-key .key", timeout=40_000)
    assert await other.text_content(f"{row} .column-time") == "0:24"


async def reload_keeps_everything(page: Page) -> None:
    """After a reload song, stems and figures stand there again, and it plays from them."""
    await page.wait_for_selector(".figures .key", timeout=40_000)
    figures = await page.inner_text(".figures")
    await page.reload()
    await page.wait_for_selector("#link[data-state='live']")
    assert await page.inner_text("#stage h1") == TITLE
    assert await page.inner_text(".figures") == figures
    await page.click("#stage [data-play]")
    await until(page, "mixer.sources.length === 4 && mixer.playing && !mixer.held && mixer.position > 0.1")


async def search_finds_it(page: Page, row: str) -> None:
    """Without its accents and capitals; the other song is gone from the list."""
    await page.keyboard.press("/")
    await page.keyboard.type("glass sea")
    await until(page, "new URL(location).searchParams.get('q') === 'glass sea'")
    await page.wait_for_selector(row)
    assert await page.locator(".row").count() == 1


async def a_stem_downloads(page: Page) -> None:
    """By its name, as the FLAC it says it is."""
    async with page.expect_download() as waiting:
        await page.click("[aria-label='Download Vocals']")
    download = await waiting.value
    assert download.suggested_filename == f"{ARTIST} - {TITLE} (vocals).flac"
    data, rate = soundfile.read(io.BytesIO(Path(await download.path()).read_bytes()))
    assert (len(data), rate) == (SECONDS * 44100, 44100)
