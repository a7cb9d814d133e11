"""Over plain HTTP from another machine there is no mixer: the page says so, and the song plays all the same."""

import pytest

from tests.web.js.conftest import READY, Studio, evaluate, until

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_over_plain_http_the_song_plays_whole_and_one_sentence_says_what_is_missing(studio: Studio) -> None:
    page = studio.page
    await page.goto(studio.url.replace("127.0.0.1", "studio.lan") + "/")
    await until(page, READY)
    assert await page.evaluate("window.isSecureContext") is False
    told = await page.inner_text(".plain-note")
    assert "HTTPS" in told
    assert "localhost" in told
    assert told.count(".") == 1
    assert await page.is_disabled("[aria-label=Tempo]")
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held && mixer.position > 0.2);")
    await evaluate(page, "await mixer.seek(27); await until(() => !mixer.held && mixer.position > 27.1);")
    await until(page, "document.querySelector('sf-player output').textContent === '0:27'")
    await page.keyboard.press(" ")
    await page.wait_for_selector("sf-player:not([data-playing])")
    assert await page.locator(".plain-note").count() == 1
