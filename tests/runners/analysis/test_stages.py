import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from soundforge_runners.analysis import EMPTY, Source, analyze
from soundforge_runners.analysis._brevity import key_belief, tempo_belief
from soundforge_runners.analysis._document import Document, rounded
from soundforge_runners.analysis._stages import Song, run_stage
from tests.support.signals import RATE_HZ, Sound, chord, noise, rock_song, silence, sine, write


def listen(source: Source, folder: Path) -> tuple[list[str], dict[str, Any], list[str]]:
    """Stages in the order they came, all they said, and the codes of the warnings."""
    stages: list[str] = []
    said: dict[str, Any] = {}

    def take(stage: str, document: Document, path: str | None) -> None:
        stages.append(stage)
        said.update(document)

    warnings = analyze(source, folder / "peaks.dat", take, lambda percent, stage: None)
    return stages, said, [warning["code"] for warning in warnings]


def hear(sound: Sound, folder: Path, rate_hz: int = RATE_HZ) -> tuple[dict[str, Any], list[str]]:
    _, said, codes = listen(write(sound, folder / "pcm.f32", rate_hz), folder)
    return said, codes


def test_peaks_come_first_and_every_stage_comes_once(tmp_path: Path) -> None:
    stages, said, codes = listen(write(rock_song(bars=8), tmp_path / "pcm.f32"), tmp_path)
    assert stages == list(EMPTY)
    assert all(name in said for names in EMPTY.values() for name in names)
    assert codes == []


def test_a_song_in_stereo_is_heard_as_in_mono(tmp_path: Path) -> None:
    mono = rock_song(bars=8)
    one, _ = hear(mono, tmp_path)
    two, _ = hear(np.stack([mono, mono], axis=1), tmp_path)
    assert two["tempo"]["bpm"] == pytest.approx(120, rel=0.005)
    assert two["beats"]["times_s"][:32] == pytest.approx(one["beats"]["times_s"][:32], abs=0.002)
    assert two["key"]["camelot"] == one["key"]["camelot"] == "8B"


def test_channels_in_opposite_phase_are_heard_and_told_of(tmp_path: Path) -> None:
    mono = rock_song(bars=8)
    alike, codes = hear(np.stack([mono, mono], axis=1), tmp_path)
    assert codes == []
    for right in (-mono, -mono * np.float32(0.7) + np.float32(0.1)):
        opposite, codes = hear(np.stack([mono, right], axis=1), tmp_path)
        assert codes == ["opposite_phase"]
        assert opposite["beats"]["times_s"][:32] == pytest.approx(alike["beats"]["times_s"][:32], abs=0.002)
        assert opposite["key"]["camelot"] == alike["key"]["camelot"]


