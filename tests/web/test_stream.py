import asyncio
import contextlib
import re
from uuid import UUID, uuid4

from sqlalchemy import select, update

from soundforge import accounts, library
from soundforge.db import Database, transaction
from soundforge.events import AnalysisReady, Batch, JobChanged, LibraryChanged, Resync, TrackChanged
from soundforge.library import Query
from soundforge.tables import Job, Kind, Track
from soundforge.web import _stream
from soundforge.web._reads import Reads
from soundforge.web._stream import GOODBYE, PING, RESYNC, Feed, messages
from soundforge.web._stream_library import LOADERS
from tests.support.db import counted_queries
from tests.support.factories import add_many_songs, add_song
from tests.support.feeds import LARGEST_BYTES, Ear, hearing
from tests.support.house import House, add_job, log_in


async def change(owner_id: UUID, track_id: UUID, title: str) -> None:
    async with transaction() as session:
        await library.change_track(session, owner_id, track_id, title=title, artist="x", album="")


async def test_one_change_among_10_000_rows_is_told_in_two_kilobytes(house: House) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        await add_many_songs(session, ann, 10_000)
        track = (await session.scalars(select(Track).where(Track.title == "song 5000"))).one()
        neighbour = (await session.scalars(select(Track).where(Track.title == "song 5001"))).one()
    by_title, by_age = Query(sort="title", descending=False), Query()
    async with hearing(house, "ann", by_title) as sorted_one, hearing(house, "ann", by_age) as other:
        await change(ann, track.id, "song 5000 b")
        moved = await sorted_one.until_told("song 5000 b")
        assert f'"track-{track.id}" hx-swap-oob="delete"'.encode() in moved
        assert f"beforebegin:#track-{neighbour.id}".encode() in moved
        updated = await other.until_told("song 5000 b")
        assert b"beforebegin" not in updated
        async with transaction() as session:
            added = await add_song(session, ann, "song 5000 a")
        inserted = await sorted_one.until_told("song 5000 a")
        assert f"beforebegin:#track-{track.id}".encode() in inserted
        async with transaction() as session:
            await library.remove_track(session, ann, added.id)
        gone = f'<div id="track-{added.id}" hx-swap-oob="delete">'
        removed = await sorted_one.until_told(gone)
        await other.until_told(gone)
        await other.until_told(f'data-gone="{added.id}" hx-swap-oob="outerHTML:#stage')
        assert all(len(message) < LARGEST_BYTES for message in (moved, updated, inserted, removed))
        assert all(len(message) < LARGEST_BYTES for message in (*sorted_one.heard, *other.heard))


async def test_rows_that_come_back_together_find_each_other(house: House) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        first, second, _ = [await add_song(session, ann, title) for title in ("aa", "bb", "cc")]
    async with hearing(house, "ann", Query(sort="title", descending=False)) as ear:
        async with transaction() as session:
            for track in (first, second):
                await library.remove_track(session, ann, track.id)
        for track in (first, second):
            await ear.until_told(f'<div id="track-{track.id}" hx-swap-oob="delete">')
        before = len(ear.heard)
        async with transaction() as session:
            for track in (first, second):
                await library.restore_track(session, ann, track.id)
        await ear.until_told(f"beforebegin:#track-{second.id}")
        told = b"".join(ear.heard[before:])
        # What the first one is put before stands there by then.
        assert told.index(f'id="track-{second.id}"'.encode()) < told.index(f"beforebegin:#track-{second.id}".encode())


async def test_rows_that_come_back_together_find_each_other_on_a_page_that_never_had_them(house: House) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        first, second, _ = [await add_song(session, ann, title) for title in ("aa", "bb", "cc")]
        for track in (first, second):
            await library.remove_track(session, ann, track.id)
    async with hearing(house, "ann", Query(sort="title", descending=False)) as ear:
        async with transaction() as session:
            for track in (first, second):
                await library.restore_track(session, ann, track.id)
        await ear.until_told(f"beforebegin:#track-{second.id}")
        told = ear.bytes_told()
        assert told.index(f'id="track-{second.id}"'.encode()) < told.index(f"beforebegin:#track-{second.id}".encode())


