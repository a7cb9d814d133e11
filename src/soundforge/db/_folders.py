"""Folders and small files of the embedded server, with explicit modes whatever the umask is."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path

from soundforge.db._programs import Account
from soundforge.errors import Broken

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, a final NUL included.
_LONGEST_SOCKET = 103
_SOCKET_NAME = "/.s.PGSQL.65535"


def make_private(folder: Path, account: Account | None) -> None:
    """Make a folder that the server's account owns and nobody else may enter; refuse one that is a stranger's.

    Raises Broken (``database_folder_taken``).
    """
    owner = account.uid if account else os.geteuid()
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        sentence = f"{folder} should be a folder of this PostgreSQL alone but is another's; remove it and start again."
        raise Broken(sentence, code="database_folder_taken")
    os.chown(folder, owner, account.gid if account else -1)
    folder.chmod(0o700)


def check_reachable(folder: Path, account: Account) -> None:
    """Raise Broken (``database_folder_unreachable``), naming the first folder that ``account`` may not pass."""
    for path in reversed((folder, *folder.parents)):
        found = path.stat()
        if found.st_uid == account.uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if found.st_gid == account.gid else stat.S_IXOTH
        if not found.st_mode & needed:
            sentence = (
                f"Started as root, PostgreSQL runs under the account '{account.name}', which may not enter {path}; "
                "set SOUNDFORGE_DATA to a folder that it can reach, or start as a plain user."
            )
            raise Broken(sentence, code="database_folder_unreachable")


def socket_folder(folder: Path) -> Path:
    """Return the folder for the server's socket: inside its own, or where that is too long a short one in /tmp.

    libpq splits a host at commas, so a path with a comma goes to /tmp too.
    """
    inside = folder / "run"
    if len(os.fsencode(inside)) + len(_SOCKET_NAME) <= _LONGEST_SOCKET and "," not in str(inside):
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"soundforge-{digest}"  # noqa: S108 - made private, and refused where a stranger made it


def write_private(path: Path, text: str) -> None:
    """Write a small file that only we may read, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def open_private(path: Path) -> int:
    """Open (or make) a lock or log file of ours that only we may read; return its descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` exclusively, waiting for whoever has it; the kernel frees it when a holder dies."""
    descriptor = open_private(path)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)
