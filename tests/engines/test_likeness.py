from pathlib import Path

import pytest
import soundfile

from soundforge.engines import HearLikeness, hear_likeness
from soundforge.errors import Broken
from tests.support.fakes_likeness import FakeLikeness
from tests.support.signals import RATE_HZ, rock_song, silence, sine


@pytest.fixture(params=[hear_likeness, FakeLikeness()], ids=["child", "fake"])
def hear(request: pytest.FixtureRequest) -> HearLikeness:
    """The contract of HearLikeness holds for both."""
    listener: HearLikeness = request.param
    return listener


def flac(path: Path, sound: object) -> Path:
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_24")
    return path


async def test_each_stem_that_sounds_has_a_vector_of_its_own(hear: HearLikeness, tmp_path: Path) -> None:
    files = {
        "drums": flac(tmp_path / "drums.flac", rock_song(bars=8)),
        "bass": flac(tmp_path / "bass.flac", sine(82, 10)),
        "vocals": flac(tmp_path / "vocals.flac", silence(10)),
        "other": flac(tmp_path / "other.flac", sine(440, 1)),
    }
    found = await hear(files, folder=tmp_path)
    assert set(found) == {"drums", "bass"}  # silence and a second of sound have none
    assert {(one.name, len(one.values)) for one in found.values()} == {("sfa-69-v1", 69)}
    assert found["drums"] != found["bass"]


async def test_the_vector_of_a_file_is_the_same_every_time(hear: HearLikeness, tmp_path: Path) -> None:
    song = {"drums": flac(tmp_path / "drums.flac", rock_song(bars=4))}
    assert await hear(song, folder=tmp_path) == await hear(song, folder=tmp_path)


async def test_a_stem_that_is_gone_is_told_in_one_sentence(hear: HearLikeness, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        await hear({"drums": tmp_path / "gone.flac"}, folder=tmp_path)
