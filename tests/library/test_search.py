import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from soundforge import library
from soundforge.db import reading, transaction
from soundforge.library import Query, fold
from soundforge.library._search import escape, grams, matches, one_line
from soundforge.tables import Track
from tests.support.factories import add_many_songs, add_song

FINDS: dict[str, set[str]] = {
    "beyonce": {"Déjà Vu"},
    "BEYONCÉ": {"Déjà Vu"},
    "beyonc\u0065\u0301": {"Déjà Vu"},
    "deja vu bey": {"Déjà Vu"},
    "vu deja": {"Déjà Vu"},
    "deja radwimps": set(),
    "0%": {"100% Pure"},
    "%": {"100% Pure"},
    "_": {"100% Pure"},
    "l_w": {"100% Pure"},
    "c:\\s": {"100% Pure"},
    "\\": {"100% Pure"},
    "100": {"100% Pure", "1000 Miles"},
    "aenima": {"Ænima"},
    "tool strasse": {"Ænima"},
    "名は": {"君の名は"},
    "君": {"君の名は"},
    "b": {"Déjà Vu", "1000 Miles"},
    "be": {"Déjà Vu", "1000 Miles"},
    "\0": {"Déjà Vu", "100% Pure", "1000 Miles", "Ænima", "君の名は"},
    "\ud800bey": {"Déjà Vu"},
    "' OR 1=1 --": set(),
    "e\nv": {"Déjà Vu", "1000 Miles"},
}


async def found(owner_id: UUID, search: str) -> set[str]:
    async with reading() as session:
        return {track.title for track in (await library.list_tracks(session, owner_id, Query(search=search))).rows}


@pytest.fixture
async def songs(owner_id: UUID) -> None:
    async with transaction() as session:
        await add_song(session, owner_id, "Déjà Vu", "Beyoncé", album="B’Day")
        await add_song(session, owner_id, "100% Pure", "Crystal_Waters", album="C:\\Storyteller")
        await add_song(session, owner_id, "1000 Miles", "Vanessa", album="Be Not")
        await add_song(session, owner_id, "Ænima", "Tøøl Straße", album="")
        await add_song(session, owner_id, "君の名は", "RADWIMPS", album="君")


async def test_a_search_finds_every_word_as_people_type_it(songs: None, owner_id: UUID) -> None:
    assert {search: await found(owner_id, search) for search in FINDS} == FINDS


async def test_a_search_never_finds_the_songs_of_others(songs: None, owner_id: UUID, other_id: UUID) -> None:
    assert await found(other_id, "beyonce") == set()
    async with reading() as session:
        assert await library.count_tracks(session, other_id) == 0
        assert await library.count_tracks(session, owner_id, "beyonce") == 1


async def test_a_corrected_word_is_found_and_the_old_one_is_not(owner_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id, "Untitled", "Nobody")
        await library.change_track(session, owner_id, track.id, title="Zürich", artist="Ann", album="")
    assert await found(owner_id, "zurich ann") == {"Zürich"}
    assert await found(owner_id, "nobody") == set()


async def test_one_in_100_000_songs_is_found_through_the_index(owner_id: UUID) -> None:
    async with transaction() as session:
        await add_many_songs(session, owner_id, 100_000)
        await session.execute(text("ANALYZE tracks"))
        rare = select(Track.id).where(Track.owner_id == owner_id, Track.deleted_at.is_(None), matches("song 98765"))
        compiled = rare.compile(dialect=(await session.connection()).dialect, compile_kwargs={"literal_binds": True})
        statement = str(compiled).replace("%%", "%")
        plan = "\n".join(await session.scalars(text(f"EXPLAIN {statement}".replace(":", "\\:"))))
    assert "ix_tracks_grams" in plan, plan
    began = time.monotonic()
    assert await found(owner_id, "song 98765") == {"song 98765"}
    assert time.monotonic() - began < 1.0


async def test_the_rows_that_a_test_makes_by_hand_are_those_that_the_library_writes(owner_id: UUID) -> None:
    async with transaction() as session:
        await add_many_songs(session, owner_id, 1)
        made = (await session.scalars(select(Track))).one()
        folded = "song 1\nartist 1\nalbum 1"
    assert (made.search_text, sorted(set(made.search_grams))) == (folded, grams(folded))


@given(st.text())
def test_folding_twice_changes_nothing_and_keeps_no_accent(words: str) -> None:
    assert fold(fold(words)) == fold(words)


@given(st.text())
def test_an_escaped_text_has_no_wildcard_left(words: str) -> None:
    plain = escape(words).replace("\\\\", "").replace("\\%", "").replace("\\_", "")
    assert not set("%_\\") & set(plain)


@pytest.mark.parametrize("turn", ["\u202e", "\u202a", "\u2066", "\u2069", "\u200f", "\u061c", "\u200b", "\ufeff"])
def test_no_word_turns_or_hides_what_stands_beside_it(turn: str) -> None:
    assert one_line(f"song{turn}3pm.exe") == "song3pm.exe"


def test_joiners_stay_in_emoji() -> None:
    assert one_line("\U0001f469\u200d\U0001f3a4") == "\U0001f469\u200d\U0001f3a4"


@given(st.text())
def test_one_line_has_no_character_that_the_database_cannot_keep(words: str) -> None:
    kept = one_line(words)
    assert "\0" not in kept
    assert kept == kept.strip()
    assert len(kept.splitlines()) <= 1
    kept.encode()


def test_what_must_not_stand_there_is_looked_for_in_the_text_alone() -> None:
    """No index helps to find what is missing; the array of runs beside each row would only have to be read too."""
    for search in ("-artist:amber", "-title:am"):
        assert "search_grams" not in str(matches(search)), search
    assert "search_grams" in str(matches("amber"))
