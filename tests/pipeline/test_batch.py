"""Many tracks through the whole house: jobs for each, and one zip of all."""

import io
import zipfile
from typing import Any
from uuid import UUID

from soundforge import jobs, library, pipeline
from soundforge.db import reading, transaction
from soundforge.library import Query, Selection
from soundforge.pipeline import BatchAsked, BatchDone
from soundforge.tables import Job
from tests.support.workshop import Workshop, wav


async def ask(workshop: Workshop, chosen: Selection, action: str, **more: Any) -> BatchDone:
    async with transaction() as session:
        return await pipeline.request_batch(session, workshop.owner_id, chosen, BatchAsked(action, **more))


async def packed(workshop: Workshop, job_id: UUID | None) -> tuple[Job, zipfile.ZipFile]:
    assert job_id
    async with reading() as session:
        job = await jobs.get_job(session, workshop.owner_id, job_id)
    ended = await workshop.ended(job)
    assert ended.status == "completed", ended.error
    async with reading() as session:
        file = await library.get_file(session, workshop.owner_id, UUID(ended.result["file_id"]))
    return ended, zipfile.ZipFile(io.BytesIO(workshop.storage.objects[file.key]))


async def test_audio_and_stems_of_many_tracks_are_packed_into_one_zip(workshop: Workshop) -> None:
    first, _ = await workshop.forge()
    second, _ = await workshop.forge(wav(gain=0.5))  # of the same name
    async with transaction() as session:
        await library.add_songs(session, workshop.owner_id, [library.NewSong("Silent", "Ann")])
    job, audio = await packed(workshop, (await ask(workshop, Selection((second, first)), "download")).job_id)
    assert job.result["name"] == "2 tracks (audio).zip"
    assert audio.namelist() == ["001 Ann - Song.wav", "002 Ann - Song.wav"]
    assert audio.read("001 Ann - Song.wav") == wav(gain=0.5)
    everything = Selection(query=Query(sort="title", descending=False))
    done = await ask(workshop, everything, "download", what="stems")
    _, stems = await packed(workshop, done.job_id)
    assert done.count == 2
    names = stems.namelist()
    assert len(names) == len(set(names)) == 2 * len([name for name in names if name.startswith("001")])
    assert all(name.endswith(").flac") for name in names)
    assert await workshop.left_over() == []


async def test_each_track_that_has_audio_gets_its_job_and_the_rest_is_told(workshop: Workshop) -> None:
    await workshop.forge()
    async with transaction() as session:
        await library.add_songs(session, workshop.owner_id, [library.NewSong("Silent", "Ann")])
    done = await ask(workshop, Selection(query=Query()), "separate")
    assert done.text == "Separation asked for: 1 track, 1 without audio left out."
    async with reading() as session:
        newest = (await jobs.list_jobs(session, workshop.owner_id)).rows[0]
    assert (await workshop.ended(newest)).status == "completed"
