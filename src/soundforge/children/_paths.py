"""What a child names as its file must be its file."""

from pathlib import Path

from soundforge.errors import Broken


def path_inside(folder: Path, name: object) -> Path:
    """Return the path of an existing plain file that a child named, absolute or relative to its ``folder``.

    Raises Broken ``engine_garbage`` for anything else: outside the folder, a link, missing, no text.
    """
    path = folder / name if isinstance(name, str) and "\0" not in name else folder
    if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise Broken("The engine named a file that is not there.", code="engine_garbage", detail=repr(name)[:200])
    return path
