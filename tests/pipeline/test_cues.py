"""Cue points through the house: taken over from an analysis, moved on its grid, and in what people take home."""

from uuid import UUID

import pytest

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.errors import Conflict
from soundforge.library import NewCue
from soundforge.views import TrackView
from tests.support.factories import add_song
from tests.support.fakes_analyzer import DOCUMENTS
from tests.support.workshop import Workshop, wav

FOUND = [
    {"t_s": 0.5, "kind": "first_downbeat", "bar": 0},
    {"t_s": 1.0, "kind": "section", "bar": 0},
    {"t_s": 2.0, "kind": "drop", "bar": 1},
]


async def view(workshop: Workshop, track_id: UUID) -> TrackView:
    async with reading() as session:
        return await views.get_track_view(session, workshop.owner_id, track_id)


async def told(workshop: Workshop, track_id: UUID) -> list[tuple[int | None, float, str]]:
    return [(cue.slot, cue.t_s, cue.name) for cue in (await view(workshop, track_id)).cue_points]


async def adopt(workshop: Workshop, track_id: UUID) -> int:
    async with transaction() as session:
        return await pipeline.adopt_cues(session, workshop.owner_id, track_id)


async def test_found_cues_are_taken_over_once_onto_free_pads_and_sections_as_memory_cues(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DOCUMENTS, "cues", {"cues": FOUND})
    track_id, _ = await workshop.forge(wav(3.0))
    async with transaction() as session:
        await pipeline.add_cue(session, workshop.owner_id, track_id, NewCue(2.9, slot=1, name="Mine"))
    assert await adopt(workshop, track_id) == 5
    kept = await told(workshop, track_id)
    assert kept[0] == (1, 2.9, "Mine")
    assert kept[-1] == (None, 1.0, "Section")
    hot = [(t_s, name) for slot, t_s, name in kept[1:-1] if slot]
    assert hot == sorted(hot)
    assert {name for _, name in hot} == {"First bar", "Drop", "Vocals in", "Vocals out"}  # singing is heard in its stem
    assert {(0.5, "First bar"), (2.0, "Drop")} <= {*hot}
    assert await adopt(workshop, track_id) == 0
    assert await told(workshop, track_id) == kept


async def test_what_finds_no_pad_becomes_a_memory_cue(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    async with transaction() as session:
        for slot in library.HOT_SLOTS:
            await pipeline.add_cue(session, workshop.owner_id, track_id, NewCue(1 + slot / 10, slot))
    assert await adopt(workshop, track_id) == 3
    memory = [(t_s, name) for slot, t_s, name in await told(workshop, track_id) if slot is None]
    assert (0.5, "First bar") in memory
    assert len(memory) == 3


async def test_a_cue_is_set_and_moved_by_the_beats_that_count(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))  # beats every half second from 0.5 on
    async with transaction() as session:
        cue = await pipeline.add_cue(session, workshop.owner_id, track_id, NewCue(1.1, slot=1), snap=True)
        assert cue.t_s == 1.0
        for by_beats, snap, there in ((1, False, 1.5), (-2.5, False, 0.25), (0, True, 0.5), (-4, False, 0.0)):
            moved = await pipeline.change_cue(session, workshop.owner_id, cue.id, {}, by_beats=by_beats, snap=snap)
            assert moved.t_s == there
        await pipeline.add_correction(session, workshop.owner_id, track_id, "tempo", {"times": 0.5})
        moved = await pipeline.change_cue(session, workshop.owner_id, cue.id, {"t_s": 0.5, "name": "A"}, by_beats=1)
        assert (moved.t_s, moved.name) == (1.5, "A")


async def test_without_beats_nothing_moves_by_them_and_there_is_nothing_to_take_over(workshop: Workshop) -> None:
    async with transaction() as session:
        track = await add_song(session, workshop.owner_id)
        cue = await pipeline.add_cue(session, workshop.owner_id, track.id, NewCue(1.1), snap=True)
        assert cue.t_s == 1.1
        for code, act in (
            ("no_beats", lambda: pipeline.change_cue(session, workshop.owner_id, cue.id, {}, by_beats=1)),
            ("no_found_cues", lambda: pipeline.adopt_cues(session, workshop.owner_id, track.id)),
        ):
            with pytest.raises(Conflict) as refused:
                await act()
            assert refused.value.code == code


async def test_cue_points_are_in_the_document_and_give_it_another_version(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    before = await view(workshop, track_id)
    assert before.document["cue_points"] == []
    async with transaction() as session:
        cue = await pipeline.add_cue(session, workshop.owner_id, track_id, NewCue(1.5, slot=2, name="Drop"))
    after = await view(workshop, track_id)
    assert after.document["cue_points"] == [{"slot": 2, "t_s": 1.5, "name": "Drop", "colour": "aqua"}]
    assert after.document_version != before.document_version
    async with transaction() as session:
        await library.remove_cue(session, workshop.owner_id, cue.id)
    assert (await view(workshop, track_id)).document_version == before.document_version
