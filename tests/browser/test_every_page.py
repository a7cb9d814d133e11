"""Every page there is, looked at by axe-core in both themes and at a phone's width; the routes are the list."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import axe_playwright_python
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library
from soundforge.db import Database, transaction
from soundforge.library import NewCue, NewEntry, NewPart, NewPlaylist, NewStem
from soundforge.tables import Kind, Status, User
from soundforge.web import pages
from tests.browser.conftest import cookie_of, new_person
from tests.browser.test_studio import TITLES, add_failed_job
from tests.support.browser import Studio, Visit, until, visit
from tests.support.factories import add_song, new_file
from tests.support.fakes_analyzer import DOCUMENTS
from tests.support.house import add_job, finish

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(300),
]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RUN = """
  async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
      .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  }
"""
# What a control is drawn with must stand out from what is around it: WCAG 2.2, 1.4.11. axe-core does not look at that.
EDGES = """
  () => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const read = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const contrast = (a, b) => {
      const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (high + 0.05) / (low + 0.05);
    };
    const behind = (one) => {
      for (let at = one.parentElement; at; at = at.parentElement) {
        const colour = read(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return read(getComputedStyle(document.documentElement).backgroundColor);
    };
    const controls = document.querySelectorAll(".input, .button:not(.button-ghost, .row-play)");
    return [...controls].filter((one) => one.checkVisibility() && !one.matches(":disabled")).flatMap((one) => {
      const { borderTopColor, borderTopWidth, backgroundColor } = getComputedStyle(one);
      const around = behind(one);
      const drawn = [parseFloat(borderTopWidth) ? read(borderTopColor) : null, read(backgroundColor)];
      const best = Math.max(...drawn.filter((colour) => colour?.[3] === 255).map((colour) => contrast(colour, around)));
      return best >= 3 ? [] : [`${best.toFixed(2)}: ${one.outerHTML.slice(0, 120)}`];
    });
  }
"""
UNFOLD = """
  () => {
    document.querySelector(".pad [data-act=edit]")?.click();
    for (const panel of document.querySelectorAll(".correct")) panel.hidden = false;
  }
"""
PAGES = [
    "/",
    "/admin",
    "/admin/people",
    "/albums",
    "/artists",
    "/jobs",
    "/jobs/{job_id}",
    "/link/{token}",
    "/login",
    "/playlists",
    "/playlists/{playlist_id}",
    "/settings",
    "/shared/{token}",
    "/tracks/{track_id}",
    "/trash",
]
# What a track's page shows of a song that has been through the studio.
FORGED = [
    ".strip sf-timeline",
    ".pad[data-set]",
    ".memory-cues",
    ".cue-edit",
    ".radar",
    ".wheel",
    "[data-size=tall] canvas",
]
# At a phone's width nothing lies beyond the window or makes the page scroll sideways (a table does, in a frame of its
# own), the frame around what scrolls stands still, and the bar on top is one line of controls above the search.
FITS = """
  () => {
    const named = (one) => one.outerHTML.slice(0, 120);
    const held = (one) => one.parentElement.closest(".table-frame, .table-scroll, .clip, .unseen, .skip, sf-timeline");
    const shown = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility());
    const beyond = shown.filter((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      return width > 1 && (right > innerWidth + 1 || left < -1) && !one.matches(".unseen, .skip") && !held(one);
    });
    const scrolling = shown.filter((one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX)
      && one.scrollWidth > one.clientWidth + 1 && !one.matches(".table-frame, .table-scroll"));
    const bar = [...document.querySelectorAll(".topbar .button, .topbar .nav a")].filter((one) =>
      one.checkVisibility() && !one.closest(".menu > div"));
    const middle = ({ top, bottom }) => Math.round((top + bottom) / 2);
    const lines = [...Map.groupBy(bar, (one) => middle(one.getBoundingClientRect())).values()];
    const { scrollHeight, scrollWidth } = document.scrollingElement;
    return [
      ...(scrollHeight > innerHeight || scrollWidth > innerWidth ? ["the frame scrolls"] : []),
      ...beyond.map((one) => `beyond: ${named(one)}`),
      ...scrolling.map((one) => `scrolls: ${named(one)}`),
      ...lines.slice(1).map((line) => `a second line of the bar: ${line.map(named)}`),
    ];
  }
