"""What a person does with their songs, on the real studio: correct, delete, separate again, pack, cancel, retry."""

import io
import json
import zipfile
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import soundfile
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page
from sqlalchemy import insert

from soundforge import jobs, library
from soundforge.db import Database, transaction
from soundforge.library._search import search_fields
from soundforge.tables import Kind, Track, User
from tests.browser.conftest import cookie_of
from tests.support.browser import Studio, Visit, evaluate, until, visit
from tests.support.song import write_song

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

# Long, from right to left, with pictures, and one that wants to be markup.
TITLES = (("A very long title " * 12).strip(), "שיר של ערב 🎹", "🜂 Élan & <b>vital</b>", 'He said "../../etc"')


async def add_track(owner: User, title: str, artist: str = "Somebody") -> UUID:
    """Put a row into the library, as if its files were somewhere."""
    track_id = uuid4()
    async with transaction() as session:
        words = {"title": title, "artist": artist, "album": ""}
        fields = {"id": track_id, "owner_id": owner.id, "duration_ms": 61_000, **words, **search_fields(**words)}
        await session.execute(insert(Track), [fields])
    return track_id


async def add_failed_job(owner_id: UUID, track_id: UUID, kind: Kind = Kind.SEPARATION) -> UUID:
    """Fail a job for good, by the moves that are allowed: it is cancelled while it waits."""
    async with transaction() as session:
        job = await jobs.add_job(session, kind=kind, owner_id=owner_id, unique_key=f"{track_id}", track_id=track_id)
        await jobs.request_cancel(session, owner_id, job.id)
    return job.id


async def test_words_are_corrected_everywhere_at_once_and_a_refused_form_says_why(here: Visit, person: User) -> None:
    here.expected.append("422")
    track_id = await add_track(person, "Wrnog")
    page = await here.live(f"tracks/{track_id}")
    other = await here.live()
    await page.click("text=Edit")
    await page.fill("#title", "x" * 301)
    await page.click("#edit-form >> text=Save")
    error = await page.wait_for_selector("#title-error")
    assert await error.inner_text() == "At most 300 characters."
    assert await page.locator("dialog#edit[open]").count() == 1
    assert await page.get_attribute("#title", "aria-invalid") == "true"
    await page.fill("#title", TITLES[2])
    await page.fill("#artist", TITLES[1])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog#edit:not([open])", state="attached")
    for tab in (page, other):
        await until(tab, f"document.querySelector('#track-{track_id} a').textContent === {json.dumps(TITLES[2])}")
    await until(page, f"document.querySelector('#stage h1').textContent === {json.dumps(TITLES[2])}")
    assert await page.locator("b b, h1 b").count() == 0


async def test_an_open_menu_of_the_stage_stays_open_when_the_stage_is_drawn_anew(here: Visit, person: User) -> None:
    track_id = await add_track(person, "Before")
    page = await here.live(f"tracks/{track_id}")
    await page.click("#stage summary[aria-label=More]")
    async with transaction() as session:
        await library.change_track(session, person.id, track_id, title="After", artist="", album="")
    await page.wait_for_selector("#stage h1:text('After')")
    assert await page.is_visible("#stage >> text=Analyse again")
    await page.evaluate("document.querySelector('#stage h1').dataset.drawn = 'once'")
    await page.evaluate("document.dispatchEvent(new Event('resync'))")  # the server lost count: all is asked for anew
    await page.wait_for_selector("#stage h1:not([data-drawn])")
    assert await page.is_visible("#stage >> text=Analyse again")


async def test_a_deleted_track_goes_from_every_tab_and_undo_brings_it_back(here: Visit, person: User) -> None:
    track_id = await add_track(person, TITLES[3])
    page = await here.live(f"tracks/{track_id}")
    other = await here.live()
    await page.click("#stage [aria-label=More]")
    await page.click("#stage >> text=Delete")
    for tab in (page, other):
        await tab.wait_for_selector(f"#track-{track_id}", state="detached")
        await tab.wait_for_selector("text=No music yet")
    assert await page.get_attribute("#stage", "data-view") == "empty"
    await page.click(".toast >> text=Undo")
    for tab in (page, other):
        await tab.wait_for_selector(f"#track-{track_id}")
        await until(tab, "document.querySelector('.library .when-empty').checkVisibility() === false")


