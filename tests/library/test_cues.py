"""Cue points: eight pads, as many memory cues as one likes up to a bound, and nobody else's."""

import asyncio
import math
from typing import Any
from uuid import UUID

import pytest

from soundforge import library
from soundforge.db import Database, reading, transaction
from soundforge.errors import Conflict, Invalid, NotFound, SoundForgeError
from soundforge.library import CUE_COLOURS, NewAudio, NewCue
from soundforge.tables import CuePoint, Track
from tests.support.factories import add_song, new_file
from tests.support.jobs import open_wire


@pytest.fixture
async def track(owner_id: UUID) -> Track:
    async with transaction() as session:
        return await add_song(session, owner_id)  # three seconds long


async def mark(track: Track, new: NewCue, owner_id: UUID | None = None) -> CuePoint:
    async with transaction() as session:
        return await library.add_cue(session, owner_id or track.owner_id, track.id, new)


async def change(track: Track, cue: CuePoint, **changes: Any) -> CuePoint:
    async with transaction() as session:
        return await library.change_cue(session, track.owner_id, cue.id, **changes)


async def told(track: Track) -> list[tuple[int | None, float, str, str]]:
    async with reading() as session:
        rows = await library.list_cues(session, track.owner_id, track.id)
    return [(row.slot, row.t_s, row.name, row.colour) for row in rows]


async def test_hot_cues_come_by_their_pads_and_memory_cues_by_their_time(track: Track) -> None:
    for new in (
        NewCue(2.5),
        NewCue(2, slot=7, name=" Big \n drop\u202e "),
        NewCue(1.25, colour="red"),
        NewCue(2.9, slot=1),
    ):
        await mark(track, new)
    assert await told(track) == [
        (1, 2.9, "", CUE_COLOURS[0]),
        (7, 2.0, "Big drop", CUE_COLOURS[6]),
        (None, 1.25, "", "red"),
        (None, 2.5, "", "yellow"),
    ]


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewCue(-0.1), "t_s"),
        (NewCue(3.2), "t_s"),
        (NewCue(math.nan), "t_s"),
        (NewCue(1, slot=0), "slot"),
        (NewCue(1, slot=9), "slot"),
        (NewCue(1, name="x" * 41), "name"),
        (NewCue(1, colour="mauve"), "colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words_and_leaves_nothing(
    track: Track, new: NewCue, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await mark(track, new)
    assert (refused.value.code, [*refused.value.fields]) == ("invalid_cue", [field])
    assert await told(track) == []


async def test_a_pad_holds_one_cue_also_when_two_set_it_at_once(track: Track) -> None:
    set_at_once = await asyncio.gather(*(mark(track, NewCue(at, slot=3)) for at in (1, 2)), return_exceptions=True)
    refused = [one for one in set_at_once if isinstance(one, SoundForgeError)]
    assert [(type(one), one.code) for one in refused] == [(Conflict, "cue_slot_taken")]
    assert len(await told(track)) == 1


async def test_a_cue_moves_to_a_free_pad_and_not_onto_another(track: Track) -> None:
    first, second = await mark(track, NewCue(1, slot=1)), await mark(track, NewCue(2, slot=2, name="Two"))
    with pytest.raises(Conflict):
        await change(track, second, slot=1)
    await change(track, first, slot=None, name="One")
    await change(track, second, slot=1, t_s=2.25)
    assert await told(track) == [(1, 2.25, "Two", CUE_COLOURS[1]), (None, 1.0, "One", CUE_COLOURS[0])]


async def test_a_memory_cue_is_set_once_at_a_place(track: Track) -> None:
    first, again = await mark(track, NewCue(1, name="Here")), await mark(track, NewCue(1.0004))
    assert first.id == again.id
    assert await told(track) == [(None, 1.0, "Here", "yellow")]


async def test_a_track_has_at_most_a_hundred_cue_points(track: Track) -> None:
    async with transaction() as session:
        for number in range(100):
            await library.add_cue(session, track.owner_id, track.id, NewCue(number / 50))
    with pytest.raises(Conflict) as refused:
        await mark(track, NewCue(2.5))
    assert refused.value.code == "too_many_cues"
    assert len(await told(track)) == 100


async def test_nobody_sees_or_touches_what_is_not_theirs_or_is_gone(track: Track, other_id: UUID) -> None:
    cue = await mark(track, NewCue(1, slot=1))
    with pytest.raises(NotFound):
        await mark(track, NewCue(1), other_id)
    async with reading() as session:
        assert await library.list_cues(session, other_id, track.id) == []
    async with transaction() as session:
        await library.remove_track(session, track.owner_id, track.id)
    for owner_id in (other_id, track.owner_id):
        async with transaction() as session:
            with pytest.raises(NotFound):
                await library.change_cue(session, owner_id, cue.id, name="Mine")
            with pytest.raises(NotFound):
                await library.remove_cue(session, owner_id, cue.id)


async def test_each_change_is_told_and_a_refused_one_is_not(track: Track, database: Database) -> None:
    async with open_wire(database.dsn) as wire:
        cue = await mark(track, NewCue(1, slot=1))
        with pytest.raises(Conflict):
            await mark(track, NewCue(2, slot=1))
        await change(track, cue, t_s=1.5)
        async with transaction() as session:
            await library.remove_cue(session, track.owner_id, cue.id)
        await wire.until_event(lambda _event: len(wire.heard) >= 3)
        assert [(event["event"], event["track_id"]) for event in wire.heard] == [("cues_changed", str(track.id))] * 3
    assert await told(track) == []


async def test_other_audio_takes_the_cue_points_of_the_old(track: Track) -> None:
    await mark(track, NewCue(1, slot=1))
    audio = NewAudio(new_file("a.wav"), new_file(), None, "f" * 64, 44_100, 1000, 44_100, 2, "wav")
    async with transaction() as session:
        await library.set_audio(session, track.owner_id, track.id, audio, source_url="", is_doubtful=False)
    assert await told(track) == []
