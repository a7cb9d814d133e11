"""The demo song is what its truth says."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundforge_runners import demo_song
from soundforge_runners._protocol import Channel


def render(folder: Path, **request: Any) -> dict[str, Any]:
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is needed
        return demo_song.render({"folder": str(folder), **request}, Channel(nowhere.fileno()))


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return render(tmp_path_factory.mktemp("demo"))


def steps(path: str) -> Any:
    return soundfile.read(path, dtype="int32", always_2d=True)[0] >> 8


def test_the_stems_sum_to_the_mix_to_the_last_bit(song: dict[str, Any]) -> None:
    stems = {name: steps(path) for name, path in song["truth"]["stems"].items()}
    assert set(stems) == {"drums", "bass", "other", "vocals"}
    assert np.array_equal(np.sum(list(stems.values()), axis=0), steps(song["mix"]))
    assert all(np.abs(stem).max() > 2**19 for stem in stems.values()), "none is silent"


def test_the_mix_is_as_long_as_said_and_never_clips(song: dict[str, Any]) -> None:
    info = soundfile.info(song["mix"])
    assert (info.frames, info.samplerate, info.channels) == (song["truth"]["frames"], 44_100, 2)
    assert info.subtype == "PCM_24"
    assert 30 <= info.duration <= 40
    assert np.abs(steps(song["mix"])).max() / 2**23 == pytest.approx(0.89, abs=0.001)


def test_beats_bars_and_sections_fit_the_tempo(song: dict[str, Any]) -> None:
    truth = song["truth"]
    assert np.diff(truth["beats_s"]) == pytest.approx(60 / truth["bpm"], abs=2e-4)
    assert truth["downbeats_s"] == truth["beats_s"][::4]
    assert [label for _start, _end, label in truth["sections"]] == ["intro", "verse", "chorus"]
    assert all(start in truth["downbeats_s"] for start, _end, _label in truth["sections"])
    assert (truth["key"], truth["camelot"]) == ("D minor", "7A")
    assert truth["chords"][-1][2] == "D:min", "it comes home"


def test_the_kick_strikes_on_the_beats(song: dict[str, Any]) -> None:
    drums = np.abs(steps(song["truth"]["stems"]["drums"])[:, 0])
    start, end, _label = song["truth"]["sections"][1]
    beats = [beat for beat in song["truth"]["beats_s"] if start <= beat < end]
    on = [drums[round(beat * 44_100) :][:2000].max() for beat in beats]
    before = [drums[: round(beat * 44_100)][-2000:].max() for beat in beats[1:]]
    assert min(on) > 4 * max(before)


def test_lead_bass_and_drums_stand_in_the_centre_and_the_keys_do_not(song: dict[str, Any]) -> None:
    for name, path in song["truth"]["stems"].items():
        left, right = steps(path).T.astype(float)
        assert (np.abs(left - right).max() <= 1) == (name != "other")
    left, right = steps(song["truth"]["stems"]["other"]).T.astype(float)
    assert (left**2).sum() > 4 * (right**2).sum()


def test_equal_requests_give_equal_bytes_and_the_length_can_be_chosen(tmp_path: Path) -> None:
    one, two = (render(tmp_path / name, seconds=12) for name in ("one", "two"))
    assert Path(one["mix"]).read_bytes() == Path(two["mix"]).read_bytes()
    assert 10 < soundfile.info(one["mix"]).duration < 12
    assert json.dumps(one["truth"]["sections"]) == json.dumps(two["truth"]["sections"])
