"""The timeline in a real browser: quick to draw, seeks by pointer and keys, tells a screen reader where it is."""

import logging
import statistics

import pytest

from tests.web.js.conftest import Studio, evaluate, until
from tests.web.js.server import BEAT_S, DURATION_S

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

_log = logging.getLogger(__name__)
OVERVIEW = ".overview sf-timeline"


async def playing(studio: Studio) -> None:
    """Open the page and play its track."""
    page = await studio.open()
    await page.click(".stage [data-play]")
    await page.wait_for_selector("sf-player[data-playing]:not([data-stalled])")


async def test_five_timelines_are_drawn_in_a_few_milliseconds_and_never_while_playing(studio: Studio) -> None:
    await playing(studio)
    drawn = await evaluate(
        studio.page,
        """
        const all = [...document.querySelectorAll("sf-timeline")];
        const times = [];
        for (let i = 0; i < 5; i++) {
          for (const timeline of all) timeline.drawn_ms = -1;
          document.dispatchEvent(new CustomEvent("sf:theme"));
          await until(() => all.every((timeline) => timeline.drawn_ms >= 0));
          times.push(all.reduce((sum, timeline) => sum + timeline.drawn_ms, 0));
        }
        for (const timeline of all) timeline.drawn_ms = -1;
        let measured = 0;
        const width = Object.getOwnPropertyDescriptor(Element.prototype, "clientWidth");
        const get = function () {
          measured++;
          return width.get.call(this);
        };
        Object.defineProperty(Element.prototype, "clientWidth", { ...width, get });
        const from = mixer.position;
        await until(() => mixer.position > from + 0.3);
        return { times, measured, redrawn: all.filter((timeline) => timeline.drawn_ms >= 0).length, count: all.length };
        """,
    )
    _log.info("five timelines drawn in %s ms", drawn["times"])
    assert drawn["count"] == 5
    assert statistics.median(drawn["times"]) < 50
    assert drawn["redrawn"] == drawn["measured"] == 0


async def test_the_canvas_shows_the_wave_in_the_colour_of_its_stem(studio: Studio) -> None:
    page = await studio.open()
    await until(page, "[...document.querySelectorAll('sf-timeline')].every((one) => one.drawn_ms > 0)")
    share = await evaluate(
        page,
        """
        const pixels = (stem) => {
          const canvas = document.querySelector(`sf-timeline[data-stem="${stem}"] canvas`);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let full = 0, blueish = 0;
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] < 250) continue;
            full++;
            if (data[i + 2] > data[i] + 40) blueish++;
          }
          return { full, blueish };
        };
        await until(() => pixels("bass").full > 500 && pixels("drums").full > 500);
        return { bass: pixels("bass"), drums: pixels("drums") };
        """,
    )
    assert share["bass"]["blueish"] > 0.9 * share["bass"]["full"]
    assert share["drums"]["blueish"] == 0


async def test_a_click_seeks_there_and_starts_the_track_when_another_one_or_none_plays(studio: Studio) -> None:
    page = await studio.open()
    box = await page.locator(OVERVIEW).bounding_box()
    assert box is not None
    await page.evaluate("document.addEventListener('sf:seek', ({ detail }) => (window.sought = detail.seconds))")
    for share in (1 / 2, 1 / 4):
        await page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        await page.wait_for_selector("sf-player[data-playing]:not([data-stalled])")
        assert abs(await page.evaluate("window.sought") - DURATION_S * share) < 0.5
        since_s = await evaluate(page, "return mixer.position - window.sought;")  # it plays on while we ask
        assert -0.5 < since_s < DURATION_S * share / 2
    await page.keyboard.press(" ")
    await page.wait_for_selector("sf-player:not([data-playing])")
    position_s = await evaluate(page, "return mixer.position;")
    head = await page.locator(f"{OVERVIEW} .playhead").bounding_box()
    assert head is not None
    assert abs(head["x"] - (box["x"] + box["width"] * position_s / DURATION_S)) < 12


async def test_arrows_step_by_beats_and_the_slider_says_where_it_is(studio: Studio) -> None:
    await playing(studio)
    page = studio.page
    await page.keyboard.press(" ")
    await page.wait_for_selector("sf-player:not([data-playing])")
    await page.focus(OVERVIEW)
    await page.keyboard.press("Home")
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    assert abs(await evaluate(page, "return mixer.position;") - 3 * BEAT_S) < 0.001
    await page.keyboard.press("ArrowLeft")
    assert abs(await evaluate(page, "return mixer.position;") - 2 * BEAT_S) < 0.001
    await page.keyboard.press("Shift+ArrowRight")
    assert abs(await evaluate(page, "return mixer.position;") - 6 * BEAT_S) < 0.001
    await page.click(".sections button:has-text('Chorus')")
    told = f"document.querySelector('{OVERVIEW}').getAttribute('aria-valuetext')"
    await until(page, f"{told} === '0:24 of 1:36, chorus'")


