"""Files that `forge --out` writes: whole or not at all, and never over another song's."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundforge.cli._copies import Piece, make_folder, write_song
from soundforge.errors import Invalid, Unavailable


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A limit on the size of files stands in for the full disk: writing fails in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def pieces(folder: Path, vocals: bytes, sound: str | None = None) -> list[Piece]:
    folder.mkdir(exist_ok=True)
    stem = folder / f"{len([*folder.iterdir()])}.flac"
    stem.write_bytes(vocals)
    document = {"source": {"sha256": sound}, "length": len(vocals)}
    analysis = [Piece("analysis", ".json", json.dumps(document).encode())] if sound else []
    return [Piece("vocals", ".flac", stem), *analysis]


def held(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix == ".flac"}


def test_two_songs_of_one_name_keep_their_files_and_a_song_forged_again_replaces_its_own(tmp_path: Path) -> None:
    out, stored = tmp_path / "out", tmp_path / "stored"
    first = write_song("Band", "Intro", pieces(stored, b"one", "aa"), out)
    second = write_song("Band", "Intro", pieces(stored, b"two", "bb"), out)
    assert [path.name for path in first] == ["Band - Intro (vocals).flac", "Band - Intro (analysis).json"]
    assert [path.name for path in second] == ["Band - Intro 2 (vocals).flac", "Band - Intro 2 (analysis).json"]
    assert write_song("Band", "Intro", pieces(stored, b"2 by another model", "bb"), out) == second
    assert write_song("Band", "Intro", pieces(stored, b"1 by another model", "aa"), out) == first
    assert held(out) == {
        "Band - Intro (vocals).flac": b"1 by another model",
        "Band - Intro 2 (vocals).flac": b"2 by another model",
    }


def test_without_an_analysis_a_song_is_known_again_by_a_file_of_its_own(tmp_path: Path) -> None:
    out, stored = tmp_path / "out", tmp_path / "stored"
    first = write_song("Band", "Intro", pieces(stored, b"one"), out)
    assert write_song("Band", "Intro", pieces(stored, b"two"), out)[0].name == "Band - Intro 2 (vocals).flac"
    assert write_song("Band", "Intro", pieces(stored, b"one", "aa"), out)[0] == first[0]
    assert held(out) == {"Band - Intro (vocals).flac": b"one", "Band - Intro 2 (vocals).flac": b"two"}


def test_a_name_that_a_file_of_somebody_else_has_is_left_to_it(tmp_path: Path) -> None:
    out, stored = tmp_path / "out", tmp_path / "stored"
    out.mkdir()
    (out / "Band - Intro (analysis).json").write_text("no document of ours")
    written = write_song("Band", "Intro", pieces(stored, b"one", "aa"), out)
    assert written[0].name == "Band - Intro 2 (vocals).flac"
    assert (out / "Band - Intro (analysis).json").read_text() == "no document of ours"


def test_a_full_disk_is_named_by_its_folder_and_nothing_is_left_in_part(tmp_path: Path, small_disk: None) -> None:
    out, stored = tmp_path / "out", tmp_path / "stored"
    (kept,) = write_song("Band", "Intro", pieces(stored, b"small"), out)
    stored.joinpath("big").touch()
    with stored.joinpath("big").open("wb") as big:
        big.truncate(10_000)
    large = [Piece("vocals", ".flac", stored / "big"), Piece("analysis", ".json", bytes(20_000))]
    with pytest.raises(Unavailable) as refused:
        write_song("Band", "Intro", large, out)
    assert (refused.value.code, str(out) in refused.value.sentence) == ("disk_full", True)
    assert [*out.iterdir()] == [kept]


def test_a_folder_that_is_a_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    for out in (tmp_path / "out", tmp_path / "out" / "below"):
        with pytest.raises(Invalid, match="is no folder"):
            make_folder(out)
