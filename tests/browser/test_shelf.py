"""The library in hand: chips that write, rows that are chosen, done with, undone; windows that share the line."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from uuid import UUID

import httpx2
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from soundforge import library
from soundforge.db import transaction
from soundforge.events import TrackAdded, publish
from soundforge.library import Selection
from soundforge.tables import User
from soundforge.web._feeds import MOST
from tests.browser.conftest import cookie_of
from tests.browser.test_studio import add_track
from tests.support.browser import Studio, Visit, settled, until
from tests.support.factories import add_many_songs

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

PICKED = "[...document.querySelectorAll('.row[data-picked]')].map((row) => row.querySelector('a').textContent).join('')"
SHOWN = "[...document.querySelectorAll('.row')].map((row) => row.querySelector('a').textContent).join('')"


async def fill(person: User, titles: Iterable[str] = "abcdefgh") -> dict[str, UUID]:
    return {title: await add_track(person, title) for title in titles}


async def arrive(person: User, titles: str) -> None:
    """Songs that come while pages are open."""
    for track_id in (await fill(person, titles)).values():
        async with transaction() as session:
            await publish(session, TrackAdded(person.id, track_id))


async def picked(page: Page, titles: str) -> None:
    await until(page, f"{PICKED} === {titles!r}")


async def test_rows_are_chosen_by_mouse_and_keys_deleted_and_brought_back(here: Visit, person: User) -> None:
    ids = await fill(person)
    page = await here.live("?sort=title&dir=asc")
    await page.click(f"#track-{ids['b']} .pick", force=True)
    await page.click(f"#track-{ids['e']} .pick", force=True, modifiers=["Shift"])
    await picked(page, "bcde")
    await page.click(f"#track-{ids['c']} .pick", force=True)
    await picked(page, "bde")
    await page.focus(f"#track-{ids['g']}")
    await page.keyboard.press("x")
    await page.keyboard.press("Shift+ArrowDown")
    await picked(page, "bdegh")
    assert "5 selected" in await page.inner_text("#batch")
    await page.click("#batch >> text=Delete")
    await until(page, f"{SHOWN} === 'acf'")
    await page.wait_for_selector("#batch", state="hidden")
    await page.click("text=Undo")
    await until(page, f"{SHOWN} === 'abcdefgh'")


async def test_all_that_a_search_finds_is_chosen_but_one(here: Visit, person: User) -> None:
    ids = await fill(person)
    page = await here.live("?sort=title&dir=asc&q=-title:h")
    await page.focus(f"#track-{ids['c']}")
    await page.keyboard.press("Control+a")
    await page.keyboard.press("x")
    await picked(page, "abdefg")
    await page.click("#batch >> text=Analyse")
    await page.wait_for_selector("text=6 without audio left out")
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Escape")
    await picked(page, "")


async def test_all_are_as_many_as_there_are_now_also_where_they_came_after_the_page(here: Visit, person: User) -> None:
    page = await here.live()
    await arrive(person, "abc")
    await until(page, f"{SHOWN} === 'cba'")
    await page.keyboard.press("Control+a")
    await page.wait_for_selector("#batch-count:text('3 selected')")
    await arrive(person, "d")
    await until(page, f"{SHOWN} === 'dcba'")
    here.expected.append("409")
    await page.click("#batch >> text=Delete")
    await page.wait_for_selector(".toast:has-text('by now it would be 4')")
    await page.click("#batch >> text=All")
    await page.wait_for_selector("#batch-count:text('4 selected')")
    await page.click("#batch >> text=Delete")
    await until(page, f"{SHOWN} === ''")


async def test_a_page_that_grows_by_what_comes_is_cut_and_every_row_is_there_to_be_seen(
    here: Visit, person: User
) -> None:
    async with transaction() as session:
        await add_many_songs(session, person.id, 120)
    page = await here.live()
    ids = [await add_track(person, f"new {number}") for number in range(330)]
    await page.focus(".row a")
    for first in range(0, 330, 110):
        async with transaction() as session:
            for track_id in ids[first : first + 110]:
                await publish(session, TrackAdded(person.id, track_id))
        await page.wait_for_selector(f"#track-{ids[first + 109]}", state="attached", timeout=60_000)
    await until(page, "document.querySelectorAll('.row').length <= 320 && document.querySelector('.page-gap')")
    rest = "document.querySelector('.page-gap').getBoundingClientRect().height"
    assert await page.evaluate(f"{rest} / document.querySelector('.row').offsetHeight") == pytest.approx(230, abs=2)
    seen: set[str] = set()
    for _ in range(60):
        seen |= set(await page.evaluate("[...document.querySelectorAll('.row')].map((row) => row.id)"))
        await page.evaluate("document.getElementById('library').scrollTop += 900")
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await until(page, "!document.querySelector('.htmx-request')")
    assert len(seen) == 450
    order = await page.evaluate("[...document.querySelectorAll('.row')].map((row) => row.id)")
    assert len(order) == len(set(order))


async def test_chips_write_into_the_search_and_take_out_again(here: Visit, person: User) -> None:
    await fill(person, "ab")
    page = await here.live("?sort=title&dir=asc")
    await page.fill("#search", "a")
    await until(page, f"{SHOWN} === 'a'")
    await page.click("text=No stems")
    assert await page.input_value("#search") == "a -has:stems"
    await page.click(".chips >> text='Stems'")
    await page.wait_for_selector("text=Nothing found")
    assert await page.input_value("#search") == "a has:stems"
    assert await page.get_attribute(".chips [data-term='has:stems']", "aria-pressed") == "true"
    await page.click(".chips >> text='Stems'")
    await until(page, f"{SHOWN} === 'a'")
    assert "sort=title" in page.url  # searching keeps the order
    here.expected.append("422")
    await page.fill("#search", "bpm:fast")
    await page.wait_for_selector("text=write it like bpm:120-128")


async def test_what_is_typed_on_any_page_is_searched_for_in_the_library(here: Visit, person: User) -> None:
    await fill(person, ["first", "second"])
    page = await here.live("jobs")
    await page.focus("#search")
    await page.keyboard.type("fi", delay=300)  # as slowly as people do: the library comes after the first letter
    await page.wait_for_selector("#main[data-here=library] #library")
    await page.keyboard.type("rst", delay=300)
    await until(page, f"{SHOWN} === 'first' && document.activeElement.value === 'first'")
    assert await page.locator(".topbar #search").count() == await page.locator("#feed").count() == 1
    assert page.url.endswith("/?q=first&sort=created&dir=desc")


async def test_a_search_beside_a_track_leaves_it_there_also_after_enter_and_reload(here: Visit, person: User) -> None:
    ids = await fill(person, ["first", "second"])
    page = await here.live(f"tracks/{ids['second']}")
    await page.evaluate("window.stage = document.getElementById('stage')")
    await page.fill("#search", "first")
    await until(page, f"{SHOWN} === 'first'")
    async with page.expect_response(lambda answer: "?q=first&" in answer.url):
        await page.keyboard.press("Enter")
    assert await page.evaluate("window.stage === document.getElementById('stage')")
    await page.reload()
    await page.wait_for_selector(f"#stage[data-track='{ids['second']}']")
    assert await page.input_value("#search") == "first"
    await until(page, f"{SHOWN} === 'first'")


async def test_a_track_that_is_deleted_elsewhere_leaves_the_stage_and_the_address(here: Visit, person: User) -> None:
    ids = await fill(person, "ab")
    page = await here.live(f"tracks/{ids['a']}?q=a")
    async with transaction() as session:
        await library.remove_track(session, person.id, ids["b"])
    await page.wait_for_selector(f"#track-{ids['b']}", state="detached")
    assert await page.get_attribute("#stage", "data-track") == str(ids["a"])
    async with transaction() as session:
        await library.remove_track(session, person.id, ids["a"])
    await page.wait_for_selector("#stage[data-view=empty]")
    await until(page, "location.pathname + location.search === '/?q=a'")


async def test_the_menu_of_a_row_leads_on_and_is_closed_by_escape(here: Visit, person: User) -> None:
    ids = await fill(person, "ab")
    page = await here.live("?sort=title&dir=asc")
    await page.click(f"#track-{ids['b']}", button="right")
    await page.wait_for_selector("#row-menu:popover-open")
    await page.keyboard.press("Escape")
    await page.click(f"#track-{ids['b']} .row-more")
    await page.click("#row-menu >> text=Mixes with this")
    await page.wait_for_selector("#near >> text=Mixes with")
    await page.goto(page.url.partition("/tracks")[0])
    await page.click(f"#track-{ids['a']} .row-more")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#track-{ids['a']}", state="detached")


async def test_what_was_chosen_becomes_a_list(here: Visit, person: User) -> None:
    ids = await fill(person, "abc")
    page = await here.live("?sort=title&dir=asc")
    for title in "ca":
        await page.click(f"#track-{ids[title]} .pick", force=True)
    await page.click("#batch >> text=Add to list")
    await until(page, "document.activeElement.matches('dialog[open] [name=title]')")
    await page.keyboard.type("Mine")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Added: 2 tracks.")
    assert await page.locator("dialog[open]").count() == 0
    async with transaction() as session:
        (made,) = (await library.list_playlists(session, person.id)).rows
        entries = (await library.list_entries(session, made.id)).rows
    assert [entry.title for entry in entries] == ["c", "a"]
    await page.click(f"#track-{ids['b']} .pick", force=True)
    await page.click("#batch >> text=Add to list")
    await page.fill("dialog[open] [name=title]", "A name is a wish for a new one")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Added: 1 track.")
    async with transaction() as session:
        assert len((await library.list_playlists(session, person.id)).rows) == 2


async def test_the_columns_that_were_chosen_stay(here: Visit, person: User) -> None:
    await fill(person, "a")
    page = await here.live()
    await page.click("summary[aria-label=Columns]")
    await page.check(".columns [value=year]")
    await page.uncheck(".columns [value=key]")
    await page.click("text=Show these")
    await page.wait_for_selector(".rows-head .column-year", state="attached")
    assert await page.locator(".column-key").count() == 0
    again = await here.live()
    assert await again.locator(".row .column-year").count() == 1


async def test_ten_windows_side_by_side_all_open_and_the_one_in_use_hears(
    house: Studio, browser: Browser, person: User
) -> None:
    ids = await fill(person, "a")
    async with await browser.new_context() as context:  # not a visit: what listens along would hold the lines
        await context.add_cookies([{"name": "sfa_session", "value": await cookie_of(person), "url": house.url}])
        pages = []
        for _ in range(10):
            page = await context.new_page()
            await page.goto(house.url)
            await page.wait_for_selector(f"#track-{ids['a']}", timeout=15_000)
            pages.append(page)
        states = [await page.get_attribute("#link", "data-state") for page in pages]
        assert states.count("paused") >= 4
        for number, page in enumerate((pages[0], pages[9])):
            await page.dispatch_event("body", "pointerdown")
            await until(page, "document.getElementById('link').dataset.state === 'live'")
            async with transaction() as session:
                await library.change_track(session, person.id, ids["a"], title=f"b{number}", artist="", album="")
            await until(page, f"document.querySelector('.row a').textContent === 'b{number}'")

        async def listening() -> bool:
            now = [await page.get_attribute("#link", "data-state") for page in pages]
            return now.count("live") == 4

        await settled(listening)


async def test_what_cannot_be_undone_is_asked_first_and_names_how_much_goes(here: Visit, person: User) -> None:
    ids = await fill(person, "abc")
    async with transaction() as session:
        made = await library.add_own_playlist(session, person.id, "Mine")
        await library.add_to_playlist(session, person.id, made.id, Selection((ids["a"], ids["b"])))
        await library.remove_track(session, person.id, ids["c"])
    page = await here.live("playlists")
    for key in ("Enter", "Escape"):
        await page.click("text=Remove")
        await page.wait_for_selector("dialog#sure[open] >> text=“Mine” with its 2 tracks")
        await page.keyboard.press(key)
        await page.wait_for_selector("dialog#sure", state="hidden")
    await page.click("text=Remove")
    assert await faults(page) == []
    assert not [request for request in here.requests if request.startswith("POST")]
    await page.click("dialog#sure [data-sure] >> text=Remove")
    await page.wait_for_selector("text=No lists yet")
    page = await here.live("trash")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("empty the trash")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog#sure[open] >> text=the one track in the trash")
    async with transaction() as session:
        await library.remove_track(session, person.id, ids["b"])
    here.expected.append("409")
    await page.click("dialog#sure [data-sure]")
    await page.wait_for_selector(".toast:has-text('By now 2 are in the trash')")
    assert page.url.endswith("/trash")
    await page.reload()
    await page.click("[aria-label='Delete for good: b']")
    await page.click("dialog#sure [data-sure] >> text=Delete for good")
    await page.wait_for_selector("text=Empty the trash (1)")


async def faults(page: Page) -> list[object]:
    found = (await Axe().run(page)).response
    assert len(found["passes"]) > 10
    return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found["violations"]]


async def test_axe_finds_no_fault_on_any_page_of_the_library(here: Visit, person: User) -> None:
    ids = await fill(person, "abcd")
    async with transaction() as session:
        made = await library.add_own_playlist(session, person.id, "Mine")
        await library.add_to_playlist(session, person.id, made.id, Selection((ids["a"], ids["b"])))
        await library.remove_track(session, person.id, ids["d"])
    for path in ("artists", "albums", "trash", "playlists", f"playlists/{made.id}"):
        page = await here.live(path)
        assert (path, await faults(page)) == (path, [])
        await page.close()
    page = await here.live()
    await page.keyboard.press("Control+a")
    await page.click(f"#track-{ids['a']} .row-more")
    assert await faults(page) == []
    await page.keyboard.press("Escape")
    await page.click("summary[aria-label=Columns]")
    assert await faults(page) == []
    await page.click("#batch >> text=Add to list")
    await page.wait_for_selector("dialog[open] [name=title]")
    assert await faults(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await page.wait_for_selector("dialog#keys[open]")
    assert await faults(page) == []


async def test_a_window_whose_line_newer_ones_of_its_login_took_waits_until_it_is_used(
    house: Studio, browser: Browser, person: User
) -> None:
    ids, cookie = await fill(person, "a"), await cookie_of(person)
    async with await browser.new_context() as context, AsyncExitStack() as stack:
        await context.add_cookies([{"name": "sfa_session", "value": cookie, "url": house.url}])
        page = await context.new_page()
        await page.goto(house.url)
        await page.wait_for_selector("#link[data-state='live']")
        limits = httpx2.Limits(max_connections=None)
        client = httpx2.AsyncClient(
            base_url=house.url, headers={"Cookie": f"sfa_session={cookie}"}, limits=limits, timeout=None
        )
        await stack.enter_async_context(client)
        feeds = [await stack.enter_async_context(client.stream("GET", "events/page")) for _ in range(MOST)]
        pieces = [feed.aiter_bytes() for feed in feeds]
        for piece in pieces:
            await anext(piece)  # it is open
        await page.wait_for_selector("#link[data-state='paused']")
        await page.dispatch_event("body", "pointerdown")
        await page.wait_for_selector("#link[data-state='live']")
        async with transaction() as session:
            await library.change_track(session, person.id, ids["a"], title="b", artist="", album="")
        await until(page, "document.querySelector('.row a').textContent === 'b'")
        assert b"replaced" in b"".join([piece async for piece in pieces[0]])  # the oldest gave way to it