async def test_zoom_acts_on_all_timelines_of_a_track_and_the_page_turns_with_the_play_head(studio: Studio) -> None:
    await playing(studio)
    page = studio.page
    seen = await evaluate(
        page,
        """
        const { viewOf } = await import("/static/v1/js/view.js");
        const view = viewOf("t4", 96);
        for (let i = 0; i < 5; i++) document.querySelector('[data-zoom="2"]').click();
        const zoomed = view.end_s - view.start_s;
        await mixer.seek(view.end_s - 0.1);
        await until(() => view.start_s > 0);
        document.querySelector('.strip sf-timeline').zoom(0.001);
        return { zoomed, whole: view.whole };
        """,
    )
    assert abs(seen["zoomed"] - 3) < 0.001
    assert seen["whole"] is True


async def test_the_waveform_comes_as_fine_as_it_is_shown_and_finer_only_when_zoomed(studio: Studio) -> None:
    await studio.open()
    seen = await evaluate(
        studio.page,
        """
        const asked = () => performance.getEntriesByType("resource").map(({ name }) => name)
          .filter((name) => name.includes("samples_per_pixel")).map((name) => Number(name.split("=")[1]));
        const all = [...document.querySelectorAll("sf-timeline")];
        const has = (timeline) => timeline.drawn_ms > 0 && timeline.querySelector(".timeline-note") === null;
        await until(() => all.every(has) && asked().length >= all.length);
        const first = [...new Set(asked())];
        for (let i = 0; i < 5; i++) document.querySelector('[data-zoom="2"]').click();
        await until(() => asked().filter((level) => level === 256).length === all.length);
        return { first, last: asked().slice(-1)[0], column: (44100 * 96) / all[0].clientWidth };
        """,
    )
    (first,) = seen["first"]
    assert first <= seen["column"] < 4 * first
    assert seen["last"] == 256


async def test_a_layer_is_a_file_and_its_name(studio: Studio) -> None:
    page = await studio.open()
    layer = "export default { top: 10, draw(pen, scene, band) { window.drawn = [scene.width, band.y, band.height]; } };"
    await page.route("**/layers/marks.js", lambda route: route.fulfill(body=layer, content_type="text/javascript"))
    await page.evaluate("""
        const timeline = document.createElement("sf-timeline");
        timeline.dataset.layers = "sections marks grid";
        timeline.dataset.duration = "10";
        document.querySelector(".stage").append(timeline);
    """)
    await until(page, "!!window.drawn")
    assert (await page.evaluate("window.drawn"))[1:] == [20, 10]


async def test_singing_is_drawn_where_it_is_likely_and_a_guess_is_not(studio: Studio) -> None:
    page = await studio.open()
    drawn = await evaluate(
        page,
        """
        const { default: layer } = await import("/static/v1/js/layers/vocals.js");
        const draw = (confidence) => {
          const boxes = [];
          const document = { vocals: { spans: [{ start_s: 8, end_s: 56, confidence }] } };
          const scene = { document, start_s: 0, end_s: 96, width: 960, x: (at_s) => 10 * at_s, colour: () => "red" };
          layer.draw({ fillRect: (...box) => boxes.push(box) }, scene, { y: 0, height: 5 });
          return boxes;
        };
        return [draw(0.9), draw(0.5)];
        """,
    )
    assert drawn == [[[80, 1, 480, 3]], []]


async def test_pictures_keep_their_colours_where_nothing_may_move(studio: Studio) -> None:
    await studio.page.emulate_media(reduced_motion="reduce")
    page = await studio.open()
    layer = "export default { draw(pen, scene) { window.inks = ['--accent', '--warn', '--text'].map(scene.colour); } };"
    await page.route("**/layers/inks.js", lambda route: route.fulfill(body=layer, content_type="text/javascript"))
    await page.evaluate("""
        const timeline = document.createElement("sf-timeline");
        timeline.dataset.layers = "inks";
        timeline.dataset.duration = "10";
        document.querySelector(".stage").append(timeline);
    """)
    await until(page, "!!window.inks")
    assert len({*await page.evaluate("window.inks")}) == 3
