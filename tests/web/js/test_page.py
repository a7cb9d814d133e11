"""The page around the sound: the stream and its badge, keys, uploads, long lists, dialogs, toasts."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route

from tests.web.js.conftest import Studio, evaluate, until

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

DUPLICATE = {"id": "j1", "status": "completed", "error": None, "result": {"duplicate": True}}
BADGE = "document.getElementById('link').dataset.state"


async def test_a_feed_whose_first_connect_is_refused_is_tried_again_until_it_is_live(studio: Studio) -> None:
    studio.expected += ["Failed to load resource", "503"]
    studio.app.state.refusals = 2
    page = await studio.open()
    await until(page, f"{BADGE} === 'offline' && document.getElementById('link').innerText === 'offline'")
    await until(page, f"{BADGE} === 'live'")
    assert not await page.locator("#unheard").is_visible()
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


STATES = """
  window.states = [];
  new MutationObserver(() => window.states.push(document.getElementById("link").dataset.state))
    .observe(document.getElementById("link"), { attributeFilter: ["data-state"] });
"""


@pytest.mark.parametrize("told", ["offline", "online"])
async def test_what_the_browser_says_of_its_network_is_tried_out_and_not_believed(studio: Studio, told: str) -> None:
    page = await studio.open()
    await until(page, f"{BADGE} === 'live'")
    await page.evaluate(STATES)
    await page.evaluate(f"window.dispatchEvent(new Event('{told}'))")
    await until(page, "window.states.length > 0 && window.states.at(-1) === 'live'")
    assert await page.evaluate("window.states") == ["connecting", "live"]
    assert studio.app.state.feeds == 2


async def test_a_line_without_a_sign_of_life_is_left_for_a_new_one(studio: Studio) -> None:
    page = await studio.open()
    await until(page, f"{BADGE} === 'live'")
    await page.evaluate(STATES)
    await page.evaluate("""
      window.pings = 0;
      document.addEventListener("ping", () => window.pings++);
      import("/static/v1/js/stream.js").then(({ silence }) => (silence.longest_ms = 500));
      window.dispatchEvent(new Event("online"));
    """)
    await until(page, "window.states.filter((state) => state === 'live').length > 2")  # it is left again and again
    studio.app.state.pings = True
    await until(page, "window.pings > 0")
    begun, heard = studio.app.state.feeds, await page.evaluate("window.pings")
    await until(page, f"window.pings > {heard + 10}")  # for more than a second it does
    assert studio.app.state.feeds == begun


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


async def test_tab_goes_through_a_list_as_through_one_thing(studio: Studio) -> None:
    page = await studio.open("/?state=list")

    async def tab(keys: str) -> str:
        """The row that the focus is in after these keys."""
        await page.keyboard.press(keys)
        row: str = await page.evaluate("document.activeElement.closest('.row')?.id ?? ''")
        return row

    rows = [await tab("j") for _ in range(3)]
    in_hand = rows[-1]
    assert len({*rows}) == 3
    seen = [await tab("Tab") for _ in range(8)]
    inside = seen.index("")
    assert seen[:inside] == [in_hand] * inside  # what the row has
    assert seen[inside:] == [""] * (8 - inside)
    back = [await tab("Shift+Tab") for _ in range(16)]
    assert {*back} == {"", in_hand}  # into the list where it was left, and out before its first row
    assert back[-1] == ""
    forth = [await tab("Tab") for _ in range(16)]
    assert {*forth} == {"", in_hand}


async def test_bars_that_only_move_are_written_onto_what_stands_there(studio: Studio) -> None:
    page = await studio.open()
    done = await page.evaluate("""
      async () => {
        const { moved } = await import("/static/v1/js/ticks.js");
        const bars = (percent) => `<progress id="progress-x" max="100" value="${percent}"></progress>
          <span id="percent-x" class="numbers">${percent} %</span> <progress id="progress-gone" value="9"></progress>`;
        document.body.insertAdjacentHTML("beforeend", bars(7));
        document.getElementById("progress-gone").remove();
        const [bar, figure] = ["progress-x", "percent-x"].map((id) => document.getElementById(id));
        const told = [moved(bars(43)), bar.getAttribute("value"), figure.textContent];
        const more = '<div id="percent-x">88 %</div>';
        return [...told, moved(bars(88) + more), moved(more), bar.value, bar.isConnected];
      }
    """)
    assert done == [True, "43", "43 %", False, False, 43, True]  # with anything else in it, it is htmx's to swap


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
    await page.click("[title='Retry Amber Delta']")
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


async def test_space_is_the_players_after_a_click_and_the_buttons_after_tab(studio: Studio) -> None:
    page = await studio.open()
    theme = "document.documentElement.dataset.theme"
    await page.click("[data-theme-switch]")
    clicked = await page.evaluate(theme)
    await page.keyboard.press("z")  # with a first key the browser takes the focus for one of the keyboard
    await page.keyboard.press("Space")
    assert await page.evaluate(theme) == clicked
    for key in ("Tab", "Shift+Tab", "Space"):
        await page.keyboard.press(key)
    assert await page.evaluate(theme) != clicked


@pytest.mark.parametrize("status", [None, 502])
async def test_a_part_of_a_list_that_did_not_come_can_be_asked_for_again(studio: Studio, status: int | None) -> None:
    studio.expected += ["ERR_FAILED", "Failed to fetch", "Failed to load resource"]
    page = await studio.open("/?state=empty")
    broken = [True]

    async def rows(route: Route) -> None:
        if not broken[0]:
            await route.continue_()
        elif status:
            await route.fulfill(status=status, body="<h1>Bad Gateway</h1>")
        else:
            await route.abort()

    await page.route("**/rows?*", rows)
    await page.goto(studio.url + "/?state=list")
    again = page.locator(".sentinel button:text('Try again')")
    await page.evaluate("document.querySelector('.sentinel').scrollIntoView()")
    await again.wait_for()
    assert await page.locator("text=Bad Gateway").count() == await page.locator(".toast").count() == 0
    broken[0] = False
    await again.click()
    await page.wait_for_selector("#track-n0")


async def test_a_page_that_takes_its_time_shows_it_and_is_told_when_it_is_there(studio: Studio) -> None:
    page = await studio.open()
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/jobs", hold)
    await page.click(".nav [data-page=jobs]")
    await until(page, "document.body.hasAttribute('data-loading')")
    held.set()
    await until(page, "document.getElementById('announce').textContent.startsWith('Jobs')")
    assert not await page.evaluate("document.body.hasAttribute('data-loading')")


async def test_the_palette_finds_what_the_page_can_do_and_does_it(studio: Studio) -> None:
    page = await studio.open()
    await page.keyboard.press("Control+k")
    await page.wait_for_selector("dialog#palette[open]")
    assert await page.evaluate("document.activeElement.id") == "palette-input"
    await page.keyboard.type("mute DRU")
    options = page.locator("#palette-list [role=option]")
    assert (await options.all_inner_texts())[0].startswith("Mute Drums")
    assert await page.get_attribute("#palette-input", "aria-activedescendant") == "palette-option-0"
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-stem=drums] [data-act=mute][aria-pressed=true]")
    assert await page.locator("dialog[open]").count() == 0
    await page.keyboard.press("Control+k")
    await page.keyboard.type("zzz")
    assert await page.inner_text("#palette-list") == "Nothing is called that."
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("jobs")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("main[data-here=jobs]")


async def test_the_list_of_keys_is_the_table_and_no_key_stands_in_it_twice(studio: Studio) -> None:
    page = await studio.open()
    await page.keyboard.press("?")
    told = await page.locator("#keys .keys-list dt").all_inner_texts()
    known = "import('/static/v1/js/keys.js').then(({ allKeys }) => allKeys().%s)"
    assert len(told) == await page.evaluate(known % "length")
    always = await page.evaluate(known % "filter(({ when }) => !when).flatMap(({ combos }) => combos)")
    assert always
    assert len(always) == len(set(always))


async def test_a_large_file_goes_in_parts_is_paused_and_goes_on_where_it_stopped(studio: Studio) -> None:
    page = await studio.open()
    size, part, here, sent = 5000, 1000, [0], list[tuple[int, int]]()

    async def uploads(route: Route) -> None:
        request = route.request
        if request.method == "PATCH":
            offset, body = int(request.headers["upload-offset"]), request.post_data_buffer or b""
            sent.append((offset, len(body)))
            if len(sent) == 2:
                here[0] = 1500  # half of it came, and then the line broke
                return await route.abort()
            here[0] = offset + len(body)
            job = {"id": "j1"} if here[0] == size else None
            return await route.fulfill(json={"offset": here[0], "job": job})
        return await route.fulfill(json={"id": "u1", "offset": here[0], "part_bytes": part})

    studio.expected.append("Failed to load resource")
    await page.route("**/api/v1/uploads**", uploads)
    await page.route("**/api/v1/jobs?*", lambda route: route.fulfill(json={"rows": [DUPLICATE]}))
    await page.evaluate("import('/static/v1/js/sending.js').then(({ Sending }) => (Sending.limit = 4000))")
    await page.keyboard.press("i")
    payload = {"name": "long.wav", "mimeType": "audio/wav", "buffer": b"x" * size}
    await page.set_input_files("#upload-files", payload)  # type: ignore[arg-type] # a payload is taken
    await page.wait_for_selector(".upload[data-state=completed] .upload-state:text('already in your library')")
    assert sent == [(0, 1000), (1000, 1000), (1500, 1000), (2500, 1000), (3500, 1000), (4500, 500)]
    assert await page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('upload '))") == []


async def test_a_file_can_be_paused_and_taken_away(studio: Studio) -> None:
    page = await studio.open()
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        with contextlib.suppress(PlaywrightError):  # it was taken back meanwhile
            await route.fulfill(json={"message": "imported"})

    await page.route("**/import/files?*", hold)
    await page.keyboard.press("i")
    files = [{"name": f"{name}.wav", "mimeType": "audio/wav", "buffer": b"x"} for name in ("a", "b", "c")]
    await page.set_input_files("#upload-files", files)  # type: ignore[arg-type] # a list of payloads is taken
    await page.wait_for_selector(".upload:has-text('c.wav')[data-state=waiting]")  # two at a time
    await page.click("[aria-label='Pause a.wav']")
    await page.wait_for_selector(".upload:has-text('a.wav')[data-state=paused]")
    await page.wait_for_selector(".upload:has-text('c.wav')[data-state=sending]")
    await page.click("[aria-label='Take away b.wav']")
    assert await page.locator(".upload").count() == 2
    await page.click("[aria-label='Go on a.wav']")
    held.set()
    await page.wait_for_selector(".upload:has-text('a.wav')[data-state=completed]")
    await page.wait_for_selector(".uploads-sum:text('2 of 2 files')")


async def test_a_folder_gives_its_audio_and_says_what_was_left_out(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "album" / "deep").mkdir(parents=True)
    for name in ("album/one.wav", "album/deep/two.FLAC", "album/cover.jpg", "album/notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    page = await studio.open()
    await page.keyboard.press("i")
    await page.set_input_files("#upload-folder", tmp_path / "album")
    await page.wait_for_selector(".uploads-sum:text('2 of 2 files')")
    assert sorted(await page.locator(".upload-name").all_inner_texts()) == ["one.wav", "two.FLAC"]
    assert await page.inner_text(".uploads-note") == "2 files are no audio and were left out."


DROP = """
const file = (name) => ({ isFile: true, file: (give) => give(new File(["x"], name)) });
const locked = { isFile: true, file: (_give, refuse) => refuse(new DOMException("locked", "NotReadableError")) };
let parts = [[file("one.wav"), locked, file("two.wav")], []];
const folder = { isDirectory: true, createReader: () => ({ readEntries: (give) => give(parts.shift()) }) };
const drop = new Event("drop", { bubbles: true, cancelable: true });
const items = [{ webkitGetAsEntry: () => folder }];
Object.defineProperty(drop, "dataTransfer", { value: { types: ["Files"], files: [], items } });
document.body.dispatchEvent(drop);
"""


async def test_a_file_that_cannot_be_read_is_counted_and_the_rest_of_its_folder_comes(studio: Studio) -> None:
    page = await studio.open()
    await page.evaluate(DROP)
    await page.wait_for_selector(".uploads-sum:text('2 of 2 files')")
    assert sorted(await page.locator(".upload-name").all_inner_texts()) == ["one.wav", "two.wav"]
    assert await page.inner_text(".uploads-note") == "1 file or folder could not be read."