async def test_a_failed_job_tells_its_cause_and_is_tried_again(here: Visit, person: User) -> None:
    track_id = await add_track(person, "No such sound")
    job_id = await add_failed_job(person.id, track_id)
    page = await here.live("jobs")
    await page.wait_for_selector(f"#job-{job_id}[data-state=cancelled]")
    await page.click(f"#job-{job_id} [data-act=retry]")
    await page.wait_for_selector(f"#job-{job_id}[data-state=failed] .job-note", timeout=30_000)
    told = await page.inner_text(f"#job-{job_id} .job-note")
    assert told.endswith(".")
    assert len(told) > 10
    library = await here.live()
    await library.wait_for_selector(f"#track-{track_id} .status[data-state=failed]")


async def test_a_job_is_cancelled_while_it_waits_or_runs(here: Visit, person: User, tmp_path: Path) -> None:
    song = write_song(tmp_path / "long.flac", seconds=90, title="Long")
    page = await here.live()
    await page.set_input_files("#upload-files", song)
    job = page.locator(".job", has_text="Long").filter(has=page.locator(".status", has_text="separating"))
    await job.wait_for(timeout=60_000)
    name = await job.get_attribute("id")
    await page.click(f"#{name} [data-act=cancel]")
    await page.wait_for_selector(f"#{name}[data-state=cancelled]", timeout=20_000)
    assert await page.locator(f"#{name} [data-act=retry]").count() == 1


