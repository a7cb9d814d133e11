"""The dialog of a separation: it offers what is here, and says beside the field what cannot be."""

from typing import Any

from soundforge import jobs
from soundforge.db import reading, transaction
from soundforge.tables import Job, Kind, Status
from tests.support.house import House, add_job, finish


async def asked_for(house: House) -> Job:
    async with reading() as session:
        return (await jobs.list_jobs(session, house.users["ann"], kinds=[Kind.SEPARATION])).rows[0]


async def test_it_offers_the_stems_and_models_that_are_here(house: House) -> None:
    song = await house.add_song()
    page = (await house.visitors["ann"].get(f"/tracks/{song.track_id}")).text
    for offered in ('value="dsp"', "Vocals, and the rest as one", 'name="stems" value="other"', 'name="overlap"'):
        assert offered in page, offered
    assert "bfloat16" not in page, "the built-in separation has one format"


TAKEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"parts": "vocals", "stop": "12.5"}, {"two_stem": "vocals", "region_s": [0, 12.5]}),
    ({"quality": "fine"}, {"overlap": 0.5, "shifts": 3}),
    ({"quality": "fine", "shifts": "2"}, {"overlap": 0.5, "shifts": 2}),
    ({"stems": ["bass", "drums"], "overlap": "0.1"}, {"stems": ["bass", "drums"], "overlap": 0.1}),
    ({"raw": "true", "start": "1", "stop": "2"}, {"raw": True, "region_s": [1, 2]}),
]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"start": "5"}, "Say where the part ends, too."),
    ({"start": "5", "stop": "4"}, "The region must begin before it ends"),
    ({"start": "900", "stop": "901"}, "The region must begin before it ends, and inside the song."),
    ({"parts": "vocals", "stems": ["bass"]}, "Choose some stems, or one stem and the rest, not both."),
    ({"overlap": "1"}, "The overlap is a number from 0 to 0.9."),
    ({"shifts": "11"}, "The shifts are a whole number from 0 to 10."),
    ({"precision": "bfloat16"}, "This engine cannot work in bfloat16 here"),
    ({"stems": ["piano"]}, "This model makes no piano"),
    ({"parts": "vocals", "raw": "true"}, "leave out raw"),
    ({"model": "htdemucs"}, "htdemucs is not downloaded"),
]


async def test_what_is_said_is_what_the_job_does(house: House) -> None:
    for said, options in TAKEN:
        song = await house.add_song()
        answer = await house.visitors["ann"].post(f"/tracks/{song.track_id}/separate", data=said)
        assert (answer.status_code, answer.headers["hx-trigger"]) == (200, "sf:done"), said
        assert (await asked_for(house)).params == {"model": "auto", "options": options}


async def test_a_refused_form_comes_back_as_it_was_with_what_is_wrong(house: House) -> None:
    song = await house.add_song()
    before = (await asked_for(house)).id
    for said, sentence in REFUSED:
        answer = await house.visitors["ann"].post(f"/tracks/{song.track_id}/separate", data=said)
        assert answer.status_code == 422, said
        assert sentence in answer.text, said
        assert 'id="separate-form"' in answer.text
        assert "hx-trigger" not in answer.headers
        for name in {"start", "overlap", "shifts"} & set(said):
            assert f'value="{said[name]}"' in answer.text
    assert (await asked_for(house)).id == before, "nothing was asked for"


async def test_a_job_that_is_done_says_which_model_ran_and_why(house: House) -> None:
    song = await house.add_song()
    async with transaction() as session:
        job = await add_job(session, house.users["ann"], Kind.SEPARATION, track_id=song.track_id)
        why = {"engine": "dsp", "model": "dsp", "why": "Htdemucs is not downloaded: basic separation."}
        await finish(session, job, Status.COMPLETED, why)
    assert "Htdemucs is not downloaded: basic separation." in (await house.visitors["ann"].get("/jobs")).text
