import struct
from pathlib import Path

import numpy as np
import pytest

from soundforge_runners._peaks import PeaksWriter, levels_of
from tests.support.waveforms import level, levels_in


def test_the_file_is_audiowaveform_version_2_byte_for_byte(tmp_path: Path) -> None:
    block = np.zeros((300, 2), dtype=np.float32)
    block[0, 0], block[255, 1], block[299, 1] = 0.5, -0.25, 1.0
    with PeaksWriter(tmp_path / "p.dat", 44100, 2) as writer:
        writer.add(block)
    header = struct.pack("<iIiiIi", 2, 1, 44100, 256, 2, 1)
    assert (tmp_path / "p.dat").read_bytes()[:28] == header + struct.pack("4b", -32, 64, 0, 127)
    coarse = b"".join(level(44100, width, struct.pack("2b", -32, 127)) for width in (1024, 4096, 16384))
    assert (tmp_path / "p.dat").read_bytes()[28:] == coarse


def test_each_level_is_what_the_sound_itself_would_give_at_so_many_samples_a_pixel(tmp_path: Path) -> None:
    sound = np.random.default_rng(2).uniform(-1, 1, 100_001).astype(np.float32)
    with PeaksWriter(tmp_path / "p.dat", 44100, 1) as writer:
        writer.add(sound[:, None])
    found = levels_in((tmp_path / "p.dat").read_bytes())
    assert [(width, len(pixels)) for width, pixels in found.items()] == levels_of(len(sound))
    for width, pixels in found.items():
        parts = [sound[start : start + width] * 128 for start in range(0, len(sound), width)]
        assert pixels == [(int(part.min()), int(part.max())) for part in parts]


def test_how_the_sound_is_cut_into_blocks_does_not_matter(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (5000, 1)).astype(np.float32)
    whole, cut = tmp_path / "whole.dat", tmp_path / "cut.dat"
    with PeaksWriter(whole, 8000, 1) as writer:
        writer.add(sound)
    with PeaksWriter(cut, 8000, 1) as writer:
        for start in range(0, 5000, 77):
            writer.add(sound[start : start + 77])
    assert cut.read_bytes() == whole.read_bytes()


def test_opposite_phase_stays_visible(tmp_path: Path) -> None:
    left = np.full((256, 1), 0.5, dtype=np.float32)
    with PeaksWriter(tmp_path / "p.dat", 44100, 2) as writer:
        writer.add(np.hstack([left, -left]))
    assert levels_in((tmp_path / "p.dat").read_bytes()) == {width: [(-64, 64)] for width in (256, 1024, 4096, 16384)}


def test_closing_gives_the_frames_and_may_be_done_twice(tmp_path: Path) -> None:
    writer = PeaksWriter(tmp_path / "p.dat", 44100, 1)
    writer.add(np.zeros((1000, 1), dtype=np.float32))
    writer.add(np.zeros((0, 1), dtype=np.float32))
    assert (writer.close(), writer.close()) == (1000, 1000)


def test_a_sound_of_no_length_has_headers_and_no_pixels(tmp_path: Path) -> None:
    PeaksWriter(tmp_path / "p.dat", 48000, 2).close()
    assert (tmp_path / "p.dat").read_bytes()[:24] == struct.pack("<iIiiIi", 2, 1, 48000, 256, 0, 1)
    assert levels_in((tmp_path / "p.dat").read_bytes()) == {256: [], 1024: [], 4096: [], 16384: []}


def test_what_passes_full_scale_or_is_no_number_is_clipped(tmp_path: Path) -> None:
    with PeaksWriter(tmp_path / "p.dat", 44100, 1) as writer:
        writer.add(np.array([[2.0], [-3.0]], dtype=np.float32))
        writer.add(np.zeros((254, 1), dtype=np.float32))
        writer.add(np.full((256, 1), np.nan, dtype=np.float32))
    assert levels_in((tmp_path / "p.dat").read_bytes())[256] == [(-128, 127), (0, 0)]


def test_a_block_of_another_width_is_refused(tmp_path: Path) -> None:
    with PeaksWriter(tmp_path / "p.dat", 44100, 2) as writer, pytest.raises(ValueError, match="frames"):
        writer.add(np.zeros((10, 1), dtype=np.float32))
