"""Sound in chunks: plain or packed, the same samples."""

import io

import numpy as np
import soundfile

from tests.support.house import House


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
