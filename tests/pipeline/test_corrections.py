"""A correction through the whole house: asked for, kept, shown, and left alone by the next analysis."""

import asyncio
from math import log2
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from soundforge import library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.errors import Conflict, Invalid
from soundforge.views import TrackView
from tests.support.factories import add_song
from tests.support.jobs import DEADLINE_S
from tests.support.workshop import Workshop, wav


async def put_right(workshop: Workshop, track_id: UUID, field: str, **wish: Any) -> None:
    async with transaction() as session:
        await pipeline.add_correction(session, workshop.owner_id, track_id, field, wish)


async def view(workshop: Workshop, track_id: UUID) -> TrackView:
    async with reading() as session:
        return await views.get_track_view(session, workshop.owner_id, track_id)


async def test_the_users_value_counts_everywhere_and_survives_the_next_analysis(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    await put_right(workshop, track_id, "tempo", times=0.5)
    await put_right(workshop, track_id, "key", key="C major")
    for _ in range(2):
        now = await view(workshop, track_id)
        assert (now.row.bpm, now.row.camelot) == (60.0, "8B")
        assert (now.document["tempo"]["bpm"], now.document["key"]["camelot"]) == (60.0, "8B")
        assert now.document["beats"]["times_s"] == [0.5, 1.5, 2.5]
        told = now.document["corrections"]
        assert told["tempo"]["found"] == {"bpm": 120.0, "confidence": 0.9}
        assert (told["key"]["found"]["camelot"], told["key"]["by"]) == ("8A", "owner")
        async with transaction() as session:
            job = await pipeline.request_analysis(session, workshop.owner_id, track_id)
        assert (await workshop.ended(job)).status == "completed"
    async with transaction() as session:
        await library.remove_correction(session, workshop.owner_id, track_id, "tempo")
    now = await view(workshop, track_id)
    assert (now.row.bpm, now.document["tempo"]["bpm"], [*now.document["corrections"]]) == (120.0, 120.0, ["key"])


async def test_the_version_of_a_document_changes_with_every_correction_and_is_its_own_again(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    versions = [(await view(workshop, track_id)).document_version]
    for field, wish in (("tempo", {"bpm": 90}), ("meter", {"signature": "3/4"}), ("tempo", {"bpm": 91})):
        await put_right(workshop, track_id, field, **wish)
        versions.append((await view(workshop, track_id)).document_version)
    for field in ("tempo", "meter"):
        async with transaction() as session:
            await library.remove_correction(session, workshop.owner_id, track_id, field)
        versions.append((await view(workshop, track_id)).document_version)
    assert len({*versions}) == len(versions) - 1
    assert versions[0] == versions[-1]


async def vector(workshop: Workshop, track_id: UUID) -> list[float]:
    async with reading() as session:
        found = await library.find_embedding(session, workshop.owner_id, track_id)
    assert found is not None
    return found.values


async def test_what_sounds_like_a_song_is_found_at_the_tempo_that_its_user_gave(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    assert (await vector(workshop, track_id))[60] == pytest.approx(log2(120))
    await put_right(workshop, track_id, "tempo", times=2)
    for _ in range(2):
        assert (await vector(workshop, track_id))[60] == pytest.approx(log2(240), abs=1e-4)
        async with transaction() as session:
            job = await pipeline.request_analysis(session, workshop.owner_id, track_id)
        await workshop.ended(job)
    async with transaction() as session:
        await pipeline.undo_correction(session, workshop.owner_id, track_id, "tempo")
    assert (await vector(workshop, track_id))[60] == pytest.approx(log2(120))


async def test_a_half_beat_and_another_half_are_kept_as_moments(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    for moment in (0.75, 1.0):
        await put_right(workshop, track_id, "downbeat", by_beats=0.5)
        async with reading() as session:
            (row,) = await library.list_corrections(session, workshop.owner_id, [track_id])
        assert (row.value, row.found) == ({"t_s": moment}, {"t_s": 0.5, "confidence": 0.8})


async def test_two_people_who_rename_two_sections_at_once_both_win(workshop: Workshop) -> None:
    """Sections are kept as one list: the second must read it after the first has written."""
    track_id, _ = await workshop.forge(wav(3.0))
    halves = [{"start_s": 0.0, "end_s": 1.5}, {"start_s": 1.5, "end_s": 3.0}]
    await put_right(workshop, track_id, "sections", sections=halves)
    written = asyncio.Event()

    async def rename_second() -> None:
        await written.wait()
        await put_right(workshop, track_id, "sections", rename=1.5, label="chorus")

    second = asyncio.create_task(rename_second())
    async with transaction() as session:
        wish = {"rename": 0.0, "label": "verse"}
        await pipeline.add_correction(session, workshop.owner_id, track_id, "sections", wish)
        written.set()
        async with asyncio.timeout(DEADLINE_S):
            while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                assert not second.done(), second.result()
    await second
    sections = (await view(workshop, track_id)).document["sections"]
    assert [one["label"] for one in sections] == ["verse", "chorus"]


async def test_a_refused_correction_leaves_nothing(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.0))
    with pytest.raises(Invalid):
        await put_right(workshop, track_id, "tempo", bpm="fast")
    with pytest.raises(Conflict):
        await put_right(workshop, track_id, "sections", rename=1.5, label="verse")
    assert (await view(workshop, track_id)).document["corrections"] == {}


async def test_a_track_without_an_analysis_takes_a_tempo_and_a_grid(workshop: Workshop) -> None:
    async with transaction() as session:
        track = await add_song(session, workshop.owner_id)
    await put_right(workshop, track.id, "tempo", bpm=120)
    await put_right(workshop, track.id, "downbeat", t_s=0.25)
    now = await view(workshop, track.id)
    assert (now.row.bpm, now.document["beats"]["times_s"]) == (120.0, [0.25, 0.75, 1.25, 1.75, 2.25, 2.75])
    assert now.document["corrections"]["tempo"]["found"] is None
