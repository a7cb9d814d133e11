"""Cue points as a DJ sets them: by keys, by dragging a flag, in two tabs at once; and taken home in the JSON."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.browser import Studio, Visit, evaluate, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]


async def test_a_hot_cue_is_set_jumped_to_dragged_and_deleted_in_every_tab(
    studio_of_song: tuple[Visit, Page], house: Studio
) -> None:
    visiting, page = studio_of_song
    other = await visiting.live(page.url.removeprefix(house.url))
    await page.keyboard.press("3")
    await page.wait_for_selector(".toast:has-text('play-head')")  # nothing plays yet
    await page.click("#stage [data-play]")
    await until(page, "mixer.playing && !mixer.held && mixer.grid")
    await page.keyboard.press(" ")
    await until(page, "!mixer.playing")
    await page.evaluate("document.activeElement.blur()")
    await evaluate(page, "await mixer.seek(3.1);")
    await page.keyboard.press("3")
    for tab in (page, other):
        await tab.wait_for_selector(".pad[data-pad='3'][data-set] .numbers")
    at = float(await page.get_attribute(".pad[data-pad='3']", "data-at") or "")
    grid = await evaluate(page, "return mixer.grid.beats;")
    assert min(abs(beat - at) for beat in grid) < 1e-3  # on a beat, though the play-head was not
    assert 0 < abs(at - 3.1) < 0.26

    await evaluate(page, "await mixer.seek(0);")
    await page.keyboard.press("3")
    await until(page, f"Math.abs(mixer.position - {at}) < 0.001")

    await _drag(page, by_s=1.0, at_s=at)
    for tab in (page, other):
        await until(tab, f"Math.abs(document.querySelector('.pad[data-pad=\"3\"]').dataset.at - {at} - 1) < 0.26")
    assert float(await page.get_attribute(".pad[data-pad='3']", "data-at") or "") in [round(beat, 4) for beat in grid]

    await page.keyboard.press("Shift+Digit3")
    for tab in (page, other):
        await tab.wait_for_selector(".pad[data-pad='3']:not([data-set])")
    await page.click(".toast >> text=Undo")
    for tab in (page, other):
        await tab.wait_for_selector(".pad[data-pad='3'][data-set]")
    await page.keyboard.press("Shift+Digit3")
    await other.wait_for_selector(".pad[data-pad='3']:not([data-set])")
    await other.close()


async def _drag(page: Page, *, by_s: float, at_s: float) -> None:
    """Pull the flag of the cue at a second along the timeline."""
    box = await page.locator(".overview sf-timeline").bounding_box()
    assert box is not None
    scale = box["width"] / 8  # the song is eight seconds long
    y = box["y"] + 20 + 18 + 6  # below the sections and the chords
    await page.mouse.move(box["x"] + at_s * scale + 4, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + (at_s + by_s) * scale + 4, y, steps=5)
    await page.mouse.up()


async def test_what_was_found_is_taken_over_named_coloured_nudged_and_taken_home(
    studio_of_song: tuple[Visit, Page],
) -> None:
    _, page = studio_of_song
    await page.click("text=Take over what was found")
    await page.wait_for_selector(".pad[data-pad='1'][data-set][data-at]")
    at = float(await page.get_attribute(".pad[data-pad='1']", "data-at") or "")
    await page.focus("[aria-label='Change hot cue 1']")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Los <b>geht's</b> 🎹")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".pad[data-pad='1'] .clip:has-text(\"Los <b>geht's</b> 🎹\")")
    await page.click("[aria-label='Change hot cue 1']")
    await page.click("[aria-label='A beat later']")
    await until(page, f"Math.abs(document.querySelector('.pad[data-pad=\"1\"]').dataset.at - {at} - 0.5) < 0.01")
    await page.check(".cue-edit [value=pink]")
    await page.wait_for_selector(".pad[data-pad='1'][data-colour=pink]")
    await page.keyboard.press("Escape")
    await page.wait_for_selector(".cue-edit", state="hidden")
    await page.click("summary[aria-label=Download]")
    async with page.expect_download() as waiting:
        await page.click("text=Analysis (JSON)")
    document = json.loads(Path(await (await waiting.value).path()).read_text())
    first = document["cue_points"][0]
    assert (first["slot"], first["name"], first["colour"]) == (1, "Los <b>geht's</b> 🎹", "pink")
    assert first["t_s"] == pytest.approx(at + 0.5, abs=0.01)
    for cue in await page.locator(".pad[data-set]").all():
        await page.keyboard.press(f"Shift+Digit{await cue.get_attribute('data-pad')}")
    await until(page, "document.querySelectorAll('.pad[data-set]').length === 0")
