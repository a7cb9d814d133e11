import asyncio
from uuid import UUID

import pytest

from soundforge import jobs, library, pipeline, views
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.engines import ANALYZER, DECODER, SEPARATORS, Tags
from soundforge.errors import Broken, Invalid, SoundForgeError, Unavailable
from soundforge.library import Query
from soundforge.tables import Job
from tests.support.fakes_decoder import FakeDecoder
from tests.support.fakes_listener import FakeListener
from tests.support.fakes_separator import FakeSeparator
from tests.support.workshop import Workshop, open_workshop, wav


class Basic(FakeSeparator):
    name = "dsp"


async def titles(workshop: Workshop) -> list[str]:
    async with reading() as session:
        return [track.title for track in (await library.list_tracks(session, workshop.owner_id, Query())).rows]


async def test_a_received_file_becomes_a_track_with_stems_and_figures(workshop: Workshop) -> None:
    track_id, made = await workshop.forge(name="01. Ann - Song (Official Video).wav")
    async with reading() as session:
        track = await library.get_track(session, workshop.owner_id, track_id)
        stems = await library.list_stems(session, workshop.owner_id, [track_id])
        parts = await library.list_parts(session, workshop.owner_id, track_id)
    assert (track.title, track.artist, track.format, track.frames) == ("Song", "Ann", "wav", 1600)
    assert (track.bpm, track.musical_key, track.camelot) == (120.0, "A minor", "8A")
    assert [stem.name for stem in stems] == ["vocals", "drums", "bass", "other"]
    assert {"peaks", "rhythm", "harmony"} < {part.stage for part in parts}
    async with reading() as session:  # written with the end of the analysis, as its figures
        embedded = await library.find_embedding(session, workshop.owner_id, track_id)
    assert embedded is not None
    assert (embedded.name, len(embedded.values)) == ("sfa-69-v1", 69)
    assert {kind: job.status for kind, job in made.items()} == {"separation": "completed", "analysis": "completed"}
    assert made["separation"].result["model"] == "fake"
    assert (workshop.received(), await workshop.left_over()) == ([], [])
    assert len(workshop.decoder.decoded) == 1  # separation and analysis read what the import decoded


async def test_a_song_that_is_there_already_is_asked_only_for_what_it_lacks(workshop: Workshop) -> None:
    track_id, made = await workshop.forge()
    for model, missing in (("auto", []), ("fake", []), ("other", ["separation"])):
        async with transaction() as session:
            asked = await pipeline.request_missing(session, workshop.owner_id, track_id, model=model)
            rows = [await jobs.get_job(session, workshop.owner_id, job_id) for job_id in asked]
            assert [job.kind for job in rows] == missing
    async with transaction() as session:  # under way: nothing more is asked for
        assert await pipeline.request_missing(session, workshop.owner_id, track_id, model="other") == []
    assert {*made} == {"separation", "analysis"}


async def test_stems_get_vectors_with_the_end_of_their_separation(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.5))
    async with reading() as session:
        embedded = await library.list_embedded(session, workshop.owner_id, track_id)
        view = await views.get_track_view(session, workshop.owner_id, track_id)
    assert [*embedded] == [*view.embedded] == ["", "bass", "drums", "other", "vocals"]


