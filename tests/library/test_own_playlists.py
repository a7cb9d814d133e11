"""Lists made by hand: filled, put in another order, one row written a move."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from soundforge import library
from soundforge.db import Database, reading, transaction
from soundforge.errors import Conflict, Invalid, NotFound
from soundforge.library import NewPlaylist, Query, Selection
from soundforge.tables import Playlist, PlaylistTrack
from tests.support.db import counted_queries
from tests.support.factories import add_song


@pytest.fixture
async def listed(owner_id: UUID) -> Playlist:
    """A list of a, b, c, d, added at once."""
    async with transaction() as session:
        for title in "abcd":
            await add_song(session, owner_id, title)
        made = await library.add_own_playlist(session, owner_id, " My  list ")
        every = Selection(query=Query(sort="title", descending=False))
        assert await library.add_to_playlist(session, owner_id, made.id, every) == 4
    return made


async def entries(playlist: Playlist) -> dict[str, UUID]:
    async with reading() as session:
        page = await library.list_entries(session, playlist.id)
    return {entry.title: entry.id for entry in page.rows}


async def move(owner_id: UUID, playlist: Playlist, title: str, before: str | None) -> None:
    ids = await entries(playlist)
    async with transaction() as session:
        await library.move_entry(session, owner_id, playlist.id, ids[title], before=ids[before] if before else None)


async def test_a_list_has_a_title_and_keeps_the_order_of_what_was_added(owner_id: UUID, listed: Playlist) -> None:
    assert (listed.title, listed.kind) == ("My list", "own")
    assert "".join(await entries(listed)) == "abcd"
    async with transaction() as session:
        song = await add_song(session, owner_id, "e")
        await library.add_to_playlist(session, owner_id, listed.id, Selection((song.id,)))
        await library.rename_playlist(session, owner_id, listed.id, "Other")
        assert (await library.get_playlist(session, owner_id, listed.id)).title == "Other"
    assert "".join(await entries(listed)) == "abcde"


MOVES = [("d", "a", "dabc"), ("a", None, "bcda"), ("a", "d", "bcad"), ("b", "a", "bacd"), ("c", "c", "abcd")]


AFTER = [("a", "b", "bacd"), ("d", "a", "adbc"), ("a", "d", "bcda"), ("b", "a", "abcd"), ("c", "c", "abcd")]


@pytest.mark.parametrize(("title", "after", "then"), AFTER)
async def test_an_entry_moves_right_behind_another(
    owner_id: UUID, listed: Playlist, title: str, after: str, then: str
) -> None:
    ids = await entries(listed)
    async with transaction() as session:
        await library.move_entry(session, owner_id, listed.id, ids[title], after=ids[after])
    assert "".join(await entries(listed)) == then


@pytest.mark.parametrize(("title", "before", "then"), MOVES)
async def test_an_entry_moves_before_another_or_last(
    owner_id: UUID, listed: Playlist, title: str, before: str | None, then: str
) -> None:
    await move(owner_id, listed, title, before)
    assert "".join(await entries(listed)) == then


async def test_a_move_writes_one_row_and_only_where_no_room_is_left_all(
    owner_id: UUID, listed: Playlist, database: Database
) -> None:
    spread = 0
    for number in range(45):  # always between the first and the second: half of the room goes each time
        last = [*await entries(listed)][-1]
        second = [*await entries(listed)][1]
        with counted_queries(database) as sent:
            await move(owner_id, listed, last, second)
        writes = [one for one in sent if one.startswith(("UPDATE", "\n        UPDATE"))]
        spread += any("row_number" in one for one in writes)
        assert len(writes) <= 1 + any("row_number" in one for one in writes), number
        assert [*await entries(listed)][1] == last
    assert 1 <= spread <= 3


async def test_what_is_taken_out_leaves_the_song(owner_id: UUID, listed: Playlist) -> None:
    ids = await entries(listed)
    async with transaction() as session:
        await library.remove_entries(session, owner_id, listed.id, [ids["b"], ids["d"]])
        assert await library.count_tracks(session, owner_id) == 4
    assert "".join(await entries(listed)) == "ac"
    with pytest.raises(NotFound):
        async with transaction() as session:
            await library.remove_entries(session, owner_id, listed.id, [uuid4()])


async def test_lists_from_elsewhere_and_of_others_stay_as_they_are(
    owner_id: UUID, other_id: UUID, listed: Playlist
) -> None:
    async with transaction() as session:
        foreign = await library.add_playlist(session, owner_id, NewPlaylist("playlist", "x" * 22, "Theirs"), uuid4())
    ids = await entries(listed)
    for who, playlist_id, error, code in (
        (owner_id, foreign, Conflict, "not_own"),
        (other_id, listed.id, NotFound, "playlist_not_found"),
    ):
        for change in (
            lambda session, who=who, playlist_id=playlist_id: library.rename_playlist(session, who, playlist_id, "x"),
            lambda session, who=who, playlist_id=playlist_id: library.remove_entries(
                session, who, playlist_id, [*ids.values()]
            ),
            lambda session, who=who, playlist_id=playlist_id: library.move_entry(
                session, who, playlist_id, ids["a"], before=None
            ),
            lambda session, who=who, playlist_id=playlist_id: library.add_to_playlist(
                session, who, playlist_id, Selection(query=Query())
            ),
        ):
            with pytest.raises(error) as refused:
                async with transaction() as session:
                    await change(session)
            assert refused.value.code == code
    assert "".join(await entries(listed)) == "abcd"


@pytest.mark.parametrize("title", ["", " \n", "x" * 301])
async def test_a_list_without_a_title_is_refused(owner_id: UUID, title: str) -> None:
    with pytest.raises(Invalid) as refused:
        async with transaction() as session:
            await library.add_own_playlist(session, owner_id, title)
    assert refused.value.code == "invalid_words"
    async with reading() as session:
        assert (await session.scalars(select(Playlist.id))).all() == []
        assert (await session.scalars(select(PlaylistTrack.id))).all() == []
