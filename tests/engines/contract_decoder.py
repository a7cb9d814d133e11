"""What every decoder must do. A test module subclasses ``DecoderContract`` and gives the fixture ``decoder``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundforge.engines import Decoded, Decoder
from soundforge.errors import Invalid
from tests.support.audio import read_pcm, sweep, write_audio


class DecoderContract:
    @pytest.fixture
    def decoder(self) -> Decoder:
        raise LookupError("the test class must give the decoder")

    async def decode(self, decoder: Decoder, source: Path, *, max_duration_s: float = 60, **more: Any) -> Decoded:
        return await decoder.decode(
            source, source.with_name("out.f32"), folder=source.parent / "scratch", max_duration_s=max_duration_s, **more
        )

    async def refusal(self, decoder: Decoder, source: Path, **more: Any) -> str:
        with pytest.raises(Invalid) as caught:
            await self.decode(decoder, source, **more)
        assert caught.value.sentence.endswith("."), "one sentence for the user"
        assert not list(source.parent.glob("out.f32*")), "a refused file leaves no output"
        assert not list((source.parent / "scratch").iterdir())
        return caught.value.code

    @pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (48000, 1), (192000, 2)])
    async def test_rate_channels_and_every_sample_are_kept(
        self, decoder: Decoder, tmp_path: Path, rate: int, channels: int
    ) -> None:
        sound = sweep(0.5, rate=rate, channels=channels)
        decoded = await self.decode(decoder, write_audio(tmp_path / "a.wav", sound, rate=rate, subtype="FLOAT"))
        pcm = decoded.pcm
        assert (pcm.sample_rate_hz, pcm.channels, pcm.frames) == (rate, channels, len(sound))
        assert pcm.path.stat().st_size == pcm.size_bytes
        np.testing.assert_array_equal(read_pcm(pcm.path, channels), sound)
        assert decoded.format == "wav"
        assert decoded.warnings == ()

    async def test_progress_only_rises_and_arrives(self, decoder: Decoder, tmp_path: Path) -> None:
        seen: list[float] = []
        source = write_audio(tmp_path / "a.flac", sweep(10))
        await self.decode(decoder, source, on_progress=lambda percent, _stage: seen.append(percent))
        assert len(seen) >= 2
        assert seen == sorted(seen)
        assert seen[-1] == 100

    async def test_six_channels_become_stereo_with_a_warning(self, decoder: Decoder, tmp_path: Path) -> None:
        decoded = await self.decode(decoder, write_audio(tmp_path / "a.wav", sweep(0.2, channels=6)))
        assert decoded.pcm.channels == 2
        assert [warning.code for warning in decoded.warnings] == ["downmixed"]
        assert np.abs(read_pcm(decoded.pcm.path, 2)).max() > 0.05

    async def test_a_fifth_of_a_second_is_fine(self, decoder: Decoder, tmp_path: Path) -> None:
        decoded = await self.decode(decoder, write_audio(tmp_path / "a.wav", sweep(0.2)))
        assert decoded.pcm.duration_s == pytest.approx(0.2)

    async def test_silence_is_fine(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "a.flac", np.zeros((4410, 2), np.float32))
        assert (await self.decode(decoder, source)).pcm.frames == 4410

    async def test_an_empty_file_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        (tmp_path / "a.wav").touch()
        assert await self.refusal(decoder, tmp_path / "a.wav") == "empty_file"

    async def test_what_is_no_audio_is_refused_whatever_its_name(self, decoder: Decoder, tmp_path: Path) -> None:
        (tmp_path / "a.mp3").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
        assert await self.refusal(decoder, tmp_path / "a.mp3") == "not_audio"

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    async def test_samples_that_are_no_numbers_are_refused(
        self, decoder: Decoder, tmp_path: Path, value: float
    ) -> None:
        sound = sweep(0.5)
        sound[-1, 1] = value
        source = write_audio(tmp_path / "a.wav", sound, subtype="FLOAT")
        assert await self.refusal(decoder, source) == "nan_samples"

    async def test_what_is_too_long_is_refused(self, decoder: Decoder, tmp_path: Path) -> None:
        source = write_audio(tmp_path / "a.wav", sweep(1.1))
        assert await self.refusal(decoder, source, max_duration_s=1) == "too_long"
        assert (await self.decode(decoder, source, max_duration_s=1.2)).pcm.frames == 48510
