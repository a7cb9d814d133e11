"""The song in small: as many columns as fit, each with what sounds there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundforge_runners.analysis import analyze
from soundforge_runners.analysis._pictures import MOST_COLUMNS, STEPS
from tests.support.signals import Sound, chord, noise, silence, sine, write


def draw(sound: Sound, folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = {}
    analyze(
        write(sound, folder / "pcm.f32"), folder / "peaks.dat", lambda _, part, __: said.update(part), lambda *_: None
    )
    drawn: dict[str, Any] = said["pictures"]
    return drawn


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Ten seconds of A minor, ten of a high tone four times as loud, five of silence."""
    sound = np.concatenate([chord(9, "min", 10) * 0.25, sine(1760, 10), silence(5)])
    return draw(sound, tmp_path_factory.mktemp("song"))


def at(drawn: dict[str, Any], seconds: float) -> int:
    return int(seconds / drawn["column_s"])


def test_columns_cover_the_song_and_every_row_has_all_of_them(drawn: dict[str, Any]) -> None:
    assert drawn["columns"] * drawn["column_s"] == pytest.approx(25, abs=0.01)
    rows = [drawn["loudness_lufs"], drawn["centroid_hz"], *drawn["chroma"], *drawn["mfcc"]["values"]]
    assert len(rows) == 2 + 12 + 14
    assert {len(row) for row in rows} == {drawn["columns"]} == {100}
    values = np.array([*drawn["chroma"], *drawn["mfcc"]["values"]])
    assert (values.min(), values.max()) == (0, STEPS)


def test_each_column_tells_what_sounds_there(drawn: dict[str, Any]) -> None:
    chroma = np.array(drawn["chroma"])
    assert set(np.argsort(chroma[:, at(drawn, 5)])[-3:]) == {9, 0, 4}  # A, C, E
    assert np.argmax(chroma[:, at(drawn, 15)]) == 9
    assert not chroma[:, at(drawn, 23)].any()
    low, high = (drawn["centroid_hz"][at(drawn, second)] for second in (5, 15))
    assert high == pytest.approx(1760, rel=0.1)
    assert low < 0.7 * high
    quiet, loud = (drawn["loudness_lufs"][at(drawn, second)] for second in (5, 15))
    assert loud > quiet + 6
    assert drawn["loudness_lufs"][-1] is None
    mfcc = np.array(drawn["mfcc"]["values"])
    assert np.abs(mfcc[:, at(drawn, 3)] - mfcc[:, at(drawn, 7)]).mean() < 10  # the same sound, the same column
    assert np.abs(mfcc[:, at(drawn, 5)] - mfcc[:, at(drawn, 15)]).mean() > 25


def test_a_coefficient_is_told_in_decibels_by_its_ends(drawn: dict[str, Any]) -> None:
    low, high = (np.array(drawn["mfcc"][end]) for end in ("low", "high"))
    assert (low < high).all()
    first = low[0] + np.array(drawn["mfcc"]["values"][0]) / STEPS * (high[0] - low[0])
    assert first[at(drawn, 15)] > first[at(drawn, 23)] + 20  # the first one is the level


def test_a_long_song_has_no_more_columns(tmp_path: Path) -> None:
    assert draw(noise(100), tmp_path)["columns"] == MOST_COLUMNS