async def begin(house: House, database: Database, pages: int) -> tuple[int, list[bytes]]:
    """Let a job begin before so many open pages: how many statements that takes, and what each page heard of it."""
    ann = house.users["ann"]
    async with transaction() as session:
        track = await add_song(session, ann, "Blue")
        job = await add_job(session, ann, Kind.ANALYSIS, track_id=track.id)
    async with contextlib.AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(hearing(house, "ann")) for _ in range(pages)]
        with counted_queries(database) as sent:
            async with transaction() as session:
                await session.execute(update(Job).where(Job.id == job.id).values(status="processing", run=1))
            for ear in ears:
                await ear.until_told(f'id="job-{job.id}"')
        return len(sent), [ear.bytes_told() for ear in ears]


async def test_many_pages_hear_of_a_change_for_the_questions_of_one(house: House, database: Database) -> None:
    alone, heard = await begin(house, database, 1)
    assert len(heard[0]) < 2 * LARGEST_BYTES
    together, heard = await begin(house, database, 20)
    assert together == alone
    assert len({told.partition(b"id: ")[0] for told in heard}) == 1


async def test_a_page_that_hears_of_two_changes_at_once_is_told_of_the_second_whatever_others_asked(
    house: House,
) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        track = await add_song(session, ann, "first")
    events = [TrackChanged(ann, track.id, ("title",)), AnalysisReady(ann, track.id, uuid4(), "harmony")]
    told = []
    for title, batch in (("second", events[:1]), ("third", events)):
        await change(ann, track.id, title)
        feed = Feed(ann, "library", Query(), _nobody_asks)
        told.append(await _stream._message(feed, Batch(tuple(batch)), house.studio.reads, LOADERS))
    assert b"second" in told[0]
    assert b"third" in told[1]


async def _nobody_asks() -> bool:
    raise AssertionError


async def test_a_tick_moves_bars_alone_and_asks_for_nothing(house: House, database: Database) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        track = await add_song(session, ann)
        job = await add_job(session, ann, Kind.SEPARATION, track_id=track.id)
    async with hearing(house, "ann") as ear:
        async with transaction() as session:
            await session.execute(update(Job).where(Job.id == job.id).values(status="processing", run=1))
        await ear.until_told('data-state="processing"')
        with counted_queries(database) as sent:
            async with transaction() as session:
                await session.execute(update(Job).where(Job.id == job.id).values(progress=42))
            tick = await ear.until_told('value="42"')
        assert [statement.split()[0] for statement in sent] == ["UPDATE"]
        assert b'role="row"' not in tick
        assert len(tick) < 700
        assert f"track-{track.id}".encode() not in tick.replace(f"row-{track.id}".encode(), b"")


def running(owner_id: UUID, track_id: UUID, progress: int) -> JobChanged:
    return JobChanged(owner_id, uuid4(), track_id, None, "analysis", "processing", progress, "", 1, None, None)


async def test_pages_take_the_same_ticks_each_as_it_shows_the_jobs() -> None:
    ann, track, reads = uuid4(), uuid4(), Reads()
    first, second = running(ann, track, 41), running(ann, track, 42)  # one track: its row shows one of them
    batch = Batch((first, second), "epoch-7")

    def page(view: str, in_row: JobChanged) -> Feed:
        seen = {first.job_id: first.state, second.job_id: second.state, track: in_row.job_id}
        return Feed(ann, view, Query(), _nobody_asks, seen=seen)

    async def told(view: str, in_row: JobChanged) -> bytes:
        return await _stream._message(page(view, in_row), batch, reads, LOADERS)

    for shown in (first, second):
        heard = await told("library", shown)
        places = [heard.index(f'id="progress-{job.job_id}"'.encode()) for job in (first, second)]
        assert places == sorted(places)
        (row,) = re.findall(rb'id="progress-row-[^>]*value="([0-9]+)"', heard)
        assert int(row) == shown.progress
        assert heard.count(b"id: epoch-7\n") == 1
        assert await told("library", shown) is heard  # drawn once for all that show it so
    elsewhere = await told("jobs", first)
    assert b"progress-row-" not in elsewhere
    assert elsewhere.count(b"<progress") == 2
    assert await told("playlist", first) == PING  # no bars there


