"""The row of tools: what is marked goes round, what is set shows, and the keyboard does it all."""

import pytest

from tests.web.js.conftest import Studio, evaluate
from tests.web.js.server import BEAT_S

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]
MIX = """
  const { mixOf } = await import("/static/v1/js/mix.js");
  const mix = mixOf("t4");
"""


async def test_a_drag_on_a_timeline_loops_whole_beats_and_with_alt_what_was_drawn(studio: Studio) -> None:
    page = await studio.open()
    await page.wait_for_selector("sf-timeline canvas")
    box = await page.locator(".overview sf-timeline").bounding_box()
    assert box
    for alt in (False, True):
        if alt:
            await page.keyboard.down("Alt")
        await page.mouse.move(box["x"] + box["width"] * 0.251, box["y"] + 80)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.4017, box["y"] + 80, steps=4)
        await page.mouse.up()
        region = await evaluate(page, MIX + "await until(() => mix.settings.looping); return mix.settings.region;")
        beats = [region[edge] / BEAT_S for edge in ("start_s", "end_s")]
        off = max(abs(beat - round(beat)) for beat in beats)
        assert (off > 0.05) if alt else (off < 0.001)
        assert region["start_s"] == pytest.approx(0.251 * 96, abs=BEAT_S)
        assert await page.get_attribute('[data-act="loop"]', "aria-pressed") == "true"
        await page.keyboard.up("Alt")
    assert "0:24 to 0:38" in await page.inner_text("[data-told=region]")


async def test_bars_sections_and_edges_are_looped_by_keyboard(studio: Studio) -> None:
    page = await studio.open()
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held);")
    await page.evaluate("document.dispatchEvent(new CustomEvent('sf:seek', {detail: {track: 't4', seconds: 27}}))")
    await evaluate(page, MIX + "await until(() => mixer.grid && mixer.position > 27);")
    await page.keyboard.press("l")
    chorus = await evaluate(page, MIX + "return mix.settings.region;")
    assert (chorus["start_s"], chorus["end_s"]) == (
        pytest.approx(24, abs=BEAT_S / 2),
        pytest.approx(40, abs=BEAT_S / 2),
    )
    await page.focus("[aria-label='What goes round']")
    await page.keyboard.press("Enter")
    await page.focus("[data-act='loop-2']")
    await page.keyboard.press("Enter")
    bars = await evaluate(page, MIX + "return mix.settings.region;")
    assert bars["end_s"] - bars["start_s"] == pytest.approx(8 * BEAT_S, abs=0.001)
    await page.keyboard.press("Escape")
    await page.keyboard.press("l")
    assert await page.get_attribute('[data-act="loop"]', "aria-pressed") == "false"
    await page.keyboard.press("]")
    edge = await evaluate(page, MIX + "return mix.settings;")
    assert edge["looping"] is True
    assert edge["region"]["end_s"] != bars["end_s"]


async def test_a_stem_is_muted_in_the_marked_region_and_sounds_again(studio: Studio) -> None:
    page = await studio.open()
    button = page.locator('[data-stem="drums"] [data-act="mute-region"]')
    assert await button.is_disabled()
    await evaluate(page, MIX + "mix.set({ region: { start_s: 8, end_s: 24 } });")
    assert await button.get_attribute("aria-label") == "Mute drums from 0:08 to 0:24"
    await button.click()
    assert await evaluate(page, MIX + "return mix.strip('drums').mutes;") == [[8, 24]]
    assert await button.get_attribute("aria-pressed") == "true"
    await button.click()
    assert await evaluate(page, MIX + "return mix.strip('drums').mutes;") == []


async def test_tempo_and_pitch_show_what_is_set_and_hold_for_the_song_that_plays(studio: Studio) -> None:
    page = await studio.open()
    await page.fill('input[data-act="tempo"]', "80")
    await page.focus('input[data-act="pitch"]')
    await page.keyboard.press("ArrowRight")
    assert await page.inner_text('output[data-told="tempo"]') == "80 %"
    assert await page.get_attribute('input[data-act="pitch"]', "aria-valuetext") == "+1 st"
    await page.click(".stage [data-play]")
    told = await evaluate(
        page,
        """
        await until(() => mixer.playing && !mixer.held);
        const node = await mixer.node;
        return new Promise((resolve) =>
          node.port.addEventListener("message", ({ data }) => data.sounds && resolve(data.tempo)));
        """,
    )
    assert told == pytest.approx(0.8)
    await page.click('[data-act="mix-reset"]')
    assert await page.inner_text('output[data-told="tempo"]') == "100 %"
    assert await page.inner_text('output[data-told="pitch"]') == "0 st"


async def test_what_was_left_is_there_again_and_what_is_done_is_kept_a_moment_later(studio: Studio) -> None:
    state = {"version": 1, "strips": {"bass": {"db": -6, "pan": 0.5, "mutes": []}}, "tempo": 0.75}
    studio.app.state.mixes[""] = {"id": "left", "name": "", "link": None, "state": state}
    page = await studio.open()
    await evaluate(page, MIX + "await until(() => mix.settings.tempo === 0.75);")
    assert await page.inner_text('output[data-told="tempo"]') == "75 %"
    assert await page.inner_text('[data-stem="bass"] output') == "−6.0 dB"
    await page.click('[data-stem="drums"] [data-act="mute"]')
    await evaluate(page, "await new Promise((resolve) => setTimeout(resolve, 1500));")
    kept = studio.app.state.mixes[""]["state"]
    assert kept["strips"]["drums"]["muted"] is True
    assert kept["tempo"] == 0.75
    await page.click("sf-mixes summary")
    await page.fill("#mix-name", "Without drums")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".mix-list >> text=Without drums", state="attached")
    assert studio.app.state.mixes["Without drums"]["state"]["stems_job"] is None
    await page.click('[data-act="mix-reset"]')
    await page.click("sf-mixes summary")
    await page.click(".mix-list >> text=Without drums")
    assert await page.get_attribute('[data-stem="drums"] [data-act="mute"]', "aria-pressed") == "true"
