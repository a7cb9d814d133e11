from pathlib import Path

import numpy as np
import pytest

from soundforge.engines import DECODER, Decoder, Tags
from soundforge.engines._decoder import _decoded
from soundforge.errors import Broken, Invalid
from tests.engines.contract_decoder import DecoderContract
from tests.support.audio import (
    EVERY_KIND,
    id3_with_cover,
    lag,
    read_pcm,
    sweep,
    write_audio,
    write_video,
)
from tests.support.fakes_decoder import FakeDecoder

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 100


class TestFakeDecoder(DecoderContract):
    @pytest.fixture
    def decoder(self) -> Decoder:
        return FakeDecoder()


class TestChildDecoder(DecoderContract):
    @pytest.fixture
    def decoder(self) -> Decoder:
        return DECODER

    @pytest.mark.parametrize("kind", EVERY_KIND)
    async def test_every_format_comes_out_at_its_place(self, decoder: Decoder, tmp_path: Path, kind: str) -> None:
        rate = 48000 if kind == "opus" else 44100
        sound = sweep(1.5, rate=rate)
        decoded = await self.decode(decoder, write_audio(tmp_path / "song", sound, rate=rate, kind=kind))
        assert decoded.format == ("m4a" if kind == "alac" else kind)
        assert (decoded.pcm.sample_rate_hz, decoded.pcm.channels) == (rate, 2)
        heard = read_pcm(decoded.pcm.path, 2)
        # ADTS has no place to tell the encoder's delay of 1024 frames; all others do.
        assert lag(heard, sound) == (1024 if kind == "aac" else 0)
        assert abs(len(heard) - len(sound)) <= (3072 if kind == "aac" else rate // 1000)  # MP4 counts milliseconds
        assert np.sqrt(np.mean(heard**2)) == pytest.approx(np.sqrt(np.mean(sound**2)), rel=0.1)

    @pytest.mark.parametrize("kind", ["mp3", "opus", "m4a", "ogg"])
    async def test_a_fifth_of_a_second_of_every_codec_is_fine(
        self, decoder: Decoder, tmp_path: Path, kind: str
    ) -> None:
        source = write_audio(tmp_path / "song", sweep(0.2, rate=48000, channels=1), rate=48000, kind=kind)
        decoded = await self.decode(decoder, source)
        assert decoded.pcm.channels == 1
        assert decoded.pcm.frames == pytest.approx(9600, abs=48)
        assert decoded.warnings == ()

    @pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "mp3", "m4a", "alac"])
    async def test_a_file_cut_in_its_middle_is_refused(self, decoder: Decoder, tmp_path: Path, kind: str) -> None:
        source = write_audio(tmp_path / "song", sweep(3), kind=kind)
        data = source.read_bytes()
        source.write_bytes(data[: len(data) // 2])
        assert await self.refusal(decoder, source) == "truncated"

    async def test_a_cut_mp4_with_its_index_in_front_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "song", sweep(3), kind="m4a", muxer_options={"movflags": "faststart"})
        data = source.read_bytes()
        source.write_bytes(data[: len(data) // 2])
        assert await self.refusal(decoder, source) == "truncated"

    @pytest.mark.parametrize("kind", ["wav", "aiff", "mp3"])
    async def test_a_file_that_lacks_its_last_moment_is_taken_with_a_warning(
        self, decoder: Decoder, tmp_path: Path, kind: str
    ) -> None:
        source = write_audio(tmp_path / "song", sweep(5), kind=kind)
        data = source.read_bytes()
        source.write_bytes(data[: int(len(data) * 0.97) | 1])  # in the midst of a frame
        decoded = await self.decode(decoder, source)
        assert 0.95 * 5 <= decoded.pcm.duration_s < 5
        assert [warning.code for warning in decoded.warnings] == ["cut_short"]

    @pytest.mark.parametrize("kind", ["ogg", "opus"])
    async def test_a_cut_ogg_file_is_taken_with_a_warning(self, decoder: Decoder, tmp_path: Path, kind: str) -> None:
        source = write_audio(tmp_path / "song", sweep(5, rate=48000), rate=48000, kind=kind)
        data = source.read_bytes()
        source.write_bytes(data[: int(len(data) * 0.8)])
        decoded = await self.decode(decoder, source)
        assert decoded.pcm.duration_s < 5
        assert [warning.code for warning in decoded.warnings] == ["cut_short"]

    async def test_two_joined_mp3_files_are_heard_to_the_end(self, decoder: Decoder, tmp_path: Path) -> None:
        one = write_audio(tmp_path / "one.mp3", sweep(1)).read_bytes()
        (tmp_path / "both.mp3").write_bytes(one + one)
        assert (await self.decode(decoder, tmp_path / "both.mp3")).pcm.duration_s == pytest.approx(2, abs=0.1)

    async def test_a_file_that_changes_its_rate_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        one = write_audio(tmp_path / "one.mp3", sweep(1)).read_bytes()
        two = write_audio(tmp_path / "two.mp3", sweep(1, rate=48000), rate=48000).read_bytes()
        (tmp_path / "both.mp3").write_bytes(one + two)
        assert await self.refusal(decoder, tmp_path / "both.mp3") == "unsupported_codec"

    async def test_a_length_that_nothing_announces_is_limited_while_decoding(
        self, decoder: Decoder, tmp_path: Path
    ) -> None:
        source = write_audio(tmp_path / "song", sweep(2), kind="aac")
        assert await self.refusal(decoder, source, max_duration_s=1) == "too_long"

    async def test_the_centre_goes_to_both_sides_and_the_sub_bass_to_none(
        self, decoder: Decoder, tmp_path: Path
    ) -> None:
        levels = np.array([0.5, 0, 0.25, 0.9, 0, 0], np.float32)  # FL FR FC LFE BL BR
        source = write_audio(tmp_path / "a.wav", np.tile(levels, (4410, 1)), subtype="FLOAT")
        decoded = await self.decode(decoder, source)
        left, right = read_pcm(decoded.pcm.path, 2)[100]
        sum_of_shares = 1 + 2 * 0.7071
        assert left == pytest.approx((0.5 + 0.25 * 0.7071) / sum_of_shares, abs=1e-5)
        assert right == pytest.approx(0.25 * 0.7071 / sum_of_shares, abs=1e-5)

    async def test_twelve_channels_are_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "a.wav", sweep(0.1, channels=12))
        assert await self.refusal(decoder, source) == "unsupported_codec"

    async def test_a_protected_file_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "a.m4a", sweep(1))
        at = (data := source.read_bytes()).index(b"stsd")
        assert data[at + 16 : at + 20] == b"mp4a"
        source.write_bytes(data[: at + 16] + b"drms" + data[at + 20 :])
        assert await self.refusal(decoder, source) == "encrypted"

    async def test_a_video_without_sound_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        assert await self.refusal(decoder, write_video(tmp_path / "a.mp4")) == "no_audio_stream"

    async def test_formats_outside_the_list_are_refused_by_name(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "a.mp3", kind="wma")
        with pytest.raises(Invalid, match="WMA files are not supported"):
            await self.decode(decoder, source)

    @pytest.mark.parametrize(
        "data",
        [
            b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
            b"RIFF\x24\0\0\0AVI LIST",
            b"OggS" + bytes(200),
            b"\xff\xfb" + b"\xff" * 5000,
            bytes(5000),
            b"\xff" * 5000,
        ],
    )
    async def test_what_only_looks_a_little_like_audio_is_refused(
        self, decoder: Decoder, tmp_path: Path, data: bytes
    ) -> None:
        (tmp_path / "a.mp3").write_bytes(data)
        assert await self.refusal(decoder, tmp_path / "a.mp3") in ("not_audio", "unsupported_codec")

    async def test_a_header_without_samples_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "a.wav", sweep(0))
        assert await self.refusal(decoder, source) == "empty_file"

    async def test_a_hidden_name_and_a_name_with_quotes_are_only_names(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "-y '\"; $(touch x) 🎹 \u202e.wav", sweep(0.2), kind="wav")
        assert (await self.decode(decoder, source)).pcm.frames == 8820

    @pytest.mark.parametrize("kind", ["mp3", "m4a"])
    async def test_tags_are_read_and_cleaned(self, decoder: Decoder, tmp_path: Path, kind: str) -> None:
        said = {"title": "Sea\u202e \x07\n waves", "artist": "Beyonce\u0301", "album": "x" * 900}
        decoded = await self.decode(decoder, write_audio(tmp_path / f"a.{kind}", sweep(0.3), tags=said))
        album = decoded.tags.album
        assert decoded.tags == Tags(title="Sea waves", artist="Beyoncé", album=album)
        assert set(album) == {"x"}
        assert len(album) <= 500

    async def test_an_isrc_is_taken_when_it_is_one(self, decoder: Decoder, tmp_path: Path) -> None:
        good = write_audio(tmp_path / "good.mp3", sweep(0.3), tags={"TSRC": "us-rc1-76-07839"})
        bad = write_audio(tmp_path / "bad.mp3", sweep(0.3), tags={"TSRC": "no isrc"})
        assert (await self.decode(decoder, good)).tags.isrc == "USRC17607839"
        assert (await self.decode(decoder, bad)).tags.isrc == ""

    @pytest.mark.parametrize(("picture", "name"), [(JPEG, "cover.jpg"), (PNG, "cover.png")])
    async def test_a_cover_is_written_under_the_name_of_what_it_is(
        self, decoder: Decoder, tmp_path: Path, picture: bytes, name: str
    ) -> None:
        plain = write_audio(tmp_path / "plain.mp3", sweep(0.3)).read_bytes()
        (tmp_path / "a.mp3").write_bytes(id3_with_cover(picture, title="Sea") + plain)
        decoded = await self.decode(decoder, tmp_path / "a.mp3")
        assert decoded.cover == tmp_path / "scratch" / name
        assert decoded.cover.read_bytes() == picture
        assert decoded.tags.title == "Sea"

    @pytest.mark.parametrize("picture", [b"<svg onload='alert(1)'/>", b"GIF89a", b"", JPEG * 12_000])
    async def test_a_cover_that_is_no_small_jpeg_or_png_is_left_out(
        self, decoder: Decoder, tmp_path: Path, picture: bytes
    ) -> None:
        plain = write_audio(tmp_path / "plain.mp3", sweep(0.3)).read_bytes()
        (tmp_path / "a.mp3").write_bytes(id3_with_cover(picture) + plain)
        decoded = await self.decode(decoder, tmp_path / "a.mp3")
        assert decoded.cover is None
        assert decoded.pcm.duration_s == pytest.approx(0.3, abs=0.01)


RIGHT = {"format": "wav", "sample_rate_hz": 8000, "channels": 1, "frames": 2, "tags": {}, "cover": None, "warnings": []}


@pytest.mark.parametrize(
    "lie",
    [
        {"frames": 3},
        {"frames": "many"},
        {"channels": 6},
        {"format": "exe"},
        {"cover": "../secret"},
        {"cover": "link.jpg"},
        {"cover": 7},
        {"tags": None},
        {"warnings": [{}]},
    ],
)
def test_a_lying_child_is_not_believed(tmp_path: Path, lie: dict[str, object]) -> None:
    (tmp_path / "out.f32").write_bytes(bytes(8))
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link.jpg").symlink_to(tmp_path / "secret")
    assert _decoded(RIGHT, tmp_path / "out.f32", tmp_path / "folder").pcm.frames == 2
    with pytest.raises(Broken) as caught:
        _decoded({**RIGHT, **lie}, tmp_path / "out.f32", tmp_path / "folder")
    assert caught.value.code == "engine_garbage"