async def test_a_batch_with_a_gap_in_it_is_told_as_that_alone() -> None:
    ann = uuid4()
    for gap in (Resync(), LibraryChanged(ann)):
        feed = Feed(ann, "library", Query(), _nobody_asks)
        assert await _stream._message(feed, Batch((running(ann, uuid4(), 1), gap)), Reads(), LOADERS) == RESYNC


async def test_a_row_that_the_search_loses_goes_and_one_that_it_finds_comes(house: House) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        lost, found = await add_song(session, ann, "blue one"), await add_song(session, ann, "red one")
    async with hearing(house, "ann", Query(search="blue")) as ear:
        await change(ann, lost.id, "green")
        message = await ear.until_told(f"track-{lost.id}")
        assert b"green" not in message
        await change(ann, found.id, "blue now")
        await ear.until_told("blue now")


async def test_nobody_hears_a_byte_of_others(house: House) -> None:
    ann, ben = house.users["ann"], house.users["ben"]
    async with hearing(house, "ann") as hers, hearing(house, "ben") as his, hearing(house, "ben") as his_too:
        async with transaction() as session:
            track = await add_song(session, ann, "secret")
            await add_job(session, ann, Kind.ANALYSIS, track_id=track.id)
        await change(ann, track.id, "secret two")
        async with transaction() as session:
            last = await add_song(session, ben, "his own")
        for ear in (his, his_too):
            await ear.until_told(str(last.id))
            assert str(track.id).encode() not in ear.bytes_told()
            assert b"secret" not in ear.bytes_told()
        await hers.until_told("secret two")
        assert b"his own" not in hers.bytes_told()


async def test_a_feed_ends_with_the_login_that_opened_it_and_no_other(house: House) -> None:
    ann = house.users["ann"]
    token, second = await log_in(ann), await log_in(ann)
    async with transaction() as session:
        _, row = await accounts.find_session(session, token) or (None, None)
        _, kept = await accounts.find_session(session, second) or (None, None)
        api_token, _ = await accounts.add_token(session, ann, "p", ["read"])
    assert row is not None
    assert kept is not None
    async with (
        hearing(house, "ann", session_id=row.id) as browser,
        hearing(house, "ann", token_id=api_token.id) as program,
        hearing(house, "ann", session_id=kept.id) as other,
    ):
        async with transaction() as session:
            await accounts.log_out(session, token)
        await browser.until(lambda: browser.ended)
        assert GOODBYE in browser.heard
        async with transaction() as session:
            await accounts.revoke_token(session, ann, api_token.id)
        await program.until(lambda: program.ended)
        before = browser.bytes_told() + program.bytes_told()
        async with transaction() as session:
            await add_song(session, ann, "after")
        await other.until_told("after")
        assert not other.ended
        assert browser.bytes_told() + program.bytes_told() == before
        async with transaction() as session:
            await accounts.disable_user(session, ann)
        await other.until(lambda: other.ended)


async def test_cue_points_that_change_send_the_open_panel_and_nobody_else_anything(house: House) -> None:
    song = await house.add_song()
    async with hearing(house, "ann") as ear, hearing(house, "ben") as stranger:
        async with transaction() as session:
            await library.add_cue(session, house.users["ann"], song.track_id, library.NewCue(0.5, slot=1))
        told = await ear.until_told(f"/tracks/{song.track_id}/cues")
        assert f"#cues-{song.track_id}".encode() in told
        assert b"track-" not in told
        assert len(told) < 600
        assert stranger.bytes_told() == b""


