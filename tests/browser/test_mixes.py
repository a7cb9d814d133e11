"""Mixes on the real studio: kept, lent to another member, rendered to a file that sounds as the page did."""

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from playwright.async_api import Browser, Page, Response

from soundforge.db import open_database
from tests.browser.conftest import cookie_of, new_person
from tests.support.browser import Studio, Visit, evaluate, until, visit
from tests.support.song import write_song

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(300),
]
# The page's own engine, fed with the page's own chunks, without a device: what the page plays, from the first frame on.
PLAYED = """
  const { Engine } = await import(app.replace("app.js", "engine/engine.js"));
  const { mixOf } = await import(app.replace("app.js", "mix.js"));
  const mix = mixOf(document.querySelector("#stage").dataset.track);
  mix.setStrip("vocals", { db: -4.5, pan: -0.4 });
  mix.setStrip("bass", { mutes: [[1.2, 1.9]] });
  mix.setStrip("other", { muted: true });
  const strips = [...document.querySelectorAll(".strip")].map(({ dataset }) => dataset);
  const names = strips.map(({ stem }) => stem);
  const rate = 44100, length = 8 * rate;
  const engine = new Engine(rate, null, () => null);
  const gains = strips.map(({ stem, gainDb }) => mix.gains(stem, names, Number(gainDb)));
  const mutes = names.map((name) => mix.strip(name).mutes.map((edges) => edges.map((edge) => Math.round(edge * rate))));
  engine.receive({ type: "open", id: 1, at: 0, generation: 0, length, chunkFrames: rate, gains, mutes });
  for (const [source, { file }] of strips.entries()) {
    for (let index = 0; index < 8; index++) {
      const answer = await fetch(`/audio/${file}/pcm?from=${index * rate}&frames=${rate}`);
      const data = await answer.arrayBuffer();
      engine.receive({ type: "chunks", set: 1, source, index, count: 1, channels: 2, data });
    }
  }
  engine.receive({ type: "play" });
  const blocks = [];
  for (let frame = 0; frame + 256 < length; frame += 128) {
    const [left, right] = [new Float32Array(128), new Float32Array(128)];
    engine.process(left, right, frame / rate);
    blocks.push(left, right);
  }
  const reader = new FileReader();
  reader.readAsDataURL(new Blob(blocks));
  await new Promise((resolve) => (reader.onload = resolve));
  return reader.result.split(",")[1];
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def band(house: Studio, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> AsyncIterator[list[str]]:
    """Two members; the first has a finished song. Their cookies."""
    async with open_database(house.dsn):
        cookies = [await cookie_of(await new_person()) for _ in range(2)]
    song = write_song(tmp_path_factory.mktemp("song") / "x.flac", seconds=8, title="Ours", artist="Band")
    async with visit(browser, house, cookies[0]) as visiting:
        page = await visiting.live()
        await page.set_input_files("#upload-files", song)
        await page.wait_for_selector(".row .stems i >> nth=3", timeout=120_000, state="attached")
        await page.wait_for_selector(".row .column-key .key", timeout=120_000, state="attached")
    yield cookies


@pytest_asyncio.fixture(loop_scope="session")
async def stage(band: list[str], house: Studio, browser: Browser) -> AsyncIterator[tuple[Visit, Page]]:
    """The first member before the song."""
    async with visit(browser, house, band[0]) as visiting:
        page = await visiting.live()
        await page.click(".row a")
        await page.wait_for_selector("#stage[data-view=track] .strip >> nth=3")
        yield visiting, page


def _kept(answer: Response) -> bool:
    return answer.request.method == "PUT" and '"tempo":0.8' in (answer.request.post_data or "")


async def test_a_mix_is_there_again_after_a_reload_and_another_member_hears_it_by_its_link(
    stage: tuple[Visit, Page], band: list[str], house: Studio, browser: Browser
) -> None:
    _, page = stage
    await page.click("[aria-label='Mute Drums']")
    async with page.expect_response(_kept):
        await page.fill("[aria-label='Tempo']", "80")
    await page.reload()
    await page.wait_for_selector("[aria-label='Mute Drums'][aria-pressed=true]")
    assert await page.inner_text("output[data-told=tempo]") == "80 %"
    await page.click("sf-mixes summary")
    await page.fill("#mix-name", "No drums")
    await page.keyboard.press("Enter")
    item = page.locator(".mix-list li", has_text="No drums")
    await item.wait_for()
    async with page.expect_response(lambda answer: answer.url.endswith("/link")) as waiting:
        await item.locator("[data-act=link]").dispatch_event("click")
    link = (await (await waiting.value).json())["link"]
    async with visit(browser, house, band[1]) as visiting:
        guest = await visiting.open(link.removeprefix("/"))
        await guest.wait_for_selector("[aria-label='Mute Drums'][aria-pressed=true]")
        await guest.click("#stage [data-play]")
        await until(
            guest, "mixer.playing && !mixer.held && mixer.sources.length === 4 && mixer.position > 0.3", within_s=20
        )
        assert (
            await evaluate(guest, "return mixer.peaks[mixer.sources.findIndex(({ name }) => name === 'drums')];") == 0
        )
        assert await guest.locator("text=Shared by").count() == 1
        assert not any("/api/" in request for request in visiting.requests)


async def test_a_rendered_mix_sounds_as_the_page_did(stage: tuple[Visit, Page]) -> None:
    _, page = stage
    await page.click("[aria-label='All as recorded']")
    packed = await evaluate(page, PLAYED)
    played = np.frombuffer(base64.b64decode(packed), "<f4").reshape(-1, 2, 128).transpose(0, 2, 1).reshape(-1, 2)
    await page.click("sf-mixes summary")
    await page.select_option("#mix-format", "wav32f")
    await page.click("sf-mixes >> text=Render >> nth=-1")
    made = page.locator("#stage .menu a[download]", has_text="(mix).wav")
    await made.wait_for(state="attached", timeout=90_000)
    await page.keyboard.press("Escape")
    await page.click("summary[aria-label=Download]")
    async with page.expect_download() as waiting:
        await made.click()
    samples, _ = soundfile.read(io.BytesIO(Path(await (await waiting.value).path()).read_bytes()))
    apart = np.abs(samples[128 : len(played)] - played[128:])  # the first block fades in
    assert np.abs(played).max() > 0.2
    assert apart.max() < 3 * 2**-15  # three stems, each cut to 16 bits on its way to the page


async def test_two_separations_are_compared_by_one_key_while_the_sound_goes_on(stage: tuple[Visit, Page]) -> None:
    _, page = stage
    await page.click("#stage [aria-label=More]")
    await page.click("#stage >> text=Separate again")
    await page.click("#separate button[type=submit]")
    await page.wait_for_selector(".stem-sets button >> nth=1", timeout=90_000)
    await page.wait_for_selector("#separate", state="hidden")
    await page.click("#stage [data-play]")
    # round and round: the song is short, and at its end nothing would play any more
    await evaluate(page, "mixer.mix.set({ region: { start_s: 0, end_s: 8 }, looping: true });")
    await until(page, "mixer.playing && !mixer.held && mixer.sources.length === 4 && mixer.position > 0.3", within_s=20)
    files = "mixer.sources.map(({ file }) => file).join()"
    first, stalls = await evaluate(page, f"return [{files}, mixer.stalls];")
    await page.keyboard.press("b")
    await until(page, f"{files} !== {first!r} && mixer.set > 0 && mixer.sources.length === 4")
    other, since = await evaluate(page, f"return [{files}, mixer.position];")
    await until(page, f"mixer.playing && !mixer.held && Math.abs(mixer.position - {since}) > 0.2")
    assert {*first.split(",")} & {*other.split(",")} == set()
    assert await evaluate(page, "return mixer.stalls;") == stalls
    async with page.expect_response(lambda answer: answer.request.method == "PUT"):
        await page.keyboard.press("b")
    await until(page, f"{files} === {first!r}")
    assert await page.locator(".stem-sets [aria-pressed=true]").count() == 1


async def test_a_mix_at_another_tempo_is_taken_home_at_that_tempo(stage: tuple[Visit, Page]) -> None:
    _, page = stage
    await page.fill("[aria-label='Tempo']", "80")
    await page.click("sf-mixes summary")
    await page.select_option("#mix-format", "flac24")
    await page.click("sf-mixes >> text=Render >> nth=-1")
    made = page.locator("#stage .menu a[download]", has_text="(mix 80 %).flac")
    await made.wait_for(state="attached", timeout=90_000)
    await page.keyboard.press("Escape")
    await page.click("summary[aria-label=Download]")
    async with page.expect_download() as waiting:
        await made.click()
    samples, rate = soundfile.read(io.BytesIO(Path(await (await waiting.value).path()).read_bytes()))
    assert len(samples) == round(8 * rate / 0.8)
    assert np.abs(samples).max() > 0.1
