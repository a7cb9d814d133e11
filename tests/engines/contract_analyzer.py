"""What every Analyzer must do, fake and real: subclass it and give the `analyzer` fixture."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from soundforge.engines import Analyzed, Analyzer, Part, Pcm
from soundforge_runners.analysis import EMPTY
from tests.support.signals import rock_song, write
from tests.support.waveforms import levels_in

NAMES = ("tempo", "meter", "beats", "downbeats", "key", "chords", "sections", "cues", "loudness", "energy", "waveform")


@pytest.fixture
def song(tmp_path: Path) -> Pcm:
    source = write(rock_song(bars=8), tmp_path / "song.f32")
    return Pcm(source.path, source.sample_rate_hz, source.channels, source.frames)


def joined(analyzed: Analyzed) -> dict[str, Any]:
    return {name: value for part in analyzed.parts for name, value in part.document.items()}


class AnalyzerContract:
    async def test_stages_come_in_order_and_peaks_come_first(
        self, analyzer: Analyzer, song: Pcm, tmp_path: Path
    ) -> None:
        heard: list[Part] = []
        analyzed = await analyzer.analyze(song, folder=tmp_path / "work", threads=1, on_part=heard.append)
        assert [part.stage for part in heard] == list(EMPTY)
        assert tuple(heard) == analyzed.parts

    async def test_progress_never_falls_and_ends_at_100(self, analyzer: Analyzer, song: Pcm, tmp_path: Path) -> None:
        heard: list[float] = []
        await analyzer.analyze(
            song, folder=tmp_path / "work", threads=1, on_progress=lambda percent, _: heard.append(percent)
        )
        assert heard == sorted(heard)
        assert heard[-1] == 100

    async def test_the_document_has_its_shape(self, analyzer: Analyzer, song: Pcm, tmp_path: Path) -> None:
        analyzed = await analyzer.analyze(song, folder=tmp_path / "work", threads=1)
        document = joined(analyzed)
        assert all(document[name] is not None for name in NAMES)
        check_values(document)
        json.dumps(document, allow_nan=False)
        assert not {"cost", "path", "url"} & set(document)
        assert analyzed.algorithm_version
        assert {"cpu_s", "wall_s", "peak_rss_mb"} <= set(analyzed.cost)

    async def test_the_peaks_file_fits_the_song(self, analyzer: Analyzer, song: Pcm, tmp_path: Path) -> None:
        analyzed = await analyzer.analyze(song, folder=tmp_path / "work", threads=1)
        path = analyzed.parts[0].path
        assert path is not None
        levels = {width: len(pixels) for width, pixels in levels_in(path.read_bytes()).items()}
        assert levels == {width: -(-song.frames // width) for width in (256, 1024, 4096, 16384)}
        told = analyzed.parts[0].document["waveform"]["levels"]
        assert {one["samples_per_pixel"]: one["length"] for one in told} == levels
        assert [part.path for part in analyzed.parts[1:]] == [None] * (len(EMPTY) - 1)


def check_values(document: dict[str, Any]) -> None:
    """Confidence lies in 0..1, times rise, indices fit, spans join."""
    beliefs = [document[name]["confidence"] for name in ("tempo", "meter", "beats", "downbeats", "key")]
    assert all(0 <= belief <= 1 for belief in beliefs)
    beats = document["beats"]["times_s"]
    assert all(0 <= at < after for at, after in pairwise(beats))
    assert all(0 <= index < len(beats) for index in document["downbeats"]["beat_indices"])
    for spans in (document["chords"], document["sections"]):
        assert all(span["start_s"] < span["end_s"] and 0 <= span["confidence"] <= 1 for span in spans)
        assert all(a["end_s"] == b["start_s"] for a, b in pairwise(spans))
    assert all(0 <= value <= 1 for value in document["energy"]["curve"])
    assert document["key"]["mode"] in ("major", "minor")
    assert all(cue["t_s"] >= 0 for cue in document["cues"])