async def test_what_happened_since_a_page_was_drawn_is_told_first(house: House) -> None:
    ann = house.users["ann"]
    place = house.studio.listener.recent.place()
    async with hearing(house, "ann") as witness:
        async with transaction() as session:
            await add_song(session, ann, "meanwhile")
        await witness.until_told("meanwhile")
    async with hearing(house, "ann", place=place) as ear:
        message = await ear.until_told("meanwhile")
        assert message.startswith(b"id: ")
        assert RESYNC not in ear.heard
    later = message.split(b"\n")[0].removeprefix(b"id: ").decode()
    async with hearing(house, "ann", place=later) as ear:
        assert ear.heard == [PING]


async def test_what_happens_while_a_batch_is_told_is_not_counted_as_told(house: House, monkeypatch) -> None:  # noqa: ANN001 - pytest's own
    """The place that a message tells is where its batch was taken out, not where it was sent."""
    ann = house.users["ann"]
    listener, ear = house.studio.listener, Ear()
    before = listener.recent.place()
    async with transaction() as session:
        track = await add_song(session, ann, "first")
    while not listener.recent.since(ann, before):  # told before the feed opens: it is no batch of ours
        await asyncio.sleep(0.01)
    late = TrackChanged(owner_id=ann, track_id=track.id, fields=["title"])

    async def allowed() -> bool:
        if len(ear.heard) == 1:
            listener.hand_out(late)  # between taking the batch out and sending it
        return True

    monkeypatch.setattr(_stream, "CHECK_S", 0.0)
    feed = Feed(ann, "library", Query(), allowed)
    task = asyncio.create_task(ear.listen(messages(feed, house.studio, listener.recent.place(), LOADERS)))
    await ear.until(lambda: ear.heard == [PING])
    async with transaction() as session:
        await add_song(session, ann, "second")
    told = await ear.until_told("second")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    place = told.split(b"id: ", 1)[1].split(b"\n")[0].decode()
    assert late in (listener.recent.since(ann, place) or [])


async def test_a_page_of_another_life_reads_everything_anew(house: House) -> None:
    async with hearing(house, "ann", place="unknown-7") as ear:
        assert ear.heard[0] == RESYNC
    async with hearing(house, "ann") as ear:
        house.studio.listener.resync()
        await ear.until(lambda: RESYNC in ear.heard)


async def test_after_a_gap_a_feed_looks_whether_its_login_still_counts(house: House) -> None:
    asked = []

    async def no_more() -> bool:
        asked.append(True)
        return False

    feed = Feed(house.users["ann"], "library", Query(), no_more)
    listener, ear = house.studio.listener, Ear()
    stream = messages(feed, house.studio, listener.recent.place(), LOADERS)
    task = asyncio.create_task(ear.listen(stream))
    await ear.until(lambda: bool(ear.heard))
    listener.resync()
    await ear.until(lambda: ear.ended)
    await task
    assert (asked, ear.heard) == ([True], [PING, GOODBYE, b""])


async def test_silence_is_filled_with_signs_of_life_until_the_studio_stops(house: House, monkeypatch) -> None:  # noqa: ANN001 - pytest's own
    monkeypatch.setattr(_stream, "PING_S", 0.01)
    async with hearing(house, "ann") as ear:
        await ear.until(lambda: ear.heard.count(PING) > 2)
        house.studio.stopping.set()
        await ear.until(lambda: ear.ended)
        assert set(ear.heard) == {PING, b""}


async def test_maintenance_stays_out_of_the_library(house: House) -> None:
    event = JobChanged(
        owner_id=house.users["ann"],
        job_id=house.users["ann"],
        track_id=None,
        parent_id=None,
        kind="maintenance",
        status="queued",
        progress=0,
        stage="",
        run=0,
        error_code=None,
        wait_reason=None,
    )
    async with hearing(house, "ann") as ear:
        house.studio.listener.hand_out(event)
        async with transaction() as session:
            await add_song(session, house.users["ann"], "music")
        await ear.until_told("music")
        assert b"job-" not in ear.bytes_told()
