"""Who is in, who is out, and what each hears: logging in and out, two people at once, a server that goes away."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route

from soundforge import accounts
from soundforge.db import Database, open_database, transaction
from soundforge.events import TrackAdded, publish
from soundforge.tables import User
from tests.browser.conftest import cookie_of, new_person
from tests.browser.test_studio import add_track
from tests.support.accounts import set_password
from tests.support.browser import PASSWORD, Studio, Visit, run_studio, settled, until, visit

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

BADGE = "document.getElementById('link')?.dataset.state"


async def with_password(person: User) -> None:
    async with transaction() as session:
        await set_password(session, person, PASSWORD)


async def test_a_page_is_live_also_when_its_scripts_come_slowly(here: Visit, house: Studio) -> None:
    page = await here.context.new_page()
    await page.add_init_script("document.addEventListener('htmx:after:process', () => (window.processed = true))")

    async def after_htmx(route: Route) -> None:
        await settled(lambda: page.evaluate("window.processed"))
        await route.continue_()

    await page.route("**/hx-sse.min.js", after_htmx)
    await page.goto(house.url)
    await page.wait_for_selector("#link[data-state='live']")


async def test_a_wrong_password_is_refused_in_words_and_the_right_one_opens_the_studio(
    house: Studio, browser: Browser, person: User
) -> None:
    await with_password(person)
    async with visit(browser, house) as visiting:
        visiting.expected.append("403")
        page = await visiting.open()
        assert page.url.endswith("/login")
        await page.fill("#name", person.name)
        await page.fill("#password", "not this one")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".form-error[role=alert]")
        assert await page.input_value("#name") == person.name
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=No music yet")


async def test_after_logging_out_every_tab_leaves_and_the_feed_ends(here: Visit) -> None:
    here.expected.append("401")
    page, other = await here.live(), await here.live("settings")
    await page.click("summary[aria-label^=Account]")
    await page.click("text=Log out")
    await page.wait_for_url("**/login")
    await other.wait_for_url("**/login")
    assert await page.evaluate("fetch('/events/library').then((answer) => answer.status)") == 401


async def test_nothing_of_one_person_is_heard_or_opened_by_another(
    here: Visit, house: Studio, browser: Browser, person: User
) -> None:
    stranger = await new_person()
    async with visit(browser, house, await cookie_of(stranger)) as other:
        other.expected.append("404")
        tabs = [await other.live(), await other.live("jobs")]
        page = await here.live()
        track_id = await add_track(person, "Mine")
        async with transaction() as session:
            await publish(session, TrackAdded(owner_id=person.id, track_id=track_id))
        await page.wait_for_selector(f"#track-{track_id}")
        own = await add_track(stranger, "Theirs")
        async with transaction() as session:
            await publish(session, TrackAdded(owner_id=stranger.id, track_id=own))
        await tabs[0].wait_for_selector(f"#track-{own}")  # whatever was sent before has arrived by now
        for tab in tabs:
            assert not any(str(track_id) in message for message in await tab.evaluate("window.heard"))
        assert await tabs[0].locator(".row").count() == 1
        answer = await tabs[0].goto(f"{house.url}tracks/{track_id}")
        assert answer is not None
        assert answer.status == 404


async def test_a_server_that_goes_and_comes_is_told_and_what_was_missed_is_shown(
    dsn: str, tmp_path: Path, browser: Browser
) -> None:
    async with open_database(dsn):
        async with transaction() as session:
            owner = await accounts.ensure_owner(session)
        await with_password(owner)
        cookie = await cookie_of(owner)
        await add_track(owner, "There before")
        started = run_studio(dsn, tmp_path / "data", queues="none")
        async with started as studio, visit(browser, studio, cookie) as visiting:
            visiting.expected += ["ERR_", "Failed to load resource", "Failed to fetch"]
            page = await visiting.live()
            assert await page.locator(".row").count() == 1
            await studio.stop()
            await until(page, f"{BADGE} === 'offline'")
            assert "offline" in await page.inner_text("#link")
            missed = await add_track(owner, "Came while nobody told")
            await studio.start()
            await until(page, f"{BADGE} === 'live'", within_s=30)
            await page.wait_for_selector(f"#track-{missed}")
            assert await page.locator(".row").count() == 2
            assert await page.locator("#rows-end").count() == 1


async def test_settings_are_kept_tokens_shown_once_and_sessions_ended(here: Visit, person: User) -> None:
    page = await here.live("settings")
    await page.fill("[name=name]", "laptop")
    await page.click("text=Make a token")
    token = await page.inner_text(".secret code")
    assert len(token) > 20
    await page.goto(page.url.rpartition("/settings")[0] + "/settings")
    assert token not in await page.content()
    await page.click("text=Revoke")
    await page.wait_for_selector("text=Revoke", state="detached")
    second = await cookie_of(person)
    await page.reload()
    await page.click("[aria-label^='End the session']")
    await page.wait_for_selector("[aria-label^='End the session']", state="detached")
    async with transaction() as session:
        assert await accounts.find_session(session, second) is None


async def test_the_instance_shows_its_queues_to_admins_alone(
    here: Visit, house: Studio, browser: Browser, rows: Database
) -> None:
    here.expected.append("403")
    page = await here.open("admin")
    await page.wait_for_selector("text=Only an admin may see this.")
    async with visit(browser, house, await cookie_of(await new_person("admin"))) as admin:
        page = await admin.live("admin")
        await page.wait_for_selector("table >> text=processing")


async def test_an_address_that_is_not_there_says_so_and_leads_back(here: Visit) -> None:
    here.expected.append("404")
    page = await here.open("nowhere")
    await page.wait_for_selector("text=There is nothing at this address.")
    await page.click("text=To the library")
    await page.wait_for_selector("text=No music yet")
    for part in ("#search", "nav.nav", "[aria-label^=Account]", "dialog#import", "#paste"):
        assert await page.locator(part).count() == 1, part


async def test_the_main_path_needs_no_mouse(here: Visit, person: User) -> None:
    first, second = await add_track(person, "First"), await add_track(person, "Second")
    page = await here.live("?sort=title&dir=asc")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the content"
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.id") == f"track-{second}"
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#stage[data-track='{second}']")
    await page.wait_for_selector(f"#track-{second}[aria-selected=true]")
    await page.keyboard.press("i")
    await page.wait_for_selector("dialog#import[open]")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("first")
    await page.wait_for_selector(f"#track-{second}", state="detached")
    assert await page.evaluate("document.activeElement.id") == "search"
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.id") == f"track-{first}"


async def test_every_control_has_a_name_and_every_page_one_main_heading_order(here: Visit, person: User) -> None:
    track_id = await add_track(person, "Named")
    for path in ("", f"tracks/{track_id}", "jobs", "settings"):
        page = await here.live(path)
        nameless = await page.evaluate(
            """[...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, [role=slider]")]
              .filter((it) => it.checkVisibility() && !it.ariaHidden && !(it.labels?.length) && !it.title
                && !it.ariaLabel && !it.textContent.trim())
              .map((it) => it.outerHTML.slice(0, 200))"""
        )
        assert nameless == []
        doubles = await page.evaluate(
            "[...document.querySelectorAll('[id]')].map((it) => it.id).filter((id, at, all) => all.indexOf(id) !== at)"
        )
        assert doubles == []
        await page.close()


async def focused(page: Page) -> str:
    told: str = await page.evaluate("document.activeElement.textContent.trim()")
    return told
