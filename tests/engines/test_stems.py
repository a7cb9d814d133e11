from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundforge.engines import HearStems, hear_stems
from soundforge.errors import Broken
from tests.support.fakes_listener import FakeListener
from tests.support.signals import RATE_HZ, rock_song, silence, sine


@pytest.fixture(params=[hear_stems, FakeListener()], ids=["child", "fake"])
def hear(request: pytest.FixtureRequest) -> HearStems:
    """The contract of HearStems holds for both."""
    listener: HearStems = request.param
    return listener


def flac(path: Path, sound: object) -> Path:
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_24")
    return path


async def test_each_stem_that_sounds_has_a_vector_of_its_own(hear: HearStems, tmp_path: Path) -> None:
    files = {
        "drums": flac(tmp_path / "drums.flac", rock_song(bars=8)),
        "bass": flac(tmp_path / "bass.flac", sine(82, 10)),
        "vocals": flac(tmp_path / "vocals.flac", silence(10)),
        "other": flac(tmp_path / "other.flac", sine(440, 1)),
    }
    found = (await hear(files, folder=tmp_path)).likeness
    assert set(found) == {"drums", "bass"}  # silence and a second of sound have none
    assert {(one.name, len(one.values)) for one in found.values()} == {("sfa-69-v1", 69)}
    assert found["drums"] != found["bass"]


async def test_the_vector_of_a_file_is_the_same_every_time(hear: HearStems, tmp_path: Path) -> None:
    song = {"drums": flac(tmp_path / "drums.flac", rock_song(bars=4))}
    assert await hear(song, folder=tmp_path) == await hear(song, folder=tmp_path)


async def test_a_stem_that_is_gone_is_told_in_one_sentence(hear: HearStems, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        await hear({"drums": tmp_path / "gone.flac"}, folder=tmp_path)


async def test_singing_is_heard_in_the_vocals_and_nowhere_else(hear: HearStems, tmp_path: Path) -> None:
    voice = np.concatenate([silence(3), sine(330, 2), silence(3)])
    files = {"vocals": flac(tmp_path / "vocals.flac", voice), "other": flac(tmp_path / "other.flac", sine(440, 8))}
    heard = (await hear(files, folder=tmp_path)).vocals
    assert heard is not None
    (span,) = heard.document["vocals"]["spans"]
    assert (heard.stage, span["start_s"], span["end_s"]) == (
        "vocals",
        pytest.approx(3, abs=0.11),
        pytest.approx(5, abs=0.11),
    )
    assert heard.document["vocals"]["share"] == pytest.approx(0.25, abs=0.02)
    assert (await hear({"other": files["other"]}, folder=tmp_path)).vocals is None
