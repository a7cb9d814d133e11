"""Many tracks at once: chosen, removed, brought back; what lies in the trash; artists and albums."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from soundforge import library
from soundforge.db import Database, reading, transaction
from soundforge.errors import Invalid, NotFound
from soundforge.library import Query, Selection
from soundforge.tables import Track
from tests.support.db import counted_queries
from tests.support.factories import add_many_songs, add_song, new_track
from tests.support.jobs import open_wire


async def add(owner_id: UUID, *titles: str) -> dict[str, UUID]:
    async with transaction() as session:
        return {title: (await add_song(session, owner_id, title)).id for title in titles}


async def titles(owner_id: UUID, query: Query = Query(sort="title", descending=False)) -> str:  # noqa: B008 - frozen
    async with reading() as session:
        return "".join(track.title for track in (await library.list_tracks(session, owner_id, query)).rows)


async def chosen(owner_id: UUID, what: Selection, most: int = 100) -> str:
    async with reading() as session:
        return "".join(track.title for track in await library.list_selected(session, owner_id, what, most=most))


async def test_a_choice_keeps_the_order_of_the_picking_or_of_the_list(owner_id: UUID, other_id: UUID) -> None:
    ids, theirs = await add(owner_id, "a", "b", "c", "d"), await add(other_id, "x")
    assert await chosen(owner_id, Selection((ids["c"], theirs["x"], ids["a"]))) == "ca"
    down = Query(search="-title:d", sort="title")
    assert await chosen(owner_id, Selection(query=down, without=(ids["b"],))) == "ca"


async def test_nothing_chosen_and_too_much_are_refused(owner_id: UUID, other_id: UUID) -> None:
    ids, theirs = await add(owner_id, "a", "b"), await add(other_id, "x")
    for what, most, code in (
        (Selection(), 9, "nothing_chosen"),
        (Selection((theirs["x"],)), 9, "nothing_chosen"),
        (Selection(tuple(ids.values())), 1, "too_many"),
    ):
        with pytest.raises(Invalid) as refused:
            await chosen(owner_id, what, most)
        assert refused.value.code == code
    with pytest.raises(Invalid) as refused:
        async with transaction() as session:
            await library.remove_tracks(session, owner_id, Selection((theirs["x"],)))
    assert refused.value.code == "nothing_chosen"


async def test_what_was_removed_together_comes_back_together(owner_id: UUID, database: Database) -> None:
    ids = await add(owner_id, "a", "b", "c", "d")
    async with open_wire(database.dsn) as wire:
        async with transaction() as session:
            await library.remove_track(session, owner_id, ids["d"])
        async with transaction() as session:
            moment, count = await library.remove_tracks(
                session, owner_id, Selection(query=Query(), without=(ids["c"],))
            )
        assert (count, await titles(owner_id)) == (2, "c")
        async with transaction() as session:
            assert await library.restore_tracks(session, owner_id, moment) == 2
        assert await titles(owner_id) == "abc"
        await wire.until_event(lambda _: len(wire.heard) == 5)
    assert sorted(event["event"] for event in wire.heard) == ["track_added"] * 2 + ["track_removed"] * 3


async def test_a_song_that_was_imported_again_does_not_come_back_twice(owner_id: UUID) -> None:
    new = new_track("a")
    async with transaction() as session:
        await library.add_track(session, owner_id, new)
        await add_song(session, owner_id, "b")
        moment, _ = await library.remove_tracks(session, owner_id, Selection(query=Query()))
    async with transaction() as session:
        await add_song(session, owner_id, "A", audio_sha256=new.audio_sha256)
    async with transaction() as session:
        assert await library.restore_tracks(session, owner_id, moment) == 1
    assert await titles(owner_id) == "Ab"


async def test_a_whole_library_goes_by_one_statement_and_one_word(owner_id: UUID, database: Database) -> None:
    async with transaction() as session:
        await add_many_songs(session, owner_id, 1000)
    async with open_wire(database.dsn) as wire:
        with counted_queries(database) as sent:
            async with transaction() as session:
                _, count = await library.remove_tracks(session, owner_id, Selection(query=Query(search="song")))
        await wire.until_event(lambda _: True)
    assert count == 1000
    assert len(sent) == 2
    assert [event["event"] for event in wire.heard] == ["library_changed"]


async def test_the_trash_shows_the_latest_first_and_lets_go(owner_id: UUID, other_id: UUID) -> None:
    ids = await add(owner_id, "a", "b", "c")
    now = datetime.now(UTC)
    async with transaction() as session:
        for days, title in enumerate("bac"):
            gone = update(Track).where(Track.id == ids[title])
            await session.execute(gone.values(deleted_at=now - timedelta(days=days)))
    async with reading() as session:
        first = await library.list_trash(session, owner_id, limit=2)
        rest = await library.list_trash(session, owner_id, after=first.next)
        assert [track.title for track in (*first.rows, *rest.rows)] == ["b", "a", "c"]
        assert await library.count_trash(session, other_id) == 0
    async with transaction() as session:
        with pytest.raises(NotFound):
            await library.let_go(session, other_id, [ids["a"]])
        assert await library.let_go(session, owner_id, [ids["a"]]) == 1
        assert await library.count_trash(session, owner_id) == 2
        with pytest.raises(NotFound):
            await library.restore_track(session, owner_id, ids["a"])
        assert await library.let_go(session, owner_id) == 2
        assert set(await library.list_removed_before(session, now - timedelta(days=90))) == set(ids.values())


async def test_artists_and_albums_are_read_off_the_tracks(owner_id: UUID, other_id: UUID) -> None:
    async with transaction() as session:
        for title, artist, album in (
            ("1", "Élan", "Blue"),
            ("2", "elan", "Blue"),
            ("3", "Zoë", "blue"),
            ("4", "", ""),
            ("5", "Ann", "Red"),
        ):
            await add_song(session, owner_id, title, artist, album=album)
        gone = await add_song(session, owner_id, "6", "Gone", album="Gone")
        await library.remove_track(session, owner_id, gone.id)
        await add_song(session, other_id, "7", "Theirs", album="Theirs")
    async with reading() as session:
        first = await library.list_shelves(session, owner_id, "artist", limit=2)
        rest = await library.list_shelves(session, owner_id, "artist", after=first.next, limit=2)
        albums = await library.list_shelves(session, owner_id, "album")
    assert [(one.name.casefold(), one.tracks) for one in (*first.rows, *rest.rows)] == [
        ("ann", 1),
        (first.rows[1].name.casefold(), 2),
        ("zoë", 1),
    ]
    assert rest.next is None
    assert [(one.artist, one.tracks, one.duration_ms) for one in albums.rows] == [
        ("Various artists", 3, 9000),
        ("Ann", 1, 3000),
    ]
