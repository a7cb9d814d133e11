import json
from pathlib import Path
from typing import Any

import pytest

from soundforge.engines import Analyzed, Analyzer, Pcm
from soundforge.engines._analysis import ChildAnalyzer
from soundforge.errors import Invalid
from soundforge.formats import AnalysisSource, AnalysisStage, analysis_document
from tests.engines.contract_analyzer import AnalyzerContract, song
from tests.support.fakes_analyzer import FakeAnalyzer
from tests.support.signals import silence, write

__all__ = ["song"]


class TestFakeAnalyzer(AnalyzerContract):
    @pytest.fixture
    def analyzer(self) -> Analyzer:
        return FakeAnalyzer()


class TestChildAnalyzer(AnalyzerContract):
    @pytest.fixture
    def analyzer(self) -> Analyzer:
        return ChildAnalyzer()


def as_bytes(analyzed: Analyzed) -> bytes:
    return json.dumps([[part.stage, part.document] for part in analyzed.parts]).encode()


def document_of(pcm: Pcm, analyzed: Analyzed) -> dict[str, Any]:
    source = AnalysisSource("", pcm.duration_s, pcm.sample_rate_hz, pcm.channels)
    return analysis_document(
        source, [AnalysisStage(part.stage, part.version, part.document) for part in analyzed.parts]
    )


async def test_equal_songs_give_equal_bytes_whatever_the_threads(song: Pcm, tmp_path: Path) -> None:
    first = await ChildAnalyzer().analyze(song, folder=tmp_path / "one", threads=1)
    second = await ChildAnalyzer().analyze(song, folder=tmp_path / "two", threads=4)
    assert as_bytes(first) == as_bytes(second)
    assert (tmp_path / "one/peaks.dat").read_bytes() == (tmp_path / "two/peaks.dat").read_bytes()


async def test_the_rock_song_is_heard_as_it_was_made(song: Pcm, tmp_path: Path) -> None:
    analyzed = await ChildAnalyzer().analyze(song, folder=tmp_path / "work", threads=1)
    document = document_of(song, analyzed)
    assert document["tempo"]["bpm"] == pytest.approx(120, rel=0.005)
    assert document["key"]["camelot"] == "8B"
    assert document["meter"]["signature"] == "4/4"


async def test_silence_is_analysed_and_says_so_once(tmp_path: Path) -> None:
    source = write(silence(5), tmp_path / "pcm.f32")
    pcm = Pcm(source.path, source.sample_rate_hz, 1, source.frames)
    analyzed = await ChildAnalyzer().analyze(pcm, folder=tmp_path / "work", threads=1)
    document = document_of(pcm, analyzed)
    assert [warning.code for warning in analyzed.warnings] == ["silence"]
    assert [warning["code"] for warning in document["warnings"]] == ["silence"]
    assert document["tempo"] is None


async def test_a_sound_of_no_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pcm.f32").touch()
    with pytest.raises(Invalid) as refusal:
        await ChildAnalyzer().analyze(Pcm(tmp_path / "pcm.f32", 44_100, 2, 0), folder=tmp_path / "work", threads=1)
    assert refusal.value.code == "no_sound"
