"""What any storage must do; an object store can take the disk's place by doing the same."""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from soundforge.errors import Invalid

# Lower case alone: keys that differ only in case would be one file on some disks. No text of a user
# ever becomes part of a key, so this pattern need not be generous.
_FOLDER = r"[a-z0-9][a-z0-9_-]{0,63}"
_KEY = re.compile(rf"(?:{_FOLDER}/){{0,8}}{_FOLDER}(?:\.[a-z0-9]{{1,8}}){{0,2}}")
_PREFIX = re.compile(rf"(?:{_FOLDER}/){{1,8}}")


@dataclass(frozen=True)
class Stored:
    """An object that lies safely in storage: what its ``files`` row must say."""

    key: str
    size_bytes: int
    sha256: str


class Storage(Protocol):
    """Objects under immutable keys.

    A key is written once and never again, also after its object was removed: that is the caller's
    promise (keys carry a job's id and run), and :meth:`put` refuses what it can see. A key is never
    the folder of another. The commit of the ``files`` row makes an object real; whatever no row names
    may be removed.

    Each method raises ``Unavailable`` ("storage_away") when the place of all objects is gone, does not
    answer, or cannot be written: then nothing is known of any object, and none of them is ``file_gone``.
    """

    async def put(self, path: Path, key: str) -> Stored:
        """Copy the file at ``path`` into storage under ``key``; the file at ``path`` stays.

        Either the whole object is there afterwards, or nothing: also after a crash, a full disk or
        a cancellation.

        Raises:
            Invalid: ``bad_key``.
            Conflict: ``key_taken``: there is an object under that key.
            Unavailable: ``disk_full``.
            FileNotFoundError: there is no file at ``path``.

        """
        ...

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Lend a path from which to read the object inside the ``async with``. Never write to it.

        Raises:
            NotFound: ``file_gone``.

        """
        ...

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes from ``start`` up to, not including, ``stop`` (``None``: the end).

        Fewer bytes come back where the object ends earlier.

        Raises:
            NotFound: ``file_gone``.
            Invalid: ``bad_range`` when ``start`` is negative or behind ``stop``.

        """
        ...

    async def remove(self, prefix: str) -> int:
        """Remove one object (a key) or everything below a folder (a prefix that ends in ``/``).

        Returns the number of objects removed; none is no error.
        """
        ...

    def list(self, prefix: str = "") -> AsyncIterator[tuple[str, int]]:
        """Walk over ``(key, size in bytes)`` below ``prefix``, which is empty or ends in ``/``, in no order."""
        ...

    async def free_bytes(self) -> int:
        """Return how many bytes may still be stored."""
        ...


def check_key(key: str) -> str:
    """Return ``key`` when it may name an object, e.g. ``jobs/<uuid>/1/vocals.flac``.

    Raises:
        Invalid: ``bad_key``.

    """
    if not _KEY.fullmatch(key):
        raise Invalid("This is not a key of the storage.", code="bad_key", detail=repr(key[:200]))
    return key


def check_prefix(prefix: str) -> str:
    """Return ``prefix`` when it names a folder of keys and ends in ``/``.

    Raises:
        Invalid: ``bad_key``.

    """
    if not _PREFIX.fullmatch(prefix):
        raise Invalid("This is not a folder of the storage.", code="bad_key", detail=repr(prefix[:200]))
    return prefix