def test_a_wide_song_is_heard_in_its_middle(tmp_path: Path) -> None:
    mono = rock_song(bars=8)
    wide = np.stack([mono, np.roll(mono, RATE_HZ // 50)], axis=1)
    assert hear(wide, tmp_path)[1] == []
    assert hear(np.stack([mono, 0 * mono], axis=1), tmp_path)[1] == []


def test_loud_and_quiet_copies_are_heard_alike(tmp_path: Path) -> None:
    song = rock_song(bars=8)
    loud, _ = hear(song, tmp_path)
    quiet, _ = hear(song * np.float32(0.01), tmp_path)
    assert loud["beats"]["times_s"][:32] == pytest.approx(quiet["beats"]["times_s"][:32], abs=0.002)
    assert loud["key"]["camelot"] == quiet["key"]["camelot"]
    assert loud["loudness"]["integrated_lufs"] - quiet["loudness"]["integrated_lufs"] == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize(
    ("sound", "code"),
    [
        (silence(20), "silence"),
        (np.full(RATE_HZ * 20, 0.5, dtype=np.float32), "silence"),
        (sine(440, 0.2), "too_short"),
        (silence(0.2), "too_short"),
        (np.array([0.5], dtype=np.float32), "too_short"),
    ],
    ids=["silence", "constant offset", "a fifth of a second", "a fifth of silence", "one sample"],
)
def test_where_there_is_nothing_to_hear_all_is_null_with_one_reason(sound: Sound, code: str, tmp_path: Path) -> None:
    said, codes = hear(sound, tmp_path)
    names = [name for stage, names in EMPTY.items() if stage not in ("peaks", "loudness") for name in names]
    assert {name: said[name] for name in names} == dict.fromkeys(names)
    assert set(codes) == {code}
    assert said["waveform"] is not None


@pytest.mark.parametrize("sound", [noise(20), sine(440, 20), sine(440, 5)], ids=["noise", "tone", "5 s of a tone"])
def test_noise_and_a_single_tone_have_neither_beat_nor_key(sound: Sound, tmp_path: Path) -> None:
    said, codes = hear(sound, tmp_path)
    assert {said[name] for name in ("tempo", "meter", "beats", "key", "chords", "sections", "cues")} == {None}
    assert codes == ["no_beat", "not_tonal"]
    assert said["features"] is not None


def test_a_chord_that_only_lasts_has_a_key_and_no_beat(tmp_path: Path) -> None:
    said, codes = hear(chord(9, "min", 20), tmp_path)
    assert said["key"]["camelot"] == "8A"
    assert said["tempo"] is None
    assert codes == ["no_beat"]


def test_a_constant_offset_does_not_change_what_is_heard(tmp_path: Path) -> None:
    song = rock_song(bars=8)
    plain, _ = hear(song, tmp_path)
    offset, codes = hear(song + np.float32(0.3), tmp_path)
    assert codes == []
    assert offset["beats"]["times_s"][:32] == pytest.approx(plain["beats"]["times_s"][:32], abs=0.002)
    assert offset["key"]["camelot"] == plain["key"]["camelot"]
    assert offset["loudness"]["integrated_lufs"] == pytest.approx(plain["loudness"]["integrated_lufs"], abs=0.1)


def test_five_seconds_of_a_song_have_a_tempo_and_a_key(tmp_path: Path) -> None:
    said, codes = hear(rock_song(bars=4)[: 5 * RATE_HZ], tmp_path)
    assert codes == []
    assert said["tempo"]["bpm"] == pytest.approx(120, rel=0.02)
    assert said["key"] is not None


def test_a_short_piece_is_less_sure_of_its_song_and_a_whole_one_is_as_sure_as_ever() -> None:
    assert [round(key_belief(seconds), 2) for seconds in (3, 10, 40, 7200)] == [0.4, 0.62, 1, 1]
    assert [round(tempo_belief(seconds), 2) for seconds in (3, 10, 20, 7200)] == [0.86, 0.95, 1, 1]


def test_five_seconds_are_not_sure_of_the_key(tmp_path: Path) -> None:
    song = rock_song(bars=24)
    five, _ = hear(song[: 5 * RATE_HZ], tmp_path)
    whole, _ = hear(song, tmp_path)
    assert five["key"]["confidence"] < 0.5
    assert whole["key"]["confidence"] > 0.9
    assert five["tempo"]["confidence"] < whole["tempo"]["confidence"]


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write(rock_song(bars=4), tmp_path / "pcm.f32")
    first, again = (json.dumps(listen(source, tmp_path)[1]) for _ in range(2))
    assert first == again


def test_features_have_every_figure_of_the_usual_tutorial(tmp_path: Path) -> None:
    features = hear(rock_song(bars=4), tmp_path)[0]["features"]
    single = ("centroid_hz", "bandwidth_hz", "rolloff85_hz", "flatness", "zcr", "rms_dbfs", "percussive_share")
    lengths = {"contrast_db": 7, "mfcc": 14, "tonnetz": 6}
    assert all(isinstance(features[name]["mean"], float) for name in single)
    assert {name: len(features[name]["mean"]) for name in lengths} == lengths
    assert len(features["chroma_mean"]) == len(features["chroma_std"]) == 12
    assert len(features["tempogram"]["bpm"]) == len(features["tempogram"]["strength"])


def test_a_tone_changes_its_sign_twice_a_period_and_stands_out_of_its_octave(tmp_path: Path) -> None:
    tone, hiss = (hear(sound, tmp_path)[0]["features"] for sound in (sine(1000, 4), noise(4)))
    assert tone["zcr"]["mean"] == pytest.approx(2 * 1000 / RATE_HZ, rel=0.03)
    assert tone["rms_dbfs"]["mean"] == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.2)
    assert tone["contrast_db"]["mean"][3] > hiss["contrast_db"]["mean"][3] + 20


def test_silence_in_the_middle_does_not_break_the_rest(tmp_path: Path) -> None:
    song = rock_song(bars=8)
    said, _ = hear(np.concatenate([song, silence(10), song]), tmp_path)
    assert said["key"]["camelot"] == "8B"
    assert said["tempo"]["bpm"] == pytest.approx(120, rel=0.01)


@pytest.mark.parametrize("rate_hz", [8000, 192_000])
def test_a_song_at_any_rate_is_heard(rate_hz: int, tmp_path: Path) -> None:
    sound = soxr.resample(rock_song(bars=8), RATE_HZ, rate_hz)
    said, codes = hear(np.stack([sound, sound], axis=1), tmp_path, rate_hz)
    assert codes == []
    assert said["tempo"]["bpm"] == pytest.approx(120, rel=0.005)
    assert said["key"]["camelot"] == "8B"


@pytest.mark.parametrize("rate_hz", [8000, 192_000])
def test_noise_at_any_rate_has_neither_beat_nor_key(rate_hz: int, tmp_path: Path) -> None:
    said, codes = hear(noise(10, 0.1, rate_hz), tmp_path, rate_hz)
    assert codes == ["no_beat", "not_tonal"]
    assert said["loudness"]["integrated_lufs"] is not None


def test_what_is_sure_and_what_else_it_could_be_stands_beside_every_claim(tmp_path: Path) -> None:
    said, _ = hear(rock_song(bars=16), tmp_path)
    claims = [said["tempo"], said["meter"], said["beats"], said["downbeats"], said["key"]]
    claims += [*said["chords"], *said["sections"], *said["cues"]]
    assert all(0 <= claim["confidence"] <= 1 for claim in claims)
    assert {60, 240} <= {round(one["bpm"]) for one in said["tempo"]["alternatives"]}
    assert all(0 <= one["score"] <= 1 for one in (*said["tempo"]["alternatives"], *said["key"]["alternatives"]))
    assert {"first_downbeat", "mix_in", "mix_out"} <= {cue["kind"] for cue in said["cues"]}


def test_samples_that_are_no_numbers_count_as_silence(tmp_path: Path) -> None:
    song = rock_song(bars=8)
    song[1000:1100] = np.nan
    song[2000] = np.inf
    said, _ = hear(song, tmp_path)
    assert said["key"]["camelot"] == "8B"


def test_a_file_shorter_than_announced_says_so(tmp_path: Path) -> None:
    source = write(rock_song(bars=8), tmp_path / "pcm.f32")
    _, _, codes = listen(Source(source.path, source.sample_rate_hz, 1, source.frames * 2), tmp_path)
    assert "cut_short" in codes


def test_a_stage_that_fails_is_null_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(song: Song) -> Document:
        raise ZeroDivisionError("a bug")

    song = Song(write(silence(1), tmp_path / "pcm.f32"), tmp_path / "peaks.dat", lambda percent, stage: None)
    part, warnings = run_stage("cues", fails, song)
    assert part == {"cues": None, "warnings": warnings}
    assert [warning["code"] for warning in warnings] == ["cues_failed"]
    assert "a bug" in capsys.readouterr().err


def test_a_stage_too_long_to_send_is_null_with_a_warning(tmp_path: Path) -> None:
    song = Song(write(silence(1), tmp_path / "pcm.f32"), tmp_path / "peaks.dat", lambda percent, stage: None)
    part, warnings = run_stage("cues", lambda _song: {"cues": [{"t_s": 1.2345}] * 100_000}, song)
    assert part == {"cues": None, "warnings": warnings}
    assert [warning["code"] for warning in warnings] == ["too_long"]


def test_lack_of_memory_is_not_taken_for_a_bug(tmp_path: Path) -> None:
    def fails(song: Song) -> Document:
        raise MemoryError

    song = Song(write(silence(1), tmp_path / "pcm.f32"), tmp_path / "peaks.dat", lambda percent, stage: None)
    with pytest.raises(MemoryError):
        run_stage("cues", fails, song)


def test_numbers_have_four_decimals_and_must_be_numbers() -> None:
    assert rounded({"a": [1.23456, (2, -0.00001)], "b": "x", "c": None}) == {
        "a": [1.2346, [2, 0.0]],
        "b": "x",
        "c": None,
    }
    with pytest.raises(ValueError, match="not a number"):
        rounded([float("nan")])


def test_the_likeness_vector_has_69_numbers_and_ignores_the_key(tmp_path: Path) -> None:
    said, _ = hear(rock_song(bars=8), tmp_path)
    embedding = said["embedding"]
    assert (embedding["name"], embedding["dim"], len(embedding["values"])) == ("sfa-69-v1", 69, 69)
    chroma = embedding["values"][40:52]
    assert chroma == sorted(chroma)
