from pathlib import Path

import pytest

from soundforge.errors import Invalid, NotFound
from soundforge.sources import EXTENSIONS, check_file, extension_of, list_audio, media_type_of


def refusal(path: Path, *, max_mb: int = 10) -> str:
    with pytest.raises((Invalid, NotFound)) as caught:
        check_file(path, max_mb=max_mb)
    assert caught.value.sentence.endswith(".")
    return caught.value.code


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    assert refusal(tmp_path / "a.mp3") == "empty_file"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.mp3") == "no_such_file"
    assert refusal(tmp_path) == "no_such_file"


def test_a_file_over_the_limit_is_refused_and_one_at_the_limit_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + bytes((1 << 20) - 4))
    check_file(path, max_mb=1)
    with path.open("ab") as file:
        file.write(b"\0")
    assert refusal(path, max_mb=1) == "too_large"


@pytest.mark.parametrize(
    "head", [b"%PDF-1.7", b"PK\x03\x04....", b"\x89PNG\r\n\x1a\n", b"<!DOCTYPE html>", b"#EXTM3U\n"]
)
def test_what_is_plainly_something_else_is_refused_whatever_its_name(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "song.mp3").write_bytes(head)
    assert refusal(tmp_path / "song.mp3") == "not_audio"


@pytest.mark.parametrize(
    "head", [b"RIFF", b"fLaC", b"OggS", b"ID3\x04", b"\xff\xfb\x90\x64", b"FORM", b"\0\0\0\x20ftyp"]
)
def test_what_may_be_audio_is_left_to_the_decoder(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "song").write_bytes(head + bytes(100))
    check_file(tmp_path / "song", max_mb=1)


def test_a_folder_gives_its_audio_files_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.FLAC", "b/1.mp3", "a.wav", ".hidden/x.mp3", "b/.x.mp3", "b/notes.txt", "b/c/3.m4a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in list_audio(tmp_path)]
    assert found == ["a.wav", "b/1.mp3", "b/2.FLAC", "b/c/3.m4a"]


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert list_audio(tmp_path) == [tmp_path / "a.wav"]


def test_a_folder_without_audio_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(Invalid, match=f"There is no audio file in “{tmp_path.name}”") as caught:
        list_audio(tmp_path)
    assert caught.value.code == "no_audio_here"


def test_a_file_is_taken_whatever_its_extension(tmp_path: Path) -> None:
    (tmp_path / "song").touch()
    assert list_audio(tmp_path / "song") == [tmp_path / "song"]
    with pytest.raises(NotFound):
        list_audio(tmp_path / "none")


@pytest.mark.parametrize("audio_format", ["wav", "aiff", "flac", "mp3", "aac", "ogg", "opus", "m4a"])
def test_every_format_has_an_extension_and_a_media_type(audio_format: str) -> None:
    assert extension_of(audio_format) in EXTENSIONS
    assert media_type_of(audio_format).startswith("audio/")