async def test_all_stems_are_packed_by_a_job_and_taken_home(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    await page.click("summary[aria-label=Download]")
    await page.click("text=Pack all stems")
    link = page.locator("#stage .menu a[download]", has_text=".zip")
    await link.wait_for(state="attached", timeout=60_000)
    await page.click("summary[aria-label=Download]")
    async with page.expect_download() as waiting:
        await link.click()
    names = zipfile.ZipFile(await (await waiting.value).path()).namelist()
    assert sorted(names) == [f"Ana-B - Quiet- Fire ({stem}).flac" for stem in ("bass", "drums", "other", "vocals")]


async def test_an_analysis_that_failed_is_told_beside_the_stems_until_it_is_tried_again(
    studio_of_song: tuple[Visit, Page], rows: Database
) -> None:
    _, page = studio_of_song
    track_id = UUID(await page.get_attribute("#stage", "data-track"))
    async with transaction() as session:
        track = await session.get_one(Track, track_id)
    await add_failed_job(track.owner_id, track_id, Kind.ANALYSIS)
    told = f"#failed-{track_id}-analysis"
    assert "analysis cancelled" in await page.inner_text(told)
    assert await page.locator(".strip").count() == 4
    await page.click(f"{told} >> text=Try again")
    await page.wait_for_selector(told, state="detached")


async def test_the_analysis_is_taken_home_as_json(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    await page.click("summary[aria-label=Download]")
    async with page.expect_download() as waiting:
        await page.click("text=Analysis (JSON)")
    download = await waiting.value
    assert download.suggested_filename.endswith(".json")
    document = json.loads(Path(await download.path()).read_text())
    assert document["tempo"]["bpm"] == pytest.approx(120, rel=0.02)


async def test_stems_are_muted_soloed_and_levelled(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    await page.click("#stage [data-play]")
    await until(page, "mixer.sources.length === 4 && mixer.playing && !mixer.held")
    await page.keyboard.press("s")
    await until(page, "document.querySelectorAll('.strip[data-silent]').length === 3")
    await page.keyboard.press("s")
    await page.keyboard.press("Shift+A")
    await until(page, "document.querySelectorAll('.strip[data-silent]').length === 1")
    assert await page.get_attribute("[aria-label='Mute Vocals']", "aria-pressed") == "true"
    await page.focus("[aria-label='Bass volume']")
    await page.keyboard.press("ArrowLeft")
    await until(page, "mixer.strips.get('bass').db === -0.5")


async def test_a_model_is_picked_and_the_stage_says_what_made_its_stems(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    assert "Basic separation" in await page.inner_text(".figures")
    await page.wait_for_selector("#stage .hint:has-text('learned model')")
    before = await page.get_attribute(".strip >> nth=0", "id")
    await page.click("#stage [aria-label=More]")
    await page.click("#stage >> text=Separate again")
    models = await page.locator("#model option").all_inner_texts()
    await page.select_option("#model", index=len(models) - 1)
    await page.click("#separate button[type=submit]")
    await page.wait_for_selector("#separate", state="hidden")
    await until(
        page, f"document.querySelector('.strip') && document.querySelector('.strip').id !== '{before}'", within_s=60
    )
    assert await page.locator(".strip").count() == 4


async def test_a_stem_is_whole(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    async with page.expect_download() as waiting:
        await page.click("[aria-label='Download Drums']")
    data, rate = soundfile.read(io.BytesIO(Path(await (await waiting.value).path()).read_bytes()))
    assert (rate, len(data)) == (44100, 8 * 44100)


async def test_strange_titles_are_shown_as_they_are_and_break_nothing(
    house: Studio, browser: Browser, rows: Database, person: User
) -> None:
    for title in TITLES:
        await add_track(person, title)
    for width in (1440, 390):
        size = {"width": width, "height": 844}
        async with visit(browser, house, await cookie_of(person), viewport=size) as visiting:
            page = await visiting.live()
            names = page.locator("[role=gridcell].row-name a")
            shown = sorted(await names.all_text_contents())
            for title, text in zip(sorted(TITLES), shown, strict=True):
                assert title.startswith(text.removesuffix("…")), text  # a very long one is cut in a row
            for link in await names.all():
                await page.goto(house.url + (await link.get_attribute("href") or "").lstrip("/"))
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                assert await page.evaluate("document.getElementById('stage').scrollWidth <= innerWidth")
                await page.go_back()


async def test_what_the_analysis_found_is_put_right_in_every_tab_and_taken_back(
    studio_of_song: tuple[Visit, Page], house: Studio
) -> None:
    visiting, page = studio_of_song
    other = await visiting.live(page.url.removeprefix(house.url))
    found = float((await page.inner_text("[data-unfolds=correct-tempo] >> nth=0")).split()[0])
    version = await page.get_attribute(".overview sf-timeline", "data-analysis")
    await page.focus("[data-unfolds=correct-tempo] >> nth=0")
    await page.keyboard.press("Enter")
    await page.focus("[aria-label='Twice the tempo']")
    await page.keyboard.press("Enter")
    for tab in (page, other):
        await tab.wait_for_selector("[data-unfolds=correct-tempo] [data-mark=corrected]")
        shown = (await tab.inner_text("[data-unfolds=correct-tempo] >> nth=0")).split()[0]
        assert float(shown) == pytest.approx(2 * found, abs=0.11)
        assert (await tab.inner_text(".row .column-bpm")) == shown
    assert await page.is_visible("#correct-tempo")  # it stays unfolded while the stage comes anew
    assert await page.get_attribute(".overview sf-timeline", "data-analysis") != version
    assert f"Found {found:.1f}" in await page.inner_text("#correct-tempo")
    await page.click("[data-unfolds=correct-key]")
    await page.click(".wheel [value='12A']")
    await other.wait_for_selector(".figures .key:has-text('12A')")
    await page.click("#correct-key >> text=As found")
    await page.click("[data-unfolds=correct-tempo] >> nth=0")
    await page.click("#correct-tempo >> text=As found")
    for tab in (page, other):
        await until(tab, "document.querySelectorAll('[data-mark=corrected]').length === 0")
        assert (await tab.inner_text("[data-unfolds=correct-tempo] >> nth=0")).split()[0] == f"{found:.1f}"
    await until(page, f"document.querySelector('.overview sf-timeline').dataset.analysis === {json.dumps(version)}")


async def test_a_step_is_undone_and_the_panels_of_corrections_have_no_fault_that_axe_finds(
    studio_of_song: tuple[Visit, Page],
) -> None:
    _, page = studio_of_song
    await page.click("[data-unfolds=correct-tempo] >> nth=0")
    for bpm in ("100.0", "101.0"):
        await page.fill("#tempo-bpm", bpm)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(f"[data-unfolds=correct-tempo]:has-text('{bpm}')")
    for panel in ("correct-tempo", "correct-key", "correct-sections"):
        if not await page.is_visible(f"#{panel}"):
            await page.click(f"[data-unfolds={panel}] >> nth=0")
        found = (await Axe().run(page, context=f"#{panel}")).response
        assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found["violations"]] == []
        assert len(found["passes"]) > 5
    await page.click("[data-unfolds=correct-tempo] >> nth=0")
    await page.click("#correct-tempo >> text=Undo")
    await page.wait_for_selector("[data-unfolds=correct-tempo]:has-text('100.0')")
    assert await page.locator("#correct-tempo >> text=Undo").count() == 0  # the next step is as found
    await page.click("#correct-tempo >> text=As found")
    await until(page, "document.querySelectorAll('[data-mark=corrected]').length === 0")


async def test_the_tempo_is_tapped_by_the_key_and_set(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    await page.evaluate("document.activeElement.blur(); window.at = performance.now()")
    await page.evaluate("void (performance.now = () => window.at)")
    for _ in range(6):
        await page.evaluate("window.at += 375")
        await page.keyboard.press("t")
    await page.evaluate("delete performance.now")
    assert await page.is_visible("#correct-tempo")
    assert await page.input_value("#tempo-bpm") == "160.0"
    assert await page.inner_text("#tempo-taps") == "6 taps: 160.0"
    await page.focus("#tempo-bpm")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-unfolds=correct-tempo]:has-text('160.0')")
    await page.click("#correct-tempo >> text=As found")
    await until(page, "document.querySelectorAll('[data-mark=corrected]').length === 0")


async def test_a_bar_and_a_section_begin_where_the_play_head_is(studio_of_song: tuple[Visit, Page]) -> None:
    _, page = studio_of_song
    await page.click("[data-unfolds=correct-tempo] >> nth=0")
    await page.click("text=Bar begins here")
    await page.wait_for_selector(".toast:has-text('play-head')")
    await page.click("#stage [data-play]")
    await until(page, "mixer.playing && !mixer.held")
    await page.keyboard.press(" ")
    await page.evaluate("document.activeElement.blur()")
    await evaluate(page, "await mixer.seek(3.1);")
    await page.click("text=Bar begins here")
    await page.wait_for_selector("#correct-tempo >> text=As found")
    document = await evaluate(
        page, "return (await fetch(document.querySelector('.overview sf-timeline').dataset.analysis)).json();"
    )
    first = document["corrections"]["downbeat"]["value"]["t_s"]
    assert abs(first - 3.1) < 0.26  # the nearest of beats half a second apart
    assert any(abs(document["beats"]["times_s"][i] - first) < 0.001 for i in document["downbeats"]["beat_indices"])
    await page.click("#correct-tempo >> text=As found")
    await until(page, "document.querySelectorAll('[data-mark=corrected]').length === 0")
    if await page.locator("[data-unfolds=correct-sections]").count():
        await page.click("[data-unfolds=correct-sections]")
        await page.fill("#section-name", "Hook <b>")
        await page.click("#correct-sections >> text=Rename")
        await page.wait_for_selector(".sections button:has-text('Hook <b>')")
        await page.click("#correct-sections >> text=As found")
        await until(page, "!document.querySelector('.sections').textContent.includes('Hook')")


async def test_what_mixes_with_a_song_is_listed_beside_it_and_the_whole_library_is_a_click_away(
    here: Visit, person: User
) -> None:
    titles = {"Song": (128.0, "8A"), "Fits": (126.0, "9A"), "Half": (64.0, "8B"), "Far": (128.0, "2A")}
    ids = {title: await add_track(person, title) for title in titles}
    async with transaction() as session:
        for title, (bpm, camelot) in titles.items():
            await library.set_figures(session, person.id, ids[title], library.Figures(bpm, "", camelot))
    page = await here.live(f"tracks/{ids['Song']}")
    await page.click("summary[aria-label='Find what goes with it']")
    await page.click("#stage >> text=Mixes with this")
    await page.wait_for_selector(".near:has-text('Mixes with Song')")
    assert await page.locator("[role=gridcell].row-name a").all_text_contents() == ["Half", "Fits"]
    assert await page.get_attribute("#stage", "data-track") == str(ids["Song"])
    await page.wait_for_selector("#link[data-state='live']")
    async with transaction() as session:  # what is not in the list does not come in by its news
        await library.set_figures(session, person.id, ids["Far"], library.Figures(128.0, "", "3A"))
        await library.set_figures(session, person.id, ids["Fits"], library.Figures(127.0, "", "9A"))
    await page.wait_for_selector(f"#track-{ids['Fits']} >> text=127.0")
    assert await page.locator(f"#track-{ids['Far']}").count() == 0
    await page.click(".near [aria-label='The whole library']")
    await until(page, "document.querySelectorAll('.row-name a').length === 4")
