"""The page around the sound: the stream and its badge, keys, uploads, long lists, dialogs, toasts."""

import pytest

from tests.web.js.conftest import Studio, evaluate, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

BADGE = "document.getElementById('link').dataset.state"


async def test_a_feed_whose_first_connect_is_refused_is_tried_again_until_it_is_live(studio: Studio) -> None:
    studio.expected += ["Failed to load resource", "503"]
    studio.app.state.refusals = 2
    page = await studio.open()
    await until(page, f"{BADGE} === 'offline' && document.getElementById('link').innerText === 'offline'")
    await until(page, f"{BADGE} === 'live'")
    assert studio.app.state.refusals == 0
    # the message that came with it changed one bar, and nothing of the refusals was put into the page
    await until(page, "document.getElementById('progress-job-0').value === 64")
    assert await page.locator("text=not now").count() == 0


async def test_a_feed_that_breaks_off_says_so_and_comes_back(studio: Studio) -> None:
    page = await studio.open()
    await until(page, f"{BADGE} === 'live'")
    await page.evaluate("""
      window.states = [];
      new MutationObserver(() => window.states.push(document.getElementById("link").dataset.state))
        .observe(document.getElementById("link"), { attributeFilter: ["data-state"] });
    """)
    studio.app.state.stopping.set()
    await until(page, "window.states.includes('connecting')")
    studio.app.state.stopping.clear()
    await until(page, f"{BADGE} === 'live' && window.states.at(-1) === 'live'")


async def test_keys_walk_the_rows_search_and_stay_out_of_inputs(studio: Studio) -> None:
    page = await studio.open()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    focused = await page.evaluate("document.activeElement.id")
    await page.keyboard.press("k")
    assert focused != await page.evaluate("document.activeElement.id")
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "search"
    await page.keyboard.type("j k 1 ?")
    assert await page.input_value("#search") == "j k 1 ?"
    assert await page.locator("dialog[open]").count() == 0
    assert await page.locator('[data-act="solo"][aria-pressed="true"]').count() == 0
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    assert await page.locator("dialog#keys[open]").count() == 1
    await page.keyboard.press("Escape")
    assert await page.locator("dialog[open]").count() == 0


async def test_files_are_sent_one_by_one_and_a_refusal_is_told_in_words(studio: Studio) -> None:
    studio.expected.append("Failed to load resource")
    page = await studio.open()
    await page.keyboard.press("i")
    files = [
        {"name": "one.wav", "mimeType": "audio/wav", "buffer": b"x" * 1000},
        {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": b"y"},
        {"name": "two 🎹.flac", "mimeType": "audio/flac", "buffer": b"z" * 2000},
    ]
    await page.set_input_files("#upload-files", files)  # type: ignore[arg-type] # a list of payloads is taken
    await page.wait_for_selector(".upload:has-text('two 🎹.flac') .upload-state:text('imported 2000 bytes')")
    await page.wait_for_selector(".upload:has-text('one.wav')[data-state='completed']")
    await page.wait_for_selector(".upload[data-state='failed'] p:text('This is not an audio file.')")


async def test_a_long_list_keeps_few_rows_and_brings_the_first_ones_back(studio: Studio) -> None:
    page = await studio.open("/?state=empty")
    await page.goto(studio.url + "/?state=list")
    most = 0
    for first in range(0, 2000, 100):
        await page.evaluate("document.getElementById('library').scrollTop = 1e9")
        await until(page, f"!!document.getElementById('track-n{first}')")
        most = max(most, await page.locator(".row").count())
    assert most <= 700
    assert await page.locator("#track-t1").count() == 0
    await page.evaluate("document.getElementById('library').scrollTop = 0")
    await until(page, "!!document.getElementById('track-n0') && document.querySelectorAll('.row').length <= 700")


async def test_the_row_that_is_open_is_marked_and_only_the_stage_is_fetched_into_place(studio: Studio) -> None:
    page = await studio.open("/?state=empty")
    await page.goto(studio.url + "/?state=list")
    await until(page, "!!window.htmx && !!document.getElementById('track-n0')")
    await page.evaluate("window.list = document.getElementById('library')")
    await page.click("#track-t4 a")
    await page.wait_for_selector("#stage[data-view='track'] h1")
    await page.wait_for_selector("#track-t4[aria-selected='true']")
    assert await page.evaluate("window.list === document.getElementById('library')") is True
    assert page.url.endswith("state=track")


async def test_a_refusal_of_the_server_is_a_toast_and_never_lands_in_the_page(studio: Studio) -> None:
    studio.expected.append("Failed to load resource")
    page = await studio.open()
    await page.route("**/retry", lambda route: route.fulfill(status=500, body="<h1>Traceback</h1>"))
    await page.click("[aria-label='Retry Amber Delta']")
    await page.wait_for_selector(".toast[data-tone='bad']:has-text('could not do that')")
    assert await page.locator("text=Traceback").count() == 0
    await page.click(".toast [aria-label='Dismiss']")
    await until(page, "!document.querySelector('.toast')")


async def test_the_theme_is_chosen_kept_and_drawn(studio: Studio) -> None:
    page = await studio.open()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    before = await page.evaluate(ground)
    await page.click("[data-theme-switch]")
    assert before != await page.evaluate(ground)
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") == "light"
    assert await evaluate(page, "return mixer.playing;") is False
