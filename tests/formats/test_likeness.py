"""The vector at another tempo: what the analysis itself would have given at that tempo."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from soundforge.formats import vector_at
from soundforge_runners.analysis import analyze
from soundforge_runners.analysis._likeness import _beat_comb
from tests.support.signals import rock_song, write


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    document: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        source = write(rock_song(bars=4), Path(folder, "pcm.f32"))
        analyze(source, Path(folder, "p.dat"), lambda _, part, __: document.update(part), lambda *_: None)
    return document


def test_at_the_tempo_that_was_found_it_is_the_one_that_was_found(said: dict[str, Any]) -> None:
    assert vector_at(said["embedding"], said["features"], said["tempo"]["bpm"]) == said["embedding"]["values"]


@pytest.mark.parametrize("bpm", [20.0, 60.0, 240.0, 97.3])
def test_at_another_tempo_it_is_what_the_analysis_would_have_said(said: dict[str, Any], bpm: float) -> None:
    vector = vector_at(said["embedding"], said["features"], bpm)
    strength = np.array(said["features"]["periodicity"]["strength"])
    assert vector[52:61] == pytest.approx(list(_beat_comb(strength, bpm)), abs=1e-4)
    assert (vector[:52], vector[61:]) == (said["embedding"]["values"][:52], said["embedding"]["values"][61:])


@pytest.mark.parametrize("features", [{}, {"periodicity": {"lags_per_s": 86.0, "strength": []}}])
def test_an_analysis_that_does_not_tell_leaves_it_as_it_is(said: dict[str, Any], features: dict[str, Any]) -> None:
    assert vector_at(said["embedding"], features, 90.0) == said["embedding"]["values"]
