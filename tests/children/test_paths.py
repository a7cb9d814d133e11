from pathlib import Path

import pytest

from soundforge.children import path_inside
from soundforge.errors import Broken


def test_a_file_in_the_folder_is_taken_by_either_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.flac").touch()
    assert path_inside(tmp_path, "deep/a.flac") == tmp_path / "deep" / "a.flac"
    assert path_inside(tmp_path, str(tmp_path / "deep" / "a.flac")) == tmp_path / "deep" / "a.flac"


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "none", "", ".", "link", "linked/out", "a\0b", 7, None])
def test_anything_else_is_garbage(tmp_path: Path, name: object) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "out").touch()
    (folder / "link").symlink_to(tmp_path / "out")
    (folder / "linked").symlink_to(tmp_path)
    with pytest.raises(Broken) as caught:
        path_inside(folder, name)
    assert caught.value.code == "engine_garbage"
