"""The program around the network: its stems are faithful whatever the song, and its network stays loaded."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soundforge_runners.separate_openvino import Separation
from tests.support.audio import Sound, sweep
from tests.support.networks import FOUR, SMALLEST, write_network


class Listener:
    """Stands for the channel to the studio."""

    def progress(self, percent: float, stage: str = "") -> None:
        assert 0 <= percent <= 100


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("weights") / "small.safetensors", options=SMALLEST)


@pytest.fixture(scope="module")
def program() -> Separation:
    return Separation()


def run(program: Separation, weights: Path, folder: Path, sound: Sound, rate: int, **more: Any) -> dict[str, Any]:
    sound.astype("<f4").tofile(folder / "mix.f32")
    request = {
        "pcm": str(folder / "mix.f32"),
        "sample_rate_hz": rate,
        "frames": len(sound),
        "folder": str(folder),
        "channels": sound.shape[1],
        "members": [{"path": str(weights), "stems": list(FOUR)}],
        "made": list(FOUR),
        "streams": 2,
        "threads": 2,
        "precision": "float32",
        "overlap": 0.25,
        "shifts": 1,
        **more,
    }
    return program.handle(request, Listener())  # type: ignore[arg-type] # it listens as a Channel does


def files(result: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    return {one["name"]: soundfile.read(one["path"], always_2d=True)[0] for one in result["stems"]}


@settings(max_examples=15)
@given(
    seconds=st.floats(0.3, 4),
    rate=st.sampled_from([8_000, 22_050, 44_100, 48_000, 96_000, 192_000]),
    channels=st.integers(1, 2),
    level=st.sampled_from([0.0, 0.1, 1.0, 4.0]),
)
def test_stems_of_any_song_sum_to_it_and_are_as_long(
    program: Separation, weights: Path, seconds: float, rate: int, channels: int, level: float
) -> None:
    """Also of one that is clipped: four times over full scale, and cut off there."""
    sound = np.clip(2 * level * sweep(seconds, rate=rate, channels=channels), -1, 1).astype(np.float32)
    with TemporaryDirectory() as folder:
        result = run(program, weights, Path(folder), sound, rate)
        stems = files(result)
    assert {stem.shape for stem in stems.values()} == {sound.shape}
    assert np.abs(sum(stems.values()) - sound * 10 ** (result["gain_db"] / 20)).max() <= 2 * 2.0**-23


def test_a_song_of_five_minutes_sums_to_itself(program: Separation, weights: Path, tmp_path: Path) -> None:
    sound = sweep(300, rate=11_025, channels=1)
    result = run(program, weights, tmp_path, sound, 11_025)
    total = sum(files(result).values()) - sound * 10 ** (result["gain_db"] / 20)
    assert np.abs(total).max() <= 2 * 2.0**-23


def test_a_disk_that_fills_while_the_song_is_resampled_is_told(
    program: Separation, weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "track.f32").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        run(program, weights, tmp_path, sweep(1, rate=48_000), 48_000)
    assert [path.name for path in tmp_path.iterdir()] == ["mix.f32"]
    assert len(files(run(program, weights, tmp_path, sweep(0.3, rate=48_000), 48_000))) == 4, "the next one is fine"


def test_the_network_stays_until_another_is_asked_for(weights: Path, tmp_path: Path) -> None:
    program, sound = Separation(), sweep(0.3)
    run(program, weights, tmp_path, sound, 44_100)
    kept = program._kept
    run(program, weights, tmp_path, sound, 44_100)
    assert kept is not None
    assert program._kept is kept
    write_network(weights, seed=9, options=SMALLEST)
    run(program, weights, tmp_path, sound, 44_100)
    assert program._kept is not kept, "other weights under the same name are read"
