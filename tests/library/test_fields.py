"""What fields find among real rows: figures, keys, what a track has and how it stands."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update

from soundforge import jobs, library
from soundforge.db import reading, transaction
from soundforge.errors import Invalid
from soundforge.library import Figures, NewCorrection, NewPart, Query
from soundforge.library._tracks import searched
from soundforge.tables import Job, Kind, Status, Track
from tests.support.factories import add_many_songs, add_song, new_file, new_stems

FINDS = {
    "bpm:120-128": {"Blue", "Half"},
    "bpm:128": {"Blue", "Half"},
    "bpm:127.9": {"Blue"},
    "bpm:>128": {"Fast"},
    "bpm:<100": set(),
    "-bpm:120-128": {"Fast", "Bare"},
    "key:8A": {"Blue"},
    "key:Am,12B": {"Blue", "Fast"},
    "key:12": {"Fast", "Half"},
    "loudness:-10..-7": {"Blue"},
    "loudness:<-10": {"Half"},
    "year:1980-1989": {"Blue"},
    "year:>=2000": {"Fast"},
    "length:3:00..5:00": {"Fast"},
    "artist:order": {"Blue"},
    'artist:="new order"': {"Blue"},
    "artist:=new": set(),
    "album:movement blue": {"Blue"},
    "-artist:order": {"Fast", "Half", "Bare"},
    "has:stems": {"Blue"},
    "has:vocals,guitar": {"Blue"},
    "has:guitar": set(),
    "-has:stems bpm:120..": {"Half", "Fast"},
    "has:chords": {"Blue"},
    "has:sections": set(),
    "has:analysis": {"Blue", "Half"},
    "has:audio": {"Blue", "Fast", "Half"},
    "is:failed": {"Half"},
    "is:waiting": {"Fast"},
    "is:running": set(),
    "is:doubtful": {"Fast"},
    "is:corrected": {"Half"},
    "source:spotify": {"Bare"},
    "format:WAV": {"Blue", "Fast", "Half"},
    "added:7d": {"Blue", "Fast", "Half", "Bare"},
    "added:2001": set(),
}


async def add_job(owner_id: UUID, track: Track, kind: Kind, **row: object) -> UUID:
    """Queue a job; with ``row`` its row is then as it says, behind the back of the trigger."""
    async with transaction() as session:
        made = await jobs.add_job(session, kind=kind, owner_id=owner_id, track_id=track.id, unique_key=uuid4().hex)
        if row:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            await session.execute(update(Job).where(Job.id == made.id).values(**row))
    return made.id


@pytest.fixture
async def songs(owner_id: UUID) -> dict[str, Track]:
    """Four songs that differ in everything that can be asked for."""
    async with transaction() as session:
        blue = await add_song(session, owner_id, "Blue", "New Order", album="Movement", year=1983)
        fast = await add_song(session, owner_id, "Fast", "Ordinary", album="Order", duration_ms=200_000, year=2004)
        await library.change_track(session, owner_id, fast.id, title="Fast", artist="Ann", album="")
        half = await add_song(session, owner_id, "Half")
        await library.add_songs(session, owner_id, [library.NewSong("Bare", "Bo", source="spotify")])
        await library.set_figures(session, owner_id, blue.id, Figures(127.9, "A minor", "8A", -8.0))
        await library.set_figures(session, owner_id, fast.id, Figures(174.0, "E major", "12B"))
        await library.set_figures(session, owner_id, half.id, Figures(64.0, "Db minor", "12A", -14.0))
        said = NewCorrection("tempo", {"bpm": 128.0}, {"bpm": 64.0})
        await library.add_correction(session, owner_id, half.id, said)
        await session.execute(update(Track).where(Track.id == fast.id).values(is_doubtful=True, title="Fast"))
    await _make(owner_id, blue, half)
    await add_job(owner_id, fast, Kind.ANALYSIS)
    ended = {"status": Status.FAILED, "error_code": "x", "error": "x"}
    await add_job(owner_id, half, Kind.SEPARATION, **ended)
    await add_job(owner_id, blue, Kind.SEPARATION, **ended)
    await add_job(owner_id, blue, Kind.SEPARATION, status=Status.COMPLETED)  # what failed before was made good
    return {"Blue": blue, "Fast": fast, "Half": half}


async def _make(owner_id: UUID, blue: Track, half: Track) -> None:
    separation, analysis = await add_job(owner_id, blue, Kind.SEPARATION), await add_job(owner_id, blue, Kind.ANALYSIS)
    other = await add_job(owner_id, half, Kind.ANALYSIS)
    async with transaction() as session:
        await library.add_stems(session, owner_id, blue.id, separation, new_stems("vocals", "drums"))
        chords = NewPart("harmony", "1", {"chords": [{"t_s": 0, "name": "C"}]}, new_file("a.dat"))
        await library.add_part(session, owner_id, blue.id, analysis, chords)
        none = NewPart("harmony", "1", {"chords": None})
        await library.add_part(session, owner_id, half.id, other, none)
        await library.add_part(session, owner_id, half.id, other, replace(none, stage="structure"))
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(update(Job).where(Job.owner_id == owner_id).values(status=Status.COMPLETED))


async def found(owner_id: UUID, search: str) -> set[str]:
    """Titles that a search finds, page and count agreeing."""
    async with reading() as session:
        page = await library.list_tracks(session, owner_id, Query(search=search))
        assert await library.count_tracks(session, owner_id, search) == len(page.rows)
    return {track.title for track in page.rows}


async def test_fields_find_what_they_say_and_corrected_values_win(songs: dict[str, Track], owner_id: UUID) -> None:
    assert {search: await found(owner_id, search) for search in FINDS} == FINDS


async def test_a_field_looks_in_its_own_line_alone(songs: dict[str, Track], owner_id: UUID) -> None:
    assert await found(owner_id, "title:order") == set()
    assert await found(owner_id, "title:blue") == {"Blue"}


async def test_fields_never_find_the_songs_of_others(songs: dict[str, Track], other_id: UUID) -> None:
    assert {search: await found(other_id, search) for search in FINDS} == {search: set() for search in FINDS}


async def test_a_refused_search_says_why_in_one_sentence(owner_id: UUID) -> None:
    with pytest.raises(Invalid) as refused:
        await found(owner_id, "blue bpm:fast")
    assert refused.value.code == "bad_search"
    assert refused.value.sentence == "“bpm:fast” cannot be searched for; write it like bpm:120-128."


async def test_words_of_any_length_and_figures_are_found_through_an_index(owner_id: UUID) -> None:
    async with transaction() as session:
        await add_many_songs(session, owner_id, 20_000)
        await session.execute(text("UPDATE tracks SET bpm = 60 + length(title) % 3"))
        await session.execute(text("ANALYZE tracks"))
        plans = {}
        for search in ("z", "qx", "zebra", "bpm:300-400", "artist:zebra", "key:8A"):
            statement = searched(owner_id, Query(search=search)).with_only_columns(Track.id)
            compiled = statement.compile(
                dialect=(await session.connection()).dialect, compile_kwargs={"literal_binds": True}
            )
            asked = f"EXPLAIN {compiled}".replace("%%", "%").replace(":", "\\:")
            plans[search] = "\n".join(await session.scalars(text(asked)))
    assert all("ix_tracks_grams" in plans[search] for search in ("z", "qx", "zebra", "artist:zebra")), plans
    assert "ix_tracks_bpm" in plans["bpm:300-400"], plans
    assert "ix_tracks_key" in plans["key:8A"], plans
