from pathlib import Path

import numpy as np
import pytest

from soundforge_runners.analysis._vocals import find_vocals, levels, vocals_of
from tests.support.signals import RATE_HZ, Sound, noise, silence, sine, write


def sung(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def test_singing_begins_and_ends_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    found = find_vocals(write(sung(silence(2), sine(300, 3), silence(2), sine(400, 2), silence(1)), tmp_path / "v"))
    assert [(span.start_s, span.end_s) for span in found.spans] == [
        (pytest.approx(2, abs=0.11), pytest.approx(5, abs=0.11)),
        (pytest.approx(7, abs=0.11), pytest.approx(9, abs=0.11)),
    ]
    assert found.share == pytest.approx(0.5, abs=0.03)
    assert all(span.confidence == 1 for span in found.spans)


def test_a_breath_does_not_end_a_phrase(tmp_path: Path) -> None:
    found = find_vocals(write(sung(sine(300, 2), silence(0.5), sine(300, 2)), tmp_path / "v"))
    assert len(found.spans) == 1


def test_what_leaks_into_the_stem_is_no_singing(tmp_path: Path) -> None:
    found = find_vocals(write(sung(noise(3, 0.003), sine(300, 3), noise(3, 0.003)), tmp_path / "v"))
    assert len(found.spans) == 1
    assert found.spans[0].start_s == pytest.approx(3, abs=0.11)


def test_a_click_is_no_singing(tmp_path: Path) -> None:
    assert find_vocals(write(sung(silence(2), sine(300, 0.1), silence(2)), tmp_path / "v")).spans == ()


@pytest.mark.parametrize("sound", [silence(3), silence(0), noise(3, 0.001)], ids=["silence", "empty", "a whisper"])
def test_a_stem_without_a_voice_has_no_spans(sound: Sound, tmp_path: Path) -> None:
    found = find_vocals(write(sound, tmp_path / "v"))
    assert (found.share, found.spans) == (0.0, ())


def test_levels_of_both_channels_are_averaged_and_the_rest_of_a_step_counts(tmp_path: Path) -> None:
    one = sine(441, 0.25, 0.5)
    both = write(np.stack([one, silence(0.25)[: len(one)]], axis=1), tmp_path / "v", RATE_HZ)
    assert levels(both) == pytest.approx([-12.04] * 3, abs=0.1)


def test_what_leaks_of_a_loud_song_into_its_vocals_is_no_singing(tmp_path: Path) -> None:
    stems = {"vocals": write(sine(300, 4, 0.01), tmp_path / "v"), "drums": write(noise(4, 0.5), tmp_path / "d")}
    assert vocals_of(stems) == {"share": 0.0, "spans": []}
    alone = vocals_of({"vocals": stems["vocals"]})
    assert alone is not None
    assert alone["share"] == 1.0
    assert vocals_of({"drums": stems["drums"]}) is None
