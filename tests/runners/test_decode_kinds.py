from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soundforge_runners._decode_kinds import ends_properly, kind_of, mp3_declared_s, mp3_frame_length, present_share
from soundforge_runners._protocol import Refused
from tests.support.audio import EVERY_KIND, id3_with_cover, sweep, write_audio


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_is_known_by_its_content(tmp_path: Path, kind: str) -> None:
    path = write_audio(tmp_path / "no extension", sweep(0.3), kind=kind, rate=44100 if kind != "opus" else 48000)
    kind = "m4a" if kind == "alac" else kind
    assert kind_of(path) == kind
    assert present_share(path, kind) == 1
    assert ends_properly(path, kind)


@pytest.mark.parametrize("kind", ["mp3", "flac"])
def test_a_tag_longer_than_what_is_looked_at_hides_nothing(tmp_path: Path, kind: str) -> None:
    path = write_audio(tmp_path / f"a.{kind}", sweep(0.3))
    path.write_bytes(id3_with_cover(bytes(200_000)) + path.read_bytes())
    assert kind_of(path) == kind


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_tells_its_length_in_whole_frames(tmp_path: Path, rate: int, channels: int) -> None:
    path = write_audio(tmp_path / "a.mp3", sweep(1, rate=rate, channels=channels), rate=rate)
    assert mp3_declared_s(path) == pytest.approx(1, abs=3 * 1152 / rate)


def test_an_mp3_without_a_count_tells_none(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3", sweep(0.5), muxer_options={"write_xing": "0"})
    assert kind_of(path) == "mp3"
    assert mp3_declared_s(path) is None


@pytest.mark.parametrize(
    ("header", "length"),
    [("fffb9064", 417), ("fffb9264", 418), ("fff344c4", 96), ("ffe328c4", 144)],
)
def test_frame_lengths_follow_the_standard(header: str, length: int) -> None:
    assert mp3_frame_length(bytes.fromhex(header)) == length


@pytest.mark.parametrize(
    "header", ["", "ff", "fffb", "fffbf064", "fffb0064", "fffb9c64", "ffeb9064", "fffd9064", "00000000"]
)
def test_what_is_no_layer_three_header_has_no_length(header: str) -> None:
    assert mp3_frame_length(bytes.fromhex(header)) == 0


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_the_share_that_is_present_is_measured(tmp_path: Path, kind: str) -> None:
    path = write_audio(tmp_path / f"a.{kind}", sweep(1))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    assert present_share(path, kind) == pytest.approx(0.25, abs=0.01)


def test_a_wav_stream_of_unknown_length_is_taken_as_whole(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", sweep(0.1))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff" * 4
    path.write_bytes(data)
    assert present_share(path, "wav") == 1


@given(
    head=st.binary(min_size=1, max_size=400),
    start=st.sampled_from([b"", b"ID3\x04\0\0\0\0\x02\x01", b"OggS", b"\xff\xfb\x90\x64"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_kind_or_refused(tmp_path: Path, head: bytes, start: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(start + head)
    try:
        found = kind_of(path)
    except Refused as refusal:
        found = refusal.code
    kinds = {"wav", "aiff", "flac", "mp3", "aac", "ogg", "opus", "m4a"}
    assert found in kinds | {"not_audio", "unsupported_codec", "empty_file"}


@given(data=st.binary(max_size=200), kind=st.sampled_from(["wav", "aiff", "m4a"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_chunks_have_a_share_or_are_cut_short(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / "any"
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + data)
    found: float | str
    try:
        found = present_share(path, kind)
    except Refused as refusal:
        found = refusal.code
    assert found in ("truncated", "encrypted") if isinstance(found, str) else 0 <= found <= 1
