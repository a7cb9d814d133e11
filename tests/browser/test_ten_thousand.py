"""Rule 6: one change among 10,000 tracks is one small message, in every tab, however it is sorted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Page
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library, pipeline
from soundforge.db import reading, transaction
from soundforge.events import TrackAdded, publish
from soundforge.library._search import search_fields
from soundforge.tables import File, Job, Kind, Stem, Track, User
from tests.support.browser import Visit, settled, until
from tests.support.house import add_job

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

MANY = 10_000
MOST_BYTES = 2000
STEMS = ("vocals", "drums", "bass", "other")
WITH_STEMS = 100  # songs; the others are below what a page shows first
TITLES = "[...document.querySelectorAll('.row')].map((row) => row.querySelector('.row-name a').textContent)"
TIMES = "[...document.querySelectorAll('.row .column-time')].map((cell) => cell.textContent)"


def song(owner: User, number: int, title: str = "") -> dict[str, object]:
    """Give a row as an import would have made it; length falls as the title rises."""
    title, artist = title or f"Song {number:05}", f"Artist {number % 97:02} and the Orchestra of the Neighbours"
    return {
        "id": uuid4(),
        "owner_id": owner.id,
        "audio_file_id": owner.id,
        "mix_file_id": owner.id,
        "title": title,
        "artist": artist,
        "album": "",
        "duration_ms": (2 * MANY - number) * 1000,
        "frames": 44100,
        "sample_rate_hz": 44100,
        "bpm": 60 + number % 120,
        "camelot": f"{1 + number % 12}A",
        "musical_key": "A minor",
        **search_fields(title, artist, ""),
    }


async def add_stems(session: AsyncSession, owner: User, track_ids: list[UUID]) -> None:
    """Stems as separations have left them."""
    shared = {"kind": Kind.SEPARATION, "owner_id": owner.id, "max_attempts": 1}
    rows = [{"id": uuid4(), "track_id": track_id, "unique_key": f"{track_id}", **shared} for track_id in track_ids]
    await session.execute(insert(Job), rows)
    for move in ("status = 'processing', run = 1", "status = 'completed'"):
        await session.execute(text(f"UPDATE jobs SET {move} WHERE owner_id = '{owner.id}'"))
    stems = [
        {"track_id": job["track_id"], "job_id": job["id"], "file_id": owner.id, "name": name, "position": at}
        for job in rows
        for at, name in enumerate(STEMS)
    ]
    await session.execute(insert(Stem), stems)


@pytest_asyncio.fixture(loop_scope="session")
async def many(person: User) -> dict[str, UUID]:
    """Ten thousand songs of one person: title → id."""
    songs = [song(person, number) for number in range(MANY)]
    mix = {"owner_id": person.id, "key": f"jobs/{person.id}/1/mix.flac", "size_bytes": 1, "sha256": "0" * 64}
    async with transaction() as session:
        await session.execute(insert(File), [{"id": person.id, "media_type": "audio/flac", **mix}])
        await session.execute(insert(Track), songs)
        await add_stems(session, person, [UUID(str(one["id"])) for one in songs[:WITH_STEMS]])
    return {str(one["title"]): UUID(str(one["id"])) for one in songs}


async def tabs(here: Visit) -> tuple[Page, Page]:
    """One tab sorted by title, one by length, rising: the second is the first turned round."""
    one = await here.live("?sort=title&dir=asc")
    other = await here.live("?sort=duration&dir=asc")
    here.requests.clear()
    return one, other


async def heard(page: Page) -> list[str]:
    """What the feed said since last asked, at least one message."""
    await until(page, "window.heard.length > 0")
    told: list[str] = await page.evaluate("window.heard.splice(0)")
    assert all(len(message.encode()) < MOST_BYTES for message in told), [len(message.encode()) for message in told]
    return told


def lists_asked_for(here: Visit) -> list[str]:
    """Requests that would bring rows; pictures, sound and the like are not asked for either."""
    return [request for request in here.requests if "/events/" not in request]


async def test_a_changed_row_is_sent_alone(here: Visit, person: User, many: dict[str, UUID]) -> None:
    one, other = await tabs(here)
    row = f"#track-{many['Song 00050']}"
    async with transaction() as session:
        await library.change_track(
            session, person.id, many["Song 00050"], title="Song 00050", artist="Changed", album=""
        )
    await until(one, f"document.querySelector('{row} small').textContent === 'Changed'")
    for page in (one, other):  # the row, and that its stage, if it were open, should ask for itself
        told = await heard(page)
        assert ['class="row"' in message for message in told] == [True, False]
        assert sum(len(message.encode()) for message in told) < MOST_BYTES
    assert await one.locator(".row").count() == 100
    assert await other.locator(row).count() == 0  # far below, on no page yet: the message finds nothing to change
    assert lists_asked_for(here) == []


async def test_a_row_that_gets_another_title_moves_to_its_new_place(
    here: Visit, person: User, many: dict[str, UUID]
) -> None:
    one, other = await tabs(here)
    async with transaction() as session:
        await library.change_track(
            session, person.id, many["Song 00050"], title="Song 00020 and a half", artist="Artist 50", album=""
        )
    await until(one, f"{TITLES}[21] === 'Song 00020 and a half'")
    titles = await one.evaluate(TITLES)
    assert titles == sorted(titles)
    assert len(titles) == 100
    await heard(one)
    await heard(other)
    assert lists_asked_for(here) == []


async def test_a_new_row_comes_at_its_sorted_place_in_both_tabs(
    here: Visit, person: User, many: dict[str, UUID]
) -> None:
    one, other = await tabs(here)
    new = song(person, 0, "Song 00010 b") | {"duration_ms": (MANY + 5) * 1000 + 500}
    async with transaction() as session:
        await session.execute(insert(Track), [new])
        await publish(session, TrackAdded(owner_id=person.id, track_id=UUID(str(new["id"]))))
    await until(one, f"{TITLES}[11] === 'Song 00010 b'")
    await until(other, f"{TITLES}.includes('Song 00010 b')")
    times = await other.evaluate(TIMES)
    assert times == sorted(times, key=lambda text: [int(part) for part in text.split(":")])
    assert (await other.evaluate(TITLES))[5] == "Song 00010 b"
    for page in (one, other):
        assert len(await heard(page)) == 1
        assert await page.locator(".row").count() == 101
    assert lists_asked_for(here) == []


async def test_many_new_rows_side_by_side_come_in_order_and_none_is_lost(
    here: Visit, person: User, many: dict[str, UUID]
) -> None:
    one, other = await tabs(here)
    news = [
        song(person, 0, f"Song 00010 {letter}") | {"duration_ms": 1000 + number}
        for number, letter in enumerate("bcdef")
    ]
    for first, last in ((0, 4), (4, 5)):  # the row after the first ones is untold yet when they are told
        async with transaction() as session:
            await session.execute(insert(Track), news[first:last])
            for new in news[first:last]:
                await publish(session, TrackAdded(owner_id=person.id, track_id=UUID(str(new["id"]))))
    await until(one, f"{TITLES}.includes('Song 00010 f')")
    await until(other, f"{TITLES}.includes('Song 00010 f')")
    titles = await one.evaluate(TITLES)
    assert titles[11:16] == [new["title"] for new in news]
    assert titles == sorted(titles)
    assert (await other.evaluate(TITLES))[:5] == [new["title"] for new in news]
    await heard(one)
    await heard(other)
    assert lists_asked_for(here) == []


async def test_a_deleted_row_goes_and_comes_back_by_itself(here: Visit, person: User, many: dict[str, UUID]) -> None:
    one, other = await tabs(here)
    gone = many["Song 00003"]
    async with transaction() as session:
        await library.remove_track(session, person.id, gone)
    await until(one, f"!document.getElementById('track-{gone}')")
    assert len(await heard(one)) == len(await heard(other)) == 1
    assert await one.locator(".row").count() == 99
    async with transaction() as session:
        await library.restore_track(session, person.id, gone)
    await until(one, f"{TITLES}[3] === 'Song 00003'")
    assert len(await heard(one)) == len(await heard(other)) == 1
    assert await one.locator(".row").count() == 100
    assert await other.locator(".row").count() == 100
    assert lists_asked_for(here) == []


async def test_a_job_is_told_in_small_messages_to_the_row_of_its_track_and_to_the_dock(
    here: Visit, person: User, many: dict[str, UUID]
) -> None:
    one, other = await tabs(here)
    row = f"#track-{many['Song 00050']}"
    assert await one.locator(f"{row} [data-stem]").count() == len(STEMS)
    async with transaction() as session:
        job = await pipeline.request_analysis(session, person.id, many["Song 00050"])
    await until(one, f"document.querySelector('{row} .row-state').dataset.state !== ''")
    await one.wait_for_selector(f"#job-{job.id}")
    await other.wait_for_selector(f"#job-{job.id}")
    await heard(one)
    await heard(other)
    assert lists_asked_for(here) == []


async def test_the_dock_keeps_the_newest_jobs_alone(here: Visit, person: User, many: dict[str, UUID]) -> None:
    page = await here.live()
    for _ in range(2):
        async with transaction() as session:
            made = [
                await add_job(session, person.id, Kind.ANALYSIS, track_id=many[f"Song {number:05}"])
                for number in range(40)
            ]
        await page.wait_for_selector(f"#job-{made[-1].id}")
    await until(page, "document.querySelectorAll('#newest-jobs .job').length === 60")
    assert await page.locator("#newest-jobs .job").first.get_attribute("id") in {f"job-{job.id}" for job in made}


JOB_IDS = "[...document.querySelectorAll('#jobs .job')].map((job) => job.id)"
SETTLED = """[...document.querySelectorAll('#jobs :is(.page-gap, .sentinel)')].every((part) => {
  const { top, bottom } = part.getBoundingClientRect();
  return bottom < 0 || top > innerHeight;
})"""


async def test_the_page_of_jobs_stays_light_while_hundreds_begin_and_none_is_lost(
    here: Visit, person: User, many: dict[str, UUID]
) -> None:
    page = await here.live("jobs")
    songs = list(many.values())
    made = []
    for hundred in range(8):
        async with transaction() as session:
            made += [
                await add_job(session, person.id, Kind.ANALYSIS, track_id=track_id)
                for track_id in songs[hundred * 100 : hundred * 100 + 100]
            ]
        await page.wait_for_selector(f"#job-{made[-1].id}")
    await until(page, f"{JOB_IDS}.length <= 400", within_s=20)
    seen: list[str] = []
    for step in range(400):
        await page.evaluate(f"document.getElementById('main').scrollTop = {step * 500}")
        await until(page, SETTLED, within_s=20)
        seen += [one for one in await page.evaluate(JOB_IDS) if one not in seen]
        if len(seen) >= len(made) + WITH_STEMS:
            break
    assert len(seen) == len(set(seen)) == len(made) + WITH_STEMS
    assert {f"job-{job.id}" for job in made} <= set(seen)
    assert len(await page.evaluate(JOB_IDS)) <= 600
    await page.evaluate("document.getElementById('main').scrollTop = 0")
    await page.wait_for_selector(f"#job-{made[-1].id}")


@asynccontextmanager
async def paused_analyses() -> AsyncIterator[None]:
    """Analyses wait; the studio obeys within a heartbeat."""

    async def is_so() -> bool:
        async with reading() as session:
            asked = text("SELECT bool_and((meta->>'paused')::bool) FROM oban_producers WHERE queue = 'analysis'")
            return bool(await session.scalar(asked))

    async def decide(*, paused: bool) -> None:
        async with transaction() as session:
            await jobs.change_queue(session, "analysis", paused=paused)

    await decide(paused=True)
    await settled(is_so)
    try:
        yield
    finally:
        await decide(paused=False)


async def test_a_view_of_jobs_does_not_keep_hundreds_that_it_does_not_show(
    here: Visit, person: User, many: dict[str, UUID]
) -> None:
    page = await here.live("jobs?show=failed")
    songs = list(many.values())
    async with paused_analyses():
        for hundred in range(4):
            async with transaction() as session:
                for track_id in songs[hundred * 100 : hundred * 100 + 100]:
                    await add_job(session, person.id, Kind.ANALYSIS, track_id=track_id)
            now = f"=== {hundred * 100 + 100}" if hundred < 3 else "< 100"
            await until(page, f"{JOB_IDS}.length {now}", within_s=20)
        await page.wait_for_selector("text=Nothing failed")


async def test_pages_follow_each_other_without_gap_or_double_and_far_ones_are_emptied(
    here: Visit, many: dict[str, UUID]
) -> None:
    page = await here.live("?sort=title&dir=asc")
    seen: list[str] = []
    most = 0
    for last in range(99, 1600, 100):
        await page.evaluate("document.getElementById('library').scrollTop = 1e9")
        await until(page, f"{TITLES}.at(-1) >= 'Song {last:05}'", within_s=20)
        titles = await page.evaluate(TITLES)
        seen += [title for title in titles if title not in seen]
        most = max(most, len(titles))
    assert seen[:1600] == [f"Song {number:05}" for number in range(1600)]
    assert most <= 900
    assert await page.locator(".page-gap").count() > 0
    await page.evaluate("document.getElementById('library').scrollTop = 0")
    await until(page, f"{TITLES}[0] === 'Song 00000' && {TITLES}[99] === 'Song 00099'", within_s=20)
    titles = await page.evaluate(TITLES)
    assert len(titles) == len(set(titles)) <= 900
