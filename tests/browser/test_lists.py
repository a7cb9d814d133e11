"""A list made by hand: put in order by keys, by dragging and by its buttons; what was not kept is put back."""

import pytest

from soundforge import jobs, library
from soundforge.db import reading, transaction
from soundforge.library import Query, Selection
from soundforge.tables import Kind, User
from tests.browser.test_shelf import fill
from tests.support.browser import Visit, settled, until
from tests.support.factories import add_many_songs

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

ENTRIES = "[...document.querySelectorAll('.entry .row-name > :first-child')].map((it) => it.textContent).join('')"


async def test_a_list_made_by_hand_is_put_in_order_by_keys_and_by_dragging(here: Visit, person: User) -> None:
    ids = await fill(person, "abcd")
    async with transaction() as session:
        made = await library.add_own_playlist(session, person.id, "Mine")
        await library.add_to_playlist(session, person.id, made.id, Selection(tuple(ids.values())))
    page = await here.live(f"playlists/{made.id}")

    async def kept(order: str) -> None:
        await until(page, f"{ENTRIES} === {order!r}")

        async def is_so() -> bool:
            async with transaction() as session:
                entries = (await library.list_entries(session, made.id)).rows
            return "".join(entry.title for entry in entries) == order

        await settled(is_so)

    await page.focus(".entry:nth-child(3) a")
    await page.keyboard.press("Alt+ArrowUp")
    await kept("acbd")
    await page.keyboard.press("Alt+ArrowUp")
    await kept("cabd")
    assert await page.evaluate("document.activeElement.textContent") == "c"
    await page.drag_and_drop(".entry:nth-child(4)", ".entry:nth-child(2)", target_position={"x": 60, "y": 3})
    await kept("cdab")
    await page.focus(".entry:nth-child(1) a")
    await page.keyboard.press("Delete")
    await kept("dab")
    await page.click("[aria-label='Take out of the list: b']")
    await kept("da")
    await page.fill("[data-own-list] [name=title]", "Renamed")
    await page.click("text=Rename")
    await page.wait_for_selector("h1 >> text=Renamed")


async def test_an_entry_is_moved_by_its_buttons_and_what_never_reached_the_server_is_put_back(
    here: Visit, person: User
) -> None:
    ids = await fill(person, "abc")
    async with transaction() as session:
        made = await library.add_own_playlist(session, person.id, "Mine")
        await library.add_to_playlist(session, person.id, made.id, Selection(tuple(ids.values())))
    page = await here.live(f"playlists/{made.id}")
    for act, order in (("Move up: b", "bac"), ("Move down: a", "bca")):
        async with page.expect_response("**/place"):
            await page.click(f"[aria-label='{act}']")
        await until(page, f"{ENTRIES} === {order!r}")
    async with transaction() as session:
        assert [entry.title for entry in (await library.list_entries(session, made.id)).rows] == ["b", "c", "a"]
    here.expected += ["ERR_FAILED", "Failed to load"]
    await page.route("**/entries/**", lambda route: route.abort())
    for key in ("Alt+ArrowDown", "Delete"):
        await page.focus(".entry:nth-child(1) a")
        await page.keyboard.press(key)
        await page.click(".toast:has-text('Nothing was changed') [aria-label=Dismiss]")
        await until(page, f"{ENTRIES} === 'bca' && !document.querySelector('.toast')")


async def test_an_entry_that_becomes_the_last_one_that_came_stands_there_and_not_at_the_end(
    here: Visit, person: User
) -> None:
    async with transaction() as session:
        await add_many_songs(session, person.id, 130)
        made = await library.add_own_playlist(session, person.id, "Long")
        await library.add_to_playlist(session, person.id, made.id, Selection(query=Query()))
    page = await here.open(f"playlists/{made.id}")
    await page.route("**/rows?*", lambda route: route.abort())
    here.expected += ["ERR_FAILED", "Failed to fetch"]
    await page.wait_for_selector(".entry:nth-child(100) [data-entry-act]", state="attached")
    async with page.expect_response("**/place"):
        await page.evaluate("document.querySelector('.entry:nth-child(99) [data-entry-act=down]').click()")
    async with transaction() as session:
        entries = (await library.list_entries(session, made.id, limit=130)).rows
    assert [entry.title for entry in entries][97:101] == ["song 98", "song 100", "song 99", "song 101"]


async def test_an_empty_list_says_so_and_one_with_songs_does_not(here: Visit, person: User) -> None:
    ids = await fill(person, "a")
    async with transaction() as session:
        made = await library.add_own_playlist(session, person.id, "Mine")
    page = await here.live(f"playlists/{made.id}")
    await page.wait_for_selector("main > .when-empty >> text=No songs here yet")
    async with transaction() as session:
        await library.add_to_playlist(session, person.id, made.id, Selection(tuple(ids.values())))
    await page.wait_for_selector("main > .when-empty", state="hidden")
    await page.focus(".entry a")
    await page.keyboard.press("Delete")
    await page.wait_for_selector("main > .when-empty")


@pytest.mark.parametrize("count", [3, 301])
async def test_a_list_shows_by_itself_what_others_put_into_it_and_take_out(
    here: Visit, person: User, count: int
) -> None:
    async with transaction() as session:
        await add_many_songs(session, person.id, count)
        made = await library.add_own_playlist(session, person.id, "Mine")
    page = await here.live(f"playlists/{made.id}")
    async with transaction() as session:
        await library.add_to_playlist(session, person.id, made.id, Selection(query=Query()))
    await until(page, f"document.querySelectorAll('.entry').length === {min(count, 100)}")
    async with reading() as session:
        entries = (await library.list_entries(session, made.id, limit=3)).rows
    names = await page.locator(".entry a").all_inner_texts()
    assert names[:3] == [entry.title for entry in entries]
    async with transaction() as session:
        await library.remove_entries(session, person.id, made.id, [entries[1].id])
    await page.wait_for_selector(f"#entry-{entries[1].id}", state="detached")
    assert await page.locator(f"#entry-{entries[0].id}").count() == 1


async def test_a_dock_without_jobs_says_so_until_one_comes(here: Visit, person: User) -> None:
    ids = await fill(person, "a")
    page = await here.live()
    await page.wait_for_selector(".dock .when-empty >> text=No jobs yet")
    async with transaction() as session:
        await jobs.add_job(session, kind=Kind.ANALYSIS, owner_id=person.id, unique_key="a", track_id=ids["a"])
    await page.wait_for_selector(".dock .when-empty", state="hidden")