"""
# A part of the address is one of these; a new one is asked for here, and its page is looked at from then on.
type Values = dict[str, str]


def page_routes() -> Iterator[str]:
    for router in pages.routers:
        for route in router.routes:
            if "GET" in getattr(route, "methods", ()):
                yield str(getattr(route, "path", ""))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visited(house: Studio, browser: Browser) -> Any:
    """An admin with long, right-to-left and emoji titles, and something in every list; gives cookie and values."""
    from soundforge.db import open_database  # noqa: PLC0415 - this fixture outlives the one that opens it for a test

    async with open_database(house.dsn):
        admin = await new_person("admin")
        values = await _furnish(admin)
        values["cookie"] = await cookie_of(admin)
    return values


async def _furnish(admin: User) -> Values:
    async with transaction() as session:
        tracks = [(await add_song(session, admin.id, title, "Somebody")).id for title in TITLES]
        listed = NewPlaylist("playlist", uuid4().hex, TITLES[0], TITLES[1], 2)
        walk_id = uuid4()
        playlist_id = await library.add_playlist(session, admin.id, listed, walk_id)
        entries = [NewEntry(number, f"x{number}", TITLES[number], track_id) for number, track_id in enumerate(tracks)]
        await library.add_entries(session, admin.id, playlist_id, walk_id, entries)
        await add_job(session, admin.id, Kind.EXPORT, track_id=tracks[1])
        await _forge(session, admin.id, tracks[0])
        mix = await library.save_mix(session, admin.id, tracks[0], "Mine", library.MixState())
        token = (await library.share_mix(session, admin.id, mix.id)).share_token
        link = await accounts.new_link(session, await accounts.add_user(session, f"invited-{uuid4().hex[:6]}"))
        await accounts.add_token(session, admin.id, "laptop", ["read"])
    failed = await add_failed_job(admin.id, tracks[0])
    return {
        "track_id": str(tracks[0]),
        "playlist_id": str(playlist_id),
        "job_id": str(failed),
        "link": link,
        "shared": str(token),
        "view": "library",
        "name": "none",
        "file_id": str(UUID(int=0)),
        "file_ids": str(UUID(int=0)),
    }


async def _forge(session: AsyncSession, owner_id: UUID, track_id: UUID) -> None:
    """Give a track stems, an analysis and cue points, as if it had been through the studio."""
    kinds = (Kind.SEPARATION, Kind.ANALYSIS)
    separated, analysed = [await add_job(session, owner_id, kind, track_id=track_id) for kind in kinds]
    stems = [NewStem(name, new_file(f"{name}.flac"), None, 0.0) for name in ("vocals", "drums", "bass", "other")]
    await library.add_stems(session, owner_id, track_id, separated.id, stems)
    for stage, document in DOCUMENTS.items():
        await library.add_part(session, owner_id, track_id, analysed.id, NewPart(stage, "1", document))
    for slot, name in enumerate(("Verse", "", *TITLES), 1):
        await library.add_cue(session, owner_id, track_id, NewCue(slot / 4, slot, name[:40]))
    await library.add_cue(session, owner_id, track_id, NewCue(2.5, name=TITLES[0][:40]))
    await finish(session, separated, Status.COMPLETED, {"engine": "dsp", "model": "dsp"})
    await finish(session, analysed, Status.COMPLETED, {})


def _address(path: str, values: Values) -> str:
    token = values["shared"] if path.startswith("/shared") else values["link"]
    return path.format(**{**values, "token": token}).removeprefix("/")


async def _is_page(visiting: Visit, address: str) -> bool:
    """Whether there is a whole page at an address; fragments, sounds and feeds are none."""
    if address.startswith(("events/", "audio/", "files/")):
        return False
    answer = await visiting.context.request.get(visiting.studio.url + address)
    return answer.ok and "<html" in await answer.text()


async def _faults(page: Page) -> list[str]:
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(RUN)
    return found + [f"edge {fault}" for fault in await page.evaluate(EDGES)]


async def _narrow_faults(page: Page) -> list[str]:
    await page.set_viewport_size({"width": 390, "height": 844})
    found: list[str] = await page.evaluate(FITS)
    return [f"at 390 px {fault}" for fault in found]


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing_serious_on_any_page_and_each_fits_a_phone(
    rows: Database, visited: Values, house: Studio, browser: Browser, theme: Any
) -> None:
    seen, forged, faults = [], list[str](), dict[str, list[str]]()
    async with visit(browser, house, visited["cookie"], color_scheme=theme, reduced_motion="reduce") as visiting:
        for path in page_routes():
            address = _address(path, visited)
            if not await _is_page(visiting, address):
                continue
            page = await visiting.open(address)
            await page.evaluate(UNFOLD)
            seen.append(path)
            if path == "/tracks/{track_id}":
                forged = [name for name in FORGED if await page.locator(name).first.is_visible()]
            faults[path] = await _faults(page) + await _narrow_faults(page)
            await page.close()
    assert {path: found for path, found in faults.items() if found} == {}
    assert sorted(seen) == PAGES  # one that answers with an error is none, and one that is new is named here
    assert forged == FORGED


OPENED = {
    "the import": ("", "document.querySelector('[data-opens=import]').click()"),
    "the keys": ("", "document.querySelector('[data-opens=keys]').click()"),
    "the palette": ("", "document.querySelector('[data-opens=palette]').click()"),
    "the menu of the account": ("", "document.querySelector('.topbar details.menu summary').click()"),
    "the dialog of a track": ("tracks/{track_id}", "document.querySelector('[data-opens=edit]').click()"),
    "the dialog of a separation": ("tracks/{track_id}", "document.getElementById('separate').showModal()"),
    "the menus of a track": (
        "tracks/{track_id}",
        "for (const menu of document.querySelectorAll('#main details.menu')) menu.open = true",
    ),
}


@pytest.mark.parametrize("what", OPENED)
async def test_axe_finds_nothing_serious_in_what_opens(
    rows: Database, visited: Values, house: Studio, browser: Browser, what: str
) -> None:
    address, opens = OPENED[what]
    async with visit(browser, house, visited["cookie"], reduced_motion="reduce") as visiting:
        page = await visiting.live(address.format(**visited))
        await page.evaluate(opens)
        assert await _faults(page) + await _narrow_faults(page) == []


# What lies at the corners of a menu, its own or something that covers or cuts it.
CUT = """
  (menu) => {
    menu.open = true;
    menu.querySelector("summary").scrollIntoView({ block: "nearest" });
    const panel = menu.querySelector(":scope > div");
    const { left, top, right, bottom } = panel.getBoundingClientRect();
    const corners = [[left + 9, top + 9], [right - 9, top + 9], [left + 9, Math.min(bottom, innerHeight) - 9]];
    const cut = corners.filter(([x, y]) => !panel.contains(document.elementFromPoint(x, y)));
    menu.open = false;
    return cut.length ? `${menu.querySelector("summary").getAttribute("aria-label")}: ${cut.join(" and ")}` : "";
  }
