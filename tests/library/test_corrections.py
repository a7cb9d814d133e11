"""The user's value wins: over what was found, over what is found later, and over an analysis that ends just now."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from soundforge import library
from soundforge.db import Database, reading, transaction
from soundforge.errors import NotFound
from soundforge.library import Figures, NewAudio, NewCorrection, NewEmbedding, Query
from soundforge.tables import Correction, Track
from tests.support.factories import add_song, new_file
from tests.support.jobs import DEADLINE_S, Wire, open_wire

A_MINOR = {"tonic": "A", "mode": "minor", "camelot": "8A"}
FOUND = {"tempo": {"bpm": 85.0, "confidence": 0.4}, "key": A_MINOR}
FIGURES = Figures(85.0, "A minor", "8A")
TEMPO = NewCorrection("tempo", {"bpm": 170.0}, FOUND["tempo"])
KEY = NewCorrection("key", {"tonic": "C", "mode": "major", "camelot": "8B"}, FOUND["key"])


@pytest.fixture
async def track(owner_id: UUID) -> Track:
    async with transaction() as session:
        track = await add_song(session, owner_id)
        await library.set_figures(session, owner_id, track.id, FIGURES, FOUND)
    return track


async def put_right(track: Track, *corrections: NewCorrection) -> None:
    async with transaction() as session:
        for new in corrections:
            await library.add_correction(session, track.owner_id, track.id, new)


async def shown(track: Track) -> tuple[Any, ...]:
    async with reading() as session:
        now = await library.get_track(session, track.owner_id, track.id)
    return now.bpm, now.musical_key, now.camelot


async def rows(track: Track) -> dict[str, Correction]:
    async with reading() as session:
        return {row.field: row for row in await library.list_corrections(session, track.owner_id, [track.id])}


async def test_a_correction_counts_in_lists_and_keeps_both_values(track: Track) -> None:
    await put_right(track, TEMPO, KEY)
    assert await shown(track) == (170.0, "C major", "8B")
    kept = await rows(track)
    assert {field: (row.value, row.found) for field, row in kept.items()} == {
        "tempo": (TEMPO.value, TEMPO.found),
        "key": (KEY.value, KEY.found),
    }
    assert {row.user_id for row in kept.values()} == {track.owner_id}


async def test_a_list_is_sorted_by_what_the_user_says(owner_id: UUID, track: Track) -> None:
    async with transaction() as session:
        other = await add_song(session, owner_id, "Other")
        await library.set_figures(session, owner_id, other.id, Figures(120.0, None, None))
    await put_right(track, TEMPO)
    async with reading() as session:
        page = await library.list_tracks(session, owner_id, Query(sort="bpm", descending=True))
    assert [row.id for row in page.rows] == [track.id, other.id]


async def test_another_analysis_changes_what_was_found_and_not_what_counts(track: Track) -> None:
    await put_right(track, TEMPO)
    again = {"tempo": {"bpm": 86.0}, "key": {"tonic": "E", "mode": "minor", "camelot": "9A"}}
    async with transaction() as session:
        figures = Figures(86.0, "E minor", "9A")
        await library.set_figures(session, track.owner_id, track.id, figures, again)
    assert await shown(track) == (170.0, "E minor", "9A")
    assert (await rows(track))["tempo"].found == {"bpm": 86.0}
    async with transaction() as session:
        await library.remove_correction(session, track.owner_id, track.id, "tempo")
    assert await shown(track) == (86.0, "E minor", "9A")


async def test_other_audio_takes_what_was_found_and_the_moments_and_leaves_what_the_user_says_of_the_song(
    track: Track,
) -> None:
    moments = [NewCorrection("downbeat", {"t_s": 1.0}, None), NewCorrection("sections", {"sections": []}, None)]
    await put_right(track, TEMPO, *moments)
    async with transaction() as session:
        vectors = [NewEmbedding("v", [1.0]), NewEmbedding("v", [2.0], "drums")]
        await library.add_embeddings(session, track.owner_id, track.id, vectors)
    audio = NewAudio(new_file("a.wav"), new_file(), None, "f" * 64, 44_100, 1000, 44_100, 2, "wav")
    async with transaction() as session:
        await library.set_audio(session, track.owner_id, track.id, audio, source_url="", is_doubtful=False)
    assert await shown(track) == (170.0, None, None)
    assert {field: row.found for field, row in (await rows(track)).items()} == {"tempo": None}
    async with reading() as session:
        assert await library.list_embedded(session, track.owner_id, track.id) == []


async def test_the_newest_of_two_values_counts_and_there_is_one_row(track: Track) -> None:
    await put_right(track, TEMPO)
    await put_right(track, NewCorrection("tempo", {"bpm": 171.0}, TEMPO.found))
    assert await shown(track) == (171.0, "A minor", "8A")
    assert len(await rows(track)) == 1


async def test_taken_back_what_was_found_counts_again_and_only_once(track: Track) -> None:
    await put_right(track, TEMPO, KEY)
    for field in ("tempo", "key"):
        async with transaction() as session:
            await library.remove_correction(session, track.owner_id, track.id, field)
        with pytest.raises(NotFound) as refused:
            async with transaction() as session:
                await library.remove_correction(session, track.owner_id, track.id, field)
        assert refused.value.code == "correction_not_found"
    assert await shown(track) == (85.0, "A minor", "8A")
    assert await rows(track) == {}


async def undo(track: Track, field: str) -> None:
    async with transaction() as session:
        await library.undo_correction(session, track.owner_id, track.id, field)


async def test_each_step_goes_back_to_what_was_said_before_and_the_last_to_what_was_found(track: Track) -> None:
    tempos = [NewCorrection("tempo", {"bpm": bpm}, TEMPO.found) for bpm in (170.0, 171.0, 171.0, 172.0)]
    await put_right(track, KEY, *tempos)  # the same again is no step
    for bpm, steps in ((171.0, 1), (170.0, 0)):
        await undo(track, "tempo")
        assert (await shown(track))[0] == bpm
        row = (await rows(track))["tempo"]
        assert (row.value, row.found, len(row.earlier)) == ({"bpm": bpm}, TEMPO.found, steps)
    await undo(track, "tempo")
    assert await shown(track) == (85.0, "C major", "8B")
    assert [*await rows(track)] == ["key"]
    with pytest.raises(NotFound):
        await undo(track, "tempo")


async def test_no_more_than_twenty_steps_are_kept(track: Track) -> None:
    await put_right(track, *(NewCorrection("tempo", {"bpm": 100.0 + step}, None) for step in range(30)))
    assert [value["bpm"] for value in (await rows(track))["tempo"].earlier] == [109.0 + step for step in range(20)]


async def test_a_tempo_that_nobody_found_leaves_nothing_when_it_is_taken_back(owner_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id)
    await put_right(track, NewCorrection("tempo", {"bpm": 99.0}, None))
    assert await shown(track) == (99.0, None, None)
    async with transaction() as session:
        await library.remove_correction(session, owner_id, track.id, "tempo")
    assert await shown(track) == (None, None, None)


async def test_an_analysis_that_ends_while_somebody_corrects_does_not_win(track: Track) -> None:
    """It waits for the correction to be written, and reads it."""
    corrected = asyncio.Event()
    ending = asyncio.create_task(_end_analysis(track, corrected))
    async with transaction() as session:
        await library.add_correction(session, track.owner_id, track.id, TEMPO)
        corrected.set()
        async with asyncio.timeout(DEADLINE_S):
            while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                assert not ending.done(), ending.result()
    await ending
    assert await shown(track) == (170.0, "E minor", "9A")


async def _end_analysis(track: Track, corrected: asyncio.Event) -> None:
    await corrected.wait()
    async with transaction() as session:
        await library.set_figures(session, track.owner_id, track.id, Figures(86.0, "E minor", "9A"))


async def test_nobody_corrects_what_is_not_theirs_or_is_gone(track: Track, other_id: UUID) -> None:
    for owner_id, act in ((other_id, "before"), (track.owner_id, "after")):
        if act == "after":
            async with transaction() as session:
                await library.remove_track(session, track.owner_id, track.id)
        with pytest.raises(NotFound):
            async with transaction() as session:
                await library.add_correction(session, owner_id, track.id, TEMPO)
        with pytest.raises(NotFound):
            async with transaction() as session:
                await library.remove_correction(session, owner_id, track.id, "tempo")
    async with reading() as session:
        assert await library.list_corrections(session, other_id, [track.id]) == []


async def test_each_correction_is_told_by_the_field_that_changed(track: Track, database: Database) -> None:
    async with open_wire(database.dsn) as wire:
        await put_right(track, TEMPO, KEY, NewCorrection("downbeat", {"t_s": 1.0}, None))
        async with transaction() as session:
            await library.remove_correction(session, track.owner_id, track.id, "tempo")
        await _heard(wire, 4)
        told = [event["fields"] for event in wire.heard if event["event"] == "track_changed"]
    assert told == [["bpm"], ["key"], ["downbeat"], ["bpm"]]


async def _heard(wire: Wire, count: int) -> None:
    await wire.until_event(lambda _event: len(wire.heard) >= count)
