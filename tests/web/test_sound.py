"""Sound in chunks: plain or packed, the same samples."""

import asyncio
import io
from uuid import uuid4

import numpy as np
import pytest
import soundfile

from soundforge import accounts
from soundforge.db import Database, transaction
from soundforge.events import SessionEnded, publish
from tests.support.db import counted_queries
from tests.support.house import PEAKS, House
from tests.support.waveforms import levels_in


async def test_a_packed_chunk_holds_the_samples_of_the_plain_one(house: House) -> None:
    song = await house.add_song()
    ann, path = house.visitors["ann"], f"/audio/{song.stem_id}/pcm"
    for start, frames in ((0, 300), (123, 77), (790, 500)):
        span = {"from": start, "frames": frames}
        plain = await ann.get(path, params=span)
        packed = await ann.get(path, params={**span, "as": "flac"})
        assert (plain.headers["content-type"], packed.headers["content-type"]) == (
            "application/octet-stream",
            "audio/flac",
        )
        samples, rate = soundfile.read(io.BytesIO(packed.content), dtype="int16", always_2d=True)
        assert rate == int(packed.headers["x-sample-rate"])
        assert np.array_equal(samples.ravel(), np.frombuffer(plain.content, "<i2"))
        assert len(samples) == min(frames, 800 - start)


async def test_beyond_the_end_there_is_nothing_in_either_form(house: House) -> None:
    song = await house.add_song()
    for form in ("pcm", "flac"):
        answer = await house.visitors["ann"].get(
            f"/audio/{song.stem_id}/pcm", params={"from": 5000, "frames": 10, "as": form}
        )
        assert (answer.status_code, answer.content, answer.headers["x-frames"]) == (200, b"", "800")


@pytest.mark.parametrize("form", ["pcm", "flac"])
async def test_files_that_are_asked_for_together_come_one_behind_the_other(house: House, form: str) -> None:
    song = await house.add_song()
    ann = house.visitors["ann"]
    span: dict[str, int | str] = {"from": 700, "frames": 300, "as": form}
    ids = [song.mix_id, song.stem_id, song.mix_id]
    alone = [await ann.get(f"/audio/{one}/pcm", params=span) for one in ids]
    together = await ann.get(f"/audio/{','.join(map(str, ids))}/pcm", params=span)
    assert together.content == b"".join(one.content for one in alone)
    assert together.headers["x-bytes"] == ",".join(str(len(one.content)) for one in alone)
    for name in ("x-sample-rate", "x-channels", "x-frames"):
        assert together.headers[name] == ",".join(one.headers[name] for one in alone)


async def test_who_may_not_hear_one_of_the_files_hears_none(house: House) -> None:
    anns, bens = await house.add_song(), await house.add_song("ben")
    others = {
        "somebody else's": bens.stem_id,
        "unknown": uuid4(),
        "no id": "stem",
        "not sound": anns.cover_id,
        "too many": ",".join([str(anns.stem_id)] * 12),
    }
    statuses = {}
    for why, other in others.items():
        path = f"/audio/{anns.stem_id},{other}/pcm?from=0&frames=10"
        statuses[why] = (await house.visitors["ann"].get(path)).status_code
    assert statuses == {"somebody else's": 404, "unknown": 404, "no id": 404, "not sound": 422, "too many": 422}


async def test_who_listens_is_looked_up_once_and_again_when_more_than_a_job_moves(
    house: House, database: Database
) -> None:
    song = await house.add_song()
    recent = house.studio.listener.recent

    async def statuses(*visitors: str) -> list[int]:
        path = f"/audio/{song.stem_id},{song.mix_id}/pcm?from=0&frames=10"
        return [(await house.visitors[one].get(path)).status_code for one in visitors]

    before, ended = recent.place(), SessionEnded(house.users["ann"], session_id=uuid4())
    async with transaction() as session:
        await publish(session, ended)
    async with asyncio.timeout(10):
        while ended not in (recent.since(house.users["ann"], before) or ()):
            await asyncio.sleep(0.005)  # so that all that was told of the new song is behind us
    assert await statuses("ann") == [200]
    with counted_queries(database) as sent:
        assert await statuses("ann", "ann") == [200, 200]
    assert sent == []
    assert await statuses("ben", "anonymous", "reading token") == [404, 401, 401]
    async with transaction() as session:
        await accounts.revoke_sessions(session, house.users["ann"])
    async with asyncio.timeout(10):
        while await statuses("ann") != [401]:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("asked", "width"),
    [("", 256), ("1", 256), ("256", 256), ("1023", 256), ("4096", 4096), ("5000", 4096), ("99999", 16384)],
)
async def test_a_waveform_comes_as_coarse_as_asked_for_and_never_coarser(house: House, asked: str, width: int) -> None:
    song = await house.add_song()
    path = f"/files/{song.peaks_id}/peaks"
    answer = await house.visitors["ann"].get(path, params={"samples_per_pixel": asked} if asked else {})
    assert levels_in(answer.content) == {width: levels_in(PEAKS)[width]}


async def test_a_waveform_of_no_samples_a_pixel_is_refused(house: House) -> None:
    song = await house.add_song()
    path = f"/files/{song.peaks_id}/peaks?samples_per_pixel=0"
    assert (await house.visitors["ann"].get(path)).status_code == 422