async def test_the_document_tells_where_somebody_sings_whichever_job_ended_first(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge(wav(3.5))
    for ask in (pipeline.request_analysis, None):  # the separation's part stays through another analysis
        async with reading() as session:
            view = await views.get_track_view(session, workshop.owner_id, track_id)
        (span,) = view.document["vocals"]["spans"]
        assert 3 < span["end_s"] - span["start_s"] <= 3.5
        assert {"vocals_in", "vocals_out"} < {cue["kind"] for cue in view.document["cues"]}
        assert [name for _, name, _, _ in view.cues] == ["Vocals in", "First bar", "Vocals out"]
        if ask:
            async with transaction() as session:
                job = await ask(session, workshop.owner_id, track_id)
            assert (await workshop.ended(job)).status == "completed"


async def test_what_the_basic_separation_calls_singing_is_never_sure(database: Database, settings: Settings) -> None:
    async with open_workshop(settings, database, separators={"dsp": Basic()}) as workshop:
        track_id, _ = await workshop.forge(wav(3.5))
        async with reading() as session:
            view = await views.get_track_view(session, workshop.owner_id, track_id)
    assert [span["confidence"] for span in view.document["vocals"]["spans"]] == [0.5]
    assert {cue["kind"] for cue in view.document["cues"]} == {"first_downbeat"}
    assert view.sung is None


async def test_stems_that_nobody_could_listen_to_are_stems_nevertheless(database: Database, settings: Settings) -> None:
    deaf = FakeListener(Broken("The likeness program crashed.", code="engine_crashed"))
    async with open_workshop(settings, database, hear_stems=deaf) as workshop:
        track_id, made = await workshop.forge(wav(3.5))
        async with reading() as session:
            assert await library.list_embedded(session, workshop.owner_id, track_id) == [""]
            assert (await views.get_track_view(session, workshop.owner_id, track_id)).document["vocals"] is None
        deaf.error = None
        async with transaction() as session:
            again = await pipeline.request_analysis(session, workshop.owner_id, track_id)
        assert (await workshop.ended(again)).status == "completed"  # it hears what nobody has heard
        async with reading() as session:
            assert len(await library.list_embedded(session, workshop.owner_id, track_id)) == 5
            assert (await views.get_track_view(session, workshop.owner_id, track_id)).document["vocals"]["spans"]
    assert made["separation"].status == "completed"
    assert "could not be told" in made["separation"].result["warnings"][0]
    assert await workshop.left_over() == []


async def test_the_tags_of_a_file_count_more_than_its_name(database: Database, settings: Settings) -> None:
    tags = Tags(title="Sea", artist="Bea", album="Blue", isrc="DEAAA2600001")
    async with open_workshop(settings, database, decoder=FakeDecoder(tags=tags)) as workshop:
        track_id, _ = await workshop.forge()
        async with reading() as session:
            track = await library.get_track(session, workshop.owner_id, track_id)
    assert (track.title, track.artist, track.album, track.isrc) == ("Sea", "Bea", "Blue", "DEAAA2600001")


async def test_the_same_bytes_again_end_as_a_duplicate_of_the_first(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge()
    again = await workshop.ended(await workshop.receive(wav(), "other name.wav"))
    assert again.result == {"track_id": str(track_id), "duplicate": True}
    assert await titles(workshop) == ["Song"]
    assert (workshop.received(), await workshop.left_over()) == ([], [])


async def test_two_imports_of_the_same_song_at_once_end_as_one_track(database: Database, settings: Settings) -> None:
    gate = asyncio.Event()
    async with open_workshop(settings, database, decoder=FakeDecoder(gate=gate)) as workshop:
        both = [await workshop.receive(wav()) for _ in range(2)]
        for job in both:
            await workshop.wire.until(job, "processing")
        gate.set()
        ended = [await workshop.ended(job) for job in both]
        await workshop.children_of(ended[0])
        await workshop.children_of(ended[1])
        assert [job.status for job in ended] == ["completed", "completed"], [job.error for job in ended]
        assert len({job.result["track_id"] for job in ended}) == 1
        assert sorted(bool(job.result.get("duplicate")) for job in ended) == [False, True]
        assert len(await titles(workshop)) == 1
        assert (workshop.received(), await workshop.left_over()) == ([], [])


async def test_a_song_in_the_trash_is_imported_anew(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge()
    async with transaction() as session:
        await library.remove_track(session, workshop.owner_id, track_id)
    again, _ = await workshop.forge()
    assert again != track_id
    assert await titles(workshop) == ["Song"]
    assert await workshop.left_over() == []


async def may_retry(workshop: Workshop, job: Job) -> bool:
    async with reading() as session:
        return (await views.get_job_view(session, workshop.owner_id, job.id)).may_retry


FAULTS: list[SoundForgeError] = [
    Invalid("This is not an audio file.", code="not_audio"),
    Broken("The decoder is broken.", code="missing_engine"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.code for fault in FAULTS])
async def test_a_file_that_never_becomes_a_track_leaves_one_sentence_and_nothing_behind(
    database: Database, settings: Settings, fault: SoundForgeError
) -> None:
    async with open_workshop(settings, database, decoder=FakeDecoder(fault=fault)) as workshop:
        job = await workshop.ended(await workshop.receive(wav()))
        assert (job.status, job.error_code, job.error, job.run) == ("failed", fault.code, fault.sentence, 1)
        assert (await workshop.left_over(), workshop.storage.objects, await titles(workshop)) == ([], {}, [])
        assert (workshop.received(), await may_retry(workshop, job)) == ([], False)


async def test_a_file_whose_decoder_crashed_can_be_tried_again(database: Database, settings: Settings) -> None:
    fault = Unavailable("The decoder crashed.", code="engine_crashed")
    async with open_workshop(settings, database, decoder=FakeDecoder(fault=fault)) as workshop:
        job = await workshop.ended(await workshop.receive(wav()))
        assert (job.status, job.error_code, job.error, job.run) == ("failed", fault.code, fault.sentence, 3)
        assert (await workshop.left_over(), workshop.storage.objects, await titles(workshop)) == ([], {}, [])
        assert (len(workshop.received()), await may_retry(workshop, job)) == (1, True)
        workshop.decoder.fault = None
        again = await workshop.ended(await workshop.retry(job))
        await workshop.children_of(again)
        assert (again.status, await titles(workshop), workshop.received()) == ("completed", ["Song"], [])


async def test_a_full_disk_leaves_nothing_in_storage(workshop: Workshop) -> None:
    for number in range(2):  # original, mix
        workshop.storage.puts_until_fault = number
        job = await workshop.ended(await workshop.receive(wav(gain=0.5 + number / 10)))
        await workshop.children_of(job)
        assert (job.status, job.run) == ("completed", 2)  # the second attempt had room
        assert await workshop.left_over() == []


async def test_a_received_file_that_is_gone_says_so(workshop: Workshop) -> None:
    workshop.decoder.gate = asyncio.Event()
    job = await workshop.receive(wav())
    await workshop.wire.until(job, "processing")
    async with transaction() as session:
        asked = await jobs.request_cancel(session, workshop.owner_id, job.id)
    await jobs.wake_cancelled(asked)
    cancelled = await workshop.ended(job)
    assert (cancelled.error_code, len(workshop.received())) == ("cancelled", 1)
    assert await may_retry(workshop, cancelled)
    workshop.received()[0].unlink()
    again = await workshop.ended(await workshop.retry(cancelled))
    assert (again.error_code, again.run) == ("upload_gone", 2)
    assert not await may_retry(workshop, again)
    assert await workshop.left_over() == []


async def test_the_whole_way_on_real_children(database: Database, settings: Settings) -> None:
    ports = {"decoder": DECODER, "separators": SEPARATORS, "analyzer": ANALYZER}
    async with open_workshop(settings, database, **ports) as workshop:
        track_id, made = await workshop.forge(wav(1.0, rate=22_050))
        assert {kind: (job.status, job.error) for kind, job in made.items()} == {
            "separation": ("completed", None),
            "analysis": ("completed", None),
        }
        async with reading() as session:
            stems = await library.list_stems(session, workshop.owner_id, [track_id])
        assert {stem.name for stem in stems} == {"vocals", "drums", "bass", "other"}
        assert await workshop.left_over() == []
    assert isinstance(track_id, UUID)
