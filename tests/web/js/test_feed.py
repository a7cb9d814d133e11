"""How sound comes to the worklet: past the page's own thread, and what happens when it does not come."""

import asyncio

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Route

from tests.web.js.conftest import Studio, evaluate
from tests.web.js.server import RATE
from tests.web.js.test_engine import frames_of, record

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]
BLOCK = 128


async def asked(studio: Studio, second: float) -> None:
    """Wait until the sound at a second was asked for."""
    async with asyncio.timeout(15):
        while not any(first == round(second * RATE) for _files, first, _frames in studio.app.state.runs):
            await asyncio.sleep(0.005)


def steady(frames: NDArray[np.int64], start_s: float, end_s: float) -> NDArray[np.int64]:
    """The first frames of those whole blocks, heard between two seconds, that do not fade in or out."""
    blocks = frames.reshape(-1, BLOCK)
    firsts = blocks[(np.diff(blocks, axis=1) == 1).all(axis=1)][:, 0]
    return firsts[(firsts >= start_s * RATE) & (firsts < end_s * RATE)]


async def test_a_seek_sounds_while_the_page_itself_is_busy(studio: Studio) -> None:
    heard = await record(
        studio,
        ["ruler-a"],
        "",
        """
        await mixer.play();
        await until(() => !mixer.held && mixer.position > 0.2);
        await mixer.seek(60);
        const end = performance.now() + 1500;
        while (performance.now() < end);
        """,
    )
    landed = steady(frames_of(heard), 60, 62)
    assert len(landed) * BLOCK > RATE // 2
    assert landed[0] == 60 * RATE + BLOCK  # the block of the ramp went before
    assert (np.diff(landed) == BLOCK).all()


async def test_of_two_seeks_in_a_row_the_last_one_sounds_and_nothing_of_the_first(studio: Studio) -> None:
    studio.app.state.withheld = {40 * RATE}

    async def release() -> None:
        await asked(studio, 60)
        studio.app.state.released.set()

    releasing = asyncio.create_task(release())
    heard = await record(
        studio,
        ["ruler-a"],
        "",
        """
        await mixer.play();
        await until(() => !mixer.held && mixer.position > 0.2);
        await mixer.seek(40);
        await until(() => mixer.held);
        await mixer.seek(60);
        await until(() => !mixer.held && mixer.position > 60.3);
        """,
    )
    await releasing
    frames = frames_of(heard)
    assert len(steady(frames, 0, 39)) > 0
    assert len(steady(frames, 39, 59)) == 0
    assert steady(frames, 60, 62)[0] == 60 * RATE + BLOCK


async def test_sound_that_is_here_before_the_worklet_waits_for_it(studio: Studio) -> None:
    page = studio.page

    async def late(route: Route) -> None:
        await asked(studio, 3)  # so that what leads has been answered
        await route.continue_()

    await page.route("**/mixer-worklet.js", late)
    await studio.open()
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held && mixer.position > 0.2);")


@pytest.mark.parametrize(("status", "words"), [(404, "no longer there"), (401, "sign in again")])
async def test_a_sound_that_is_not_to_be_had_is_told_in_words(studio: Studio, status: int, words: str) -> None:
    studio.expected.append("Failed to load resource")
    page = await studio.open()
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held);")
    studio.app.state.refused = status
    await evaluate(page, "await mixer.seek(60);")
    await page.wait_for_selector(f".toast:has-text('{words}')")
    assert await evaluate(page, "return mixer.playing;") is False
    studio.app.state.refused = 0
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held && mixer.position > 60.2);")


@pytest.mark.parametrize("status", [503, 200])
async def test_a_seek_whose_answer_fails_or_breaks_off_is_asked_for_again(studio: Studio, status: int) -> None:
    studio.expected.append("Failed to load resource")
    page = await studio.open()
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held);")
    studio.app.state.refused = status
    await evaluate(page, "await mixer.seek(60);")
    await asked(studio, 60)
    studio.app.state.refused = 0
    await evaluate(page, "await until(() => mixer.playing && !mixer.held && mixer.position > 60.2);")


async def test_sound_is_asked_for_until_the_server_is_back(studio: Studio) -> None:
    studio.expected.append("Failed to load resource")
    page = await studio.open()
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held);")
    studio.app.state.refused = 503
    await evaluate(page, "await mixer.seek(60);")
    async with asyncio.timeout(30):
        while sum(first == 60 * RATE for _files, first, _frames in studio.app.state.runs) < 6:
            await asyncio.sleep(0.01)
    assert await evaluate(page, "return [mixer.playing, mixer.failure];") == [True, ""]
    studio.app.state.refused = 0
    await evaluate(page, "await until(() => mixer.playing && !mixer.held && mixer.position > 60.2);")


async def test_without_the_worker_it_is_told_in_words_and_with_it_the_song_plays(studio: Studio) -> None:
    studio.expected += ["Failed to load resource", "fetcher.js"]
    page = studio.page
    await page.route("**/fetcher.js", lambda route: route.abort())
    await studio.open()
    await page.click(".stage [data-play]")
    await page.wait_for_selector(".toast:has-text('reload the page')")
    assert await evaluate(page, "return mixer.playing;") is False
    await page.unroute("**/fetcher.js")
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held && mixer.position > 0.2);")
