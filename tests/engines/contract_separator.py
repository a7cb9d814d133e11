"""What every separator must do. A test module subclasses ``SeparatorContract`` and gives the fixture ``separator``."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundforge.engines import Pcm, SeparateOptions, Separator
from soundforge.errors import Invalid
from tests.support.audio import Sound, sweep


def write_pcm(path: Path, sound: Sound, rate: int) -> Pcm:
    sound.astype("<f4").tofile(path)
    return Pcm(path, rate, sound.shape[1], len(sound))


class SeparatorContract:
    @pytest.fixture
    def separator(self) -> Separator:
        raise LookupError("the test class must give the separator")

    async def test_it_has_a_name_a_label_and_models_with_stems(self, separator: Separator) -> None:
        assert separator.name.isidentifier()
        assert separator.label[0].isupper()
        for model in separator.models():
            stems = separator.stems(model)
            assert len(set(stems)) == len(stems) >= 2
            assert all(stem == stem.lower() for stem in stems)
        assert 0 < separator.needs_mb(1) <= separator.needs_mb(3 * 3600)

    @pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (8_000, 1)])
    async def test_stems_keep_rate_length_and_channels_and_sum_to_the_input(
        self, separator: Separator, tmp_path: Path, rate: int, channels: int
    ) -> None:
        sound = sweep(1.3, rate=rate, channels=channels)
        pcm = write_pcm(tmp_path / "mix.f32", sound, rate)
        model = separator.models()[0]
        found = await separator.separate(pcm, model=model, folder=tmp_path / "stems", threads=1)
        assert tuple(stem.name for stem in found.stems) == separator.stems(model)
        total = np.zeros(sound.shape)
        for stem in found.stems:
            info = soundfile.info(stem.path)
            assert (info.samplerate, info.channels, info.frames) == (rate, channels, len(sound))
            assert (info.format, info.subtype) == ("FLAC", "PCM_24")
            total += soundfile.read(stem.path, always_2d=True)[0]
            assert stem.peaks_path is not None
            assert stem.peaks_path.read_bytes()[:4] == b"\2\0\0\0"
        assert np.abs(total - sound * 10 ** (found.gain_db / 20)).max() <= 2 * 2.0**-23
        assert (found.engine, found.model) == (separator.name, model)
        assert {"cpu_s", "wall_s", "peak_rss_mb"} <= set(found.cost)
        assert found.closing == "other"

    async def test_two_stems_sum_to_the_region_they_were_asked_for(self, separator: Separator, tmp_path: Path) -> None:
        sound = sweep(1.3)
        pcm = write_pcm(tmp_path / "mix.f32", sound, 44_100)
        options = SeparateOptions(two_stem="vocals", region_s=(0.25, 1.0))
        model = separator.models()[0]
        found = await separator.separate(pcm, model=model, folder=tmp_path / "stems", threads=1, options=options)
        assert [stem.name for stem in found.stems] == ["vocals", "no_vocals"]
        assert found.closing == "no_vocals"
        total = np.sum([soundfile.read(stem.path, always_2d=True)[0] for stem in found.stems], axis=0)
        part = sound[11_025:44_100] * 10 ** (found.gain_db / 20)
        assert total.shape == part.shape
        assert np.abs(total - part).max() <= 2 * 2.0**-23

    async def test_some_stems_alone_close_nothing_and_the_result_says_so(
        self, separator: Separator, tmp_path: Path
    ) -> None:
        pcm = write_pcm(tmp_path / "mix.f32", sweep(0.4), 44_100)
        model, wanted = separator.models()[0], SeparateOptions(stems=("bass", "vocals"))
        found = await separator.separate(pcm, model=model, folder=tmp_path / "stems", threads=1, options=wanted)
        names = [stem.name for stem in found.stems]
        assert names == [name for name in separator.stems(model) if name in wanted.stems]
        assert found.closing == ""

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            (SeparateOptions(stems=("kazoo",)), "unknown_stem"),
            (SeparateOptions(two_stem="kazoo"), "unknown_stem"),
            (SeparateOptions(two_stem="vocals", stems=("bass",)), "unknown_option"),
            (SeparateOptions(two_stem="vocals", raw=True), "unknown_option"),
            (SeparateOptions(region_s=(2.0, 3.0)), "unknown_option"),
            (SeparateOptions(region_s=(0.2, 0.1)), "unknown_option"),
            (SeparateOptions(overlap=1.0), "unknown_option"),
            (SeparateOptions(shifts=-1), "unknown_option"),
            (SeparateOptions(precision="float8"), "unknown_precision"),
        ],
    )
    async def test_what_cannot_be_is_refused_before_anything_is_written(
        self, separator: Separator, tmp_path: Path, options: SeparateOptions, code: str
    ) -> None:
        pcm, folder = write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100), tmp_path / "stems"
        with pytest.raises(Invalid) as refusal:
            await separator.separate(pcm, model=separator.models()[0], folder=folder, threads=1, options=options)
        assert refusal.value.code == code
        assert refusal.value.fields, "the form can show it beside its field"
        assert not folder.exists()

    async def test_only_results_lie_in_the_folder(self, separator: Separator, tmp_path: Path) -> None:
        pcm = write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100)
        found = await separator.separate(pcm, model=separator.models()[0], folder=tmp_path / "stems", threads=1)
        results = {path for stem in found.stems for path in (stem.path, stem.peaks_path)}
        assert set((tmp_path / "stems").iterdir()) == results
        assert set(tmp_path.iterdir()) == {pcm.path, tmp_path / "stems"}, "the input stays"

    async def test_progress_only_rises_from_start_to_end(self, separator: Separator, tmp_path: Path) -> None:
        heard: list[float] = []
        pcm = write_pcm(tmp_path / "mix.f32", sweep(2), 44_100)
        await separator.separate(
            pcm,
            model=separator.models()[0],
            folder=tmp_path / "stems",
            threads=1,
            on_progress=lambda percent, _stage: heard.append(percent),
        )
        assert heard == sorted(heard)
        assert heard[-1] == 100

    async def test_no_sound_and_an_unknown_model_are_refused(self, separator: Separator, tmp_path: Path) -> None:
        pcm = write_pcm(tmp_path / "mix.f32", sweep(0), 44_100)
        with pytest.raises(Invalid) as refusal:
            await separator.separate(pcm, model=separator.models()[0], folder=tmp_path / "stems", threads=1)
        assert refusal.value.code == "no_sound"
        with pytest.raises(Invalid) as refusal:
            await separator.separate(pcm, model="none such", folder=tmp_path / "stems", threads=1)
        assert refusal.value.code == "unknown_model"