"""


@pytest.mark.parametrize("width", [390, 1440])
async def test_what_a_menu_unfolds_is_seen_whole(
    rows: Database, visited: Values, house: Studio, browser: Browser, width: int
) -> None:
    size: Any = {"width": width, "height": 900}
    async with visit(browser, house, visited["cookie"], viewport=size, reduced_motion="reduce") as visiting:
        page = await visiting.live(f"tracks/{visited['track_id']}")
        menus = [menu for menu in await page.locator("details.menu").all() if await menu.is_visible()]
        assert len(menus) >= 6
        assert [fault for menu in menus if (fault := await menu.evaluate(CUT))] == []


STALE = """
  () => {
    const parts = [...document.querySelectorAll("main :is([data-page], #job-started, .list-head)")];
    for (const part of parts) part.append(Object.assign(document.createElement("i"), { className: "stale" }));
    document.dispatchEvent(new Event("resync"));
    return parts.map((part) => part.id || part.classList[0]);
  }
"""
KEPT_TRUE = {
    "/": ["page-of-rows", "newest-jobs"],
    "/tracks/{track_id}": ["page-of-rows", "stage", "newest-jobs"],
    "/jobs": ["job-tabs", "newest-jobs"],
    "/jobs/{job_id}": ["one-job", "job-facts", "job-started"],
    "/playlists/{playlist_id}": ["list-{playlist_id}", "entries-{playlist_id}"],
    "/settings": ["models"],
}


async def test_after_a_gap_every_part_that_is_kept_true_is_asked_for_again_until_it_came(
    rows: Database, visited: Values, house: Studio, browser: Browser
) -> None:
    refused, found = set[str](), dict[str, list[str]]()

    async def refuse_once(route: Route) -> None:
        asked = route.request.url
        if asked in refused or "/jobs" not in asked:
            return await route.continue_()
        refused.add(asked)
        return await route.fulfill(status=503, body="<h1>not now</h1>")

    async with visit(browser, house, visited["cookie"]) as visiting:
        visiting.expected.append("503")
        for path in page_routes():
            address = _address(path, visited)
            if not await _is_page(visiting, address) or not await _hears_changes(visiting, address):
                continue
            page = await visiting.live(address)
            await page.route("**/*", refuse_once)
            found[path] = await page.evaluate(STALE)
            await until(page, "!document.querySelector('.stale')")
            assert await page.locator(".toast").count() == 0
            await page.close()
    assert found == {path: [part.format(**visited) for part in parts] for path, parts in KEPT_TRUE.items()}
    assert len(refused) == 4  # dock, tabs, jobs, one of them


async def _hears_changes(visiting: Visit, address: str) -> bool:
    text = await (await visiting.context.request.get(visiting.studio.url + address)).text()
    return "hx-sse:connect" in text and 'hx-sse:connect="/events/page' not in text


async def test_a_page_has_one_live_region_and_says_there_what_happened(
    rows: Database, visited: Values, house: Studio, browser: Browser
) -> None:
    async with visit(browser, house, visited["cookie"]) as visiting:
        visiting.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"]
        page = await visiting.live("jobs")
        regions = await page.evaluate(
            "[...document.querySelectorAll('[aria-live], [role=status], [role=log]')].map((one) => one.id)"
        )
        assert regions == ["announce"]
        await page.click(".nav a[href='/playlists']")
        await until(page, "document.getElementById('announce').textContent.startsWith('Playlists')")
