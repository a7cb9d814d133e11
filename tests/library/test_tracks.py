"""Tracks: pages in every order, changes, removal and return."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from soundforge import library
from soundforge.db import Database, open_database, reading, transaction
from soundforge.errors import Conflict, Invalid, NotFound
from soundforge.library import Figures, Query
from soundforge.tables import TRACK_SORTS, File, Track, cursor_of
from tests.support.factories import add_many_songs, add_song, new_file, new_track
from tests.support.jobs import Wire, add_user, open_wire

ORDERS = [(sort, descending) for sort in TRACK_SORTS for descending in (False, True)]
TITLES = ["Élan", "elan", "Zoo", "zoo", "Äther", "", "100", "Straße", "strasse", "名"]


async def fill(owner_id: UUID, how_many: int = 23) -> None:
    """Songs with many ties in every order, some without any figure."""
    async with transaction() as session:
        for number in range(how_many):
            title = TITLES[number % len(TITLES)] or "x"
            track = await add_song(session, owner_id, title, f"artist {number % 3}", duration_ms=1000 * (number % 4))
            if number % 3:
                figures = Figures(100.0 + number % 2, "A minor", f"{number % 2 + 1}A")
                await library.set_figures(session, owner_id, track.id, figures)


async def walk(owner_id: UUID, query: Query, limit: int) -> tuple[list[UUID], list[str | None]]:
    ids, cursors, after = [], [], None
    async with reading() as session:
        while True:
            page = await library.list_tracks(session, owner_id, query, after=after, limit=limit)
            ids += [track.id for track in page.rows]
            cursors.append(page.next)
            after = page.next
            if after is None:
                return ids, cursors


@pytest.mark.parametrize(("sort", "descending"), ORDERS)
async def test_pages_show_every_track_once_in_one_order(owner_id: UUID, sort: str, descending: bool) -> None:  # noqa: FBT001 - a parameter of the test
    await fill(owner_id)
    query = Query(sort=sort, descending=descending)
    whole, (last,) = await walk(owner_id, query, 100)
    assert last is None
    assert len(set(whole)) == 23
    for limit in (1, 4, 23):
        assert (await walk(owner_id, query, limit))[0] == whole
    other_way, _ = await walk(owner_id, Query(sort=sort, descending=not descending), 100)
    assert other_way == whole[::-1]


async def test_words_sort_by_their_letters_whatever_their_accents(owner_id: UUID) -> None:
    async with transaction() as session:
        for title in ("Zoo", "Élan", "apple", "Eland", "Äther", "zebra"):
            await add_song(session, owner_id, title)
    async with reading() as session:
        page = await library.list_tracks(session, owner_id, Query(sort="title", descending=False))
    assert [track.title for track in page.rows] == ["apple", "Äther", "Élan", "Eland", "zebra", "Zoo"]


async def test_every_order_of_the_list_has_its_index(owner_id: UUID) -> None:
    async with transaction() as session:
        for way in ("seqscan", "sort", "bitmapscan"):
            await session.execute(text(f"SET LOCAL enable_{way} = off"))
        for sort, by in TRACK_SORTS.items():
            asked = f"""
                EXPLAIN SELECT * FROM tracks WHERE owner_id = '{owner_id}' AND deleted_at IS NULL
                ORDER BY {by} DESC, id DESC LIMIT 100
            """
            plan = "\n".join(await session.scalars(text(asked)))
            assert f"ix_tracks_{sort}" in plan, plan


async def test_a_page_seen_before_is_read_again_with_what_came_between(owner_id: UUID) -> None:
    query = Query(sort="title", descending=False)
    async with transaction() as session:
        for title in "bdfh":
            await add_song(session, owner_id, title)
    async with reading() as session:
        first = await library.list_tracks(session, owner_id, query, limit=2)
        second = await library.list_tracks(session, owner_id, query, after=first.next, limit=1)
    async with transaction() as session:
        for title in "aceg":
            await add_song(session, owner_id, title)
    async with reading() as session:
        again = await library.list_tracks(session, owner_id, query, until=first.next)
        next_again = await library.list_tracks(session, owner_id, query, after=first.next, until=second.next)
    assert [track.title for track in again.rows] == ["a", "b", "c", "d"]
    assert [track.title for track in next_again.rows] == ["e", "f"]
    assert (again.next, next_again.next) == (None, None)


async def test_a_page_that_grew_beyond_what_one_holds_says_where_the_rest_begins(owner_id: UUID) -> None:
    query = Query(sort="title", descending=False)
    async with transaction() as session:
        await add_song(session, owner_id, "z")
        await add_song(session, owner_id, "zz")
    async with reading() as session:
        first = await library.list_tracks(session, owner_id, query, limit=1)
    async with transaction() as session:
        await add_many_songs(session, owner_id, 450)
    assert first.next
    found: list[str] = []
    after: str | None = None
    async with reading() as session:
        while True:
            page = await library.list_tracks(session, owner_id, query, after=after, until=first.next)
            assert len(page.rows) <= 200
            found += [track.title for track in page.rows]
            if not (after := page.next):
                break
            assert page.rest == 451 - len(found)
    assert (len(found), found[-1]) == (451, "z")
    assert found == sorted(set(found))


DAMAGED: list[Any] = [
    "nonsense",
    "WzE=",
    cursor_of("x", uuid4())[:-7],
    cursor_of(["x"], uuid4()),
    cursor_of(None, uuid4()),
    cursor_of("a\0b", uuid4()),
    cursor_of({"x": 1}, uuid4()),
    "\ud800",
    "é",
]


async def test_a_damaged_cursor_is_refused_in_one_sentence(owner_id: UUID) -> None:
    for sort, cursor, place in product(TRACK_SORTS, DAMAGED, ("after", "until")):
        async with reading() as session:
            with pytest.raises(Invalid) as refused:
                await library.list_tracks(session, owner_id, Query(sort=sort), **{place: cursor})
        assert refused.value.code == "bad_cursor"


async def test_a_cursor_of_another_order_never_breaks_the_list(owner_id: UUID) -> None:
    await fill(owner_id, 3)
    cursors = {sort: (await walk(owner_id, Query(sort=sort), 1))[1][0] for sort in TRACK_SORTS}
    for sort in TRACK_SORTS:
        for cursor in cursors.values():
            try:
                async with reading() as session:
                    await library.list_tracks(session, owner_id, Query(sort=sort), after=cursor)
            except Invalid as error:
                assert error.code == "bad_cursor"  # noqa: PT017 - either is right; a failure is not


async def test_an_unknown_order_is_refused(owner_id: UUID) -> None:
    async with reading() as session:
        with pytest.raises(Invalid) as refused:
            await library.list_tracks(session, owner_id, Query(sort="owner_id"))
    assert refused.value.code == "unknown_sort"


SONGS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "É", "e"]),
        st.sampled_from(["", "x", "Y"]),
        st.sampled_from([None, 100.0, 120.5]),
        st.sampled_from([0, 1000]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(songs=SONGS, order=st.sampled_from(ORDERS), search=st.sampled_from(["", "e", "x"]))
def test_the_next_track_is_the_neighbour_in_the_list(
    songs: list[tuple[str, str, float | None, int]], order: tuple[str, bool], search: str, dsn: str
) -> None:
    async def check() -> None:
        async with open_database(dsn):
            owner_id = await add_user(uuid4().hex)
            async with transaction() as session:
                for title, artist, bpm, duration_ms in songs:
                    track = await add_song(session, owner_id, title, artist, duration_ms=duration_ms)
                    await library.set_figures(session, owner_id, track.id, Figures(bpm, None, None))
            query = Query(search, *order)
            async with reading() as session:
                ids = [track.id for track in (await library.list_tracks(session, owner_id, query)).rows]
                found = [await library.find_next_track(session, owner_id, query, one) for one in ids]
            assert found == [*ids[1:], None][: len(ids)]

    asyncio.run(check())


async def test_the_next_of_a_track_that_the_search_loses_is_where_it_would_stand(owner_id: UUID) -> None:
    async with transaction() as session:
        tracks = [await add_song(session, owner_id, title) for title in ("a x", "b", "c x")]
        query = Query("x", "title", descending=False)
        assert await library.find_next_track(session, owner_id, query, tracks[1].id) == tracks[2].id
        assert await library.find_next_track(session, owner_id, query, uuid4()) is None
        assert not await library.is_in(session, owner_id, query, tracks[1].id)
        assert await library.is_in(session, owner_id, query, tracks[0].id)


async def test_nobody_touches_the_tracks_of_others(owner_id: UUID, other_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id, "Mine")
    async with transaction() as session:
        for refused in (
            library.get_track(session, other_id, track.id),
            library.remove_track(session, other_id, track.id),
            library.restore_track(session, other_id, track.id),
            library.change_track(session, other_id, track.id, title="x", artist="", album=""),
            library.get_file(session, other_id, track.audio_file_id or uuid4()),
        ):
            with pytest.raises(NotFound):
                await refused
        await library.set_figures(session, other_id, track.id, Figures(1.0, None, None))
        assert await library.list_stems(session, other_id, [track.id]) == []
        assert await library.list_parts(session, other_id, track.id) == []
    async with reading() as session:
        now = await library.get_track(session, owner_id, track.id)
    assert (now.title, now.bpm) == ("Mine", None)


async def test_words_are_kept_on_one_line_and_not_too_long(owner_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id, " A\0 very\n long \u202e title " + "x" * 400)
        assert track.title.startswith("A very long title x")
        assert len(track.title) == library._tracks.LONGEST_WORDS
        changed = await library.change_track(session, owner_id, track.id, title="\tB\0", artist=" c  d ", album="")
    assert (changed.title, changed.artist) == ("B", "c d")


@pytest.mark.parametrize(
    ("words", "at_fault"),
    [
        ({"title": ""}, {"title"}),
        ({"title": " \0 "}, {"title"}),
        ({"title": "x" * 301, "album": "y" * 301}, {"title", "album"}),
        ({"artist": "x" * 301}, {"artist"}),
    ],
)
async def test_words_that_cannot_be_saved_name_their_fields(
    owner_id: UUID, words: dict[str, str], at_fault: set[str]
) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id)
        with pytest.raises(Invalid) as refused:
            await library.change_track(
                session, owner_id, track.id, **{"title": "t", "artist": "", "album": "", **words}
            )
    assert (refused.value.code, set(refused.value.fields)) == ("invalid_words", at_fault)


async def test_a_removed_track_is_nowhere_until_it_is_restored(owner_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id, "Gone")
        await library.remove_track(session, owner_id, track.id)
    async with transaction() as session:
        assert (await library.list_tracks(session, owner_id, Query())).rows == ()
        assert await library.count_tracks(session, owner_id) == 0
        assert await library.find_track_by_audio(session, owner_id, [str(track.audio_sha256)]) is None
        with pytest.raises(NotFound):
            await library.get_track(session, owner_id, track.id)
        with pytest.raises(NotFound):
            await library.remove_track(session, owner_id, track.id)
        await library.restore_track(session, owner_id, track.id)
    async with transaction() as session:
        assert (await library.get_track(session, owner_id, track.id)).deleted_at is None
        with pytest.raises(NotFound):
            await library.restore_track(session, owner_id, track.id)


async def test_a_song_in_the_trash_can_be_imported_again_and_then_stays_there(owner_id: UUID) -> None:
    async with transaction() as session:
        old = await add_song(session, owner_id, audio_sha256="a" * 64)
        await library.remove_track(session, owner_id, old.id)
    async with transaction() as session:
        await add_song(session, owner_id, audio_sha256="a" * 64)
    with pytest.raises(Conflict) as refused:
        async with transaction() as session:
            await library.restore_track(session, owner_id, old.id)
    assert refused.value.code == "duplicate_audio"
    async with reading() as session:
        assert await library.count_tracks(session, owner_id) == 1


async def test_the_same_audio_is_one_track_for_each_owner(owner_id: UUID, other_id: UUID) -> None:
    async with transaction() as session:
        mine = await add_song(session, owner_id, audio_sha256="a" * 64)
        theirs = await add_song(session, other_id, audio_sha256="a" * 64)
        assert (await library.find_track_by_audio(session, owner_id, ["a" * 64])) is mine
        assert (await library.find_track_by_audio(session, other_id, ["a" * 64])) is theirs
    with pytest.raises(Conflict) as refused:
        async with transaction() as session:
            await add_song(session, owner_id, audio_sha256="a" * 64)
    assert refused.value.code == "duplicate_audio"
    async with reading() as session:
        assert len((await session.scalars(select(File))).all()) == 4  # of the refused one nothing is left


async def test_a_purged_track_takes_its_rows_and_orphans_its_files(owner_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id, cover=new_file("cover.jpg", "image/jpeg"))
        await library.remove_track(session, owner_id, track.id)
        assert await library.list_removed_before(session, datetime.now(UTC) - timedelta(days=1)) == []
        (gone,) = await library.list_removed_before(session, datetime.now(UTC))
        assert not await library.purge_track(session, gone, datetime.now(UTC) - timedelta(days=1))
        assert await library.purge_track(session, gone, datetime.now(UTC))
    async with transaction() as session:
        assert (await session.scalars(select(Track))).all() == []
        orphans = await library.list_orphans(session)
        assert {file.id for file in orphans} == {track.audio_file_id, track.mix_file_id, track.cover_file_id}
        with pytest.raises(NotFound):
            await library.get_file(session, owner_id, orphans[0].id)
        await library.forget_files(session, [file.id for file in orphans])
        assert (await session.scalars(select(File))).all() == []


@pytest.fixture
async def wire(database: Database) -> Any:
    async with open_wire(database.dsn) as wire:
        yield wire


async def test_each_change_is_told_once_and_none_that_was_rolled_back(owner_id: UUID, wire: Wire) -> None:
    async with transaction() as session:
        track = await library.add_track(session, owner_id, new_track("One"))
    words = {"title": "Two", "artist": "", "album": ""}
    async with transaction() as session:
        await library.change_track(session, owner_id, track.id, **words)
        await library.change_track(session, owner_id, track.id, **words)  # nothing new
    with suppress(NotFound):
        async with transaction() as session:
            await library.remove_track(session, owner_id, track.id)
            await library.get_track(session, owner_id, track.id)
    async with transaction() as session:
        await library.set_figures(session, owner_id, track.id, Figures(1.0, None, None))
    async with transaction() as session:
        await library.remove_track(session, owner_id, track.id)
    async with transaction() as session:
        await library.restore_track(session, owner_id, track.id)
    await wire.until_event(lambda event: len(wire.heard) == 5)
    assert [event["event"] for event in wire.heard] == [
        "track_added",
        "track_changed",
        "track_changed",
        "track_removed",
        "track_added",
    ]
    assert [event.get("fields") for event in wire.heard[1:3]] == [["title"], ["bpm", "key", "loudness"]]
    assert {event["owner_id"] for event in wire.heard} == {str(owner_id)}
