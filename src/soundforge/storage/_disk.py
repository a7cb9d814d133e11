"""Storage in a folder of this machine or of a shared file system.

``objects/`` holds the objects under their keys, ``partial/`` what is being written. An object goes
from one to the other by a hard link, which is atomic and, unlike a rename, refuses an existing name.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import islice
from pathlib import Path
from uuid import uuid4

from soundforge.config import make_folder
from soundforge.errors import Conflict, Invalid, NotFound, Unavailable
from soundforge.storage._check import CHECKS
from soundforge.storage._contract import Stored, check_key, check_prefix

_CHUNK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LISTED_AT_ONCE = 1000
_LINK_TRIES = 50
_YOUNG_S = 60.0  # a partial file younger than this may not have its lock yet


class DiskStorage:
    """A :class:`~soundforge.storage.Storage` in the folder ``root``, on one file system with hard links."""

    def __init__(self, root: Path) -> None:
        """Make the folders where they are missing; raises ``Unavailable`` ("storage_away")."""
        self._objects = root / "objects"
        self._partial = root / "partial"
        with self._disk_errors():
            make_folder(root.parent)
            for folder in (root, self._objects, self._partial):
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)

    async def put(self, path: Path, key: str) -> Stored:
        """See :meth:`Storage.put`. The new object may be read by this account and its group alone."""
        target = self._objects / check_key(key)
        stop = threading.Event()
        size_bytes, sha256 = await _in_thread(lambda: self._put(path, target, stop), stop)
        return Stored(key, size_bytes, sha256)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """See :meth:`Storage.local`."""
        path = self._objects / check_key(key)
        await asyncio.to_thread(self._find, path, key)
        yield path

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See :meth:`Storage.read`."""
        path = self._objects / check_key(key)
        if start < 0 or (stop is not None and stop < start):
            raise Invalid("This range of bytes makes no sense.", code="bad_range", detail=f"{start}-{stop}")
        return await asyncio.to_thread(self._read, path, key, start, stop)

    async def remove(self, prefix: str) -> int:
        """See :meth:`Storage.remove`. Folders that became empty go too."""
        if prefix.endswith("/"):
            return await asyncio.to_thread(self._remove_folder, self._objects / check_prefix(prefix))
        return await asyncio.to_thread(self._remove_object, self._objects / check_key(prefix))

    async def list(self, prefix: str = "") -> AsyncIterator[tuple[str, int]]:
        """See :meth:`Storage.list`."""
        folder = self._objects / check_prefix(prefix) if prefix else self._objects
        walk = self._walk_objects(folder)
        while batch := await asyncio.to_thread(lambda: [*islice(walk, _LISTED_AT_ONCE)]):
            for path, size_bytes in batch:
                yield path.relative_to(self._objects).as_posix(), size_bytes

    async def free_bytes(self) -> int:
        """See :meth:`Storage.free_bytes`."""
        return await asyncio.to_thread(self._free_bytes)

    async def sweep(self) -> int:
        """Remove what killed processes left half written or half checked; return how many files that were.

        A file that somebody still writes is locked by its writer and stays.
        """
        return await asyncio.to_thread(self._sweep)

    def _put(self, path: Path, target: Path, stop: threading.Event) -> tuple[int, str]:
        with path.open("rb") as source, self._disk_errors(), self._open_partial() as (partial, out):
            if target.exists():  # the link below is what holds; this spares the copying
                raise _taken(target)
            sha256 = _copy(source.fileno(), out, stop)
            os.fchmod(out, 0o440)
            os.fsync(out)
            size_bytes = os.fstat(out).st_size
            self._link(partial, target)
            return size_bytes, sha256

    @contextmanager
    def _open_partial(self) -> Iterator[tuple[Path, int]]:
        partial = self._partial / uuid4().hex
        out = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(out, fcntl.LOCK_EX)
            yield partial, out
        finally:
            os.close(out)
            partial.unlink(missing_ok=True)

    def _link(self, partial: Path, target: Path) -> None:
        for attempt in range(_LINK_TRIES):
            try:
                self._make_folders(target.parent)
                os.link(partial, target)
            except (FileNotFoundError, FileExistsError, NotADirectoryError) as error:
                if target.exists() or any(one.is_file() for one in target.parents):
                    raise _taken(target) from None
                if attempt == _LINK_TRIES - 1:
                    raise _away(error) from error
                # else a removal swept the empty folder away between the two steps
            else:
                break
        _sync(target.parent)

    def _make_folders(self, folder: Path) -> None:
        """Make what is missing below ``objects/``, never that itself: where it is gone, the disk is away."""
        missing = [one for one in (folder, *folder.parents) if self._objects in one.parents and not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o750, exist_ok=True)
            _sync(one.parent)

    def _find(self, path: Path, key: str) -> None:
        with self._disk_errors():
            if not path.is_file():
                self._check_there()
                raise _gone(key)

    def _read(self, path: Path, key: str, start: int, stop: int | None) -> bytes:
        try:
            with self._disk_errors(), path.open("rb") as source:
                source.seek(start)
                return source.read(-1 if stop is None else stop - start)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise _gone(key) from None

    def _walk_objects(self, folder: Path) -> Iterator[tuple[Path, int]]:
        with self._disk_errors():
            self._check_there()
            yield from _walk(folder)

    def _free_bytes(self) -> int:
        with self._disk_errors():
            return shutil.disk_usage(self._partial).free

    def _remove_object(self, path: Path) -> int:
        with self._disk_errors():
            try:
                path.unlink()
            except FileNotFoundError:
                self._check_there()
                return 0
            _sync(path.parent)
            self._prune(path.parent)
            return 1

    def _remove_folder(self, top: Path) -> int:
        count = 0
        with self._disk_errors():
            self._check_there()
            if top.resolve() != self._objects.resolve() / top.relative_to(self._objects):
                return 0  # a link that somebody put here: what it leads to is not ours to remove
            for folder, _, names in os.walk(top, topdown=False, onerror=_raise_unless_gone):
                for name in names:
                    Path(folder, name).unlink(missing_ok=True)
                count += len(names)
                if names:
                    _sync(Path(folder))
                self._prune(Path(folder))
        return count

    def _prune(self, folder: Path) -> None:
        """Remove ``folder`` and its parents as far as they are empty."""
        while folder != self._objects:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass  # somebody else was quicker; the parent may still be empty
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return
                raise
            folder = folder.parent

    def _sweep(self) -> int:
        born_before = time.time() - _YOUNG_S
        with self._disk_errors():
            left = (*_walk(self._partial), *_walk(self._objects / CHECKS))
            old = [path for path, _ in left if path.stat().st_mtime < born_before]
            return sum(_remove_unlocked(path) for path in old)

    def _check_there(self) -> None:
        """Tell a file that is gone from a disk that is: raises ``Unavailable`` ("storage_away")."""
        for folder in (self._objects, self._partial):
            if not folder.is_dir():
                raise _away(FileNotFoundError(errno.ENOENT, "The folder is gone", str(folder)))

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """Turn what the disk says into what a user can act on; a missing file is for the caller to judge."""
        try:
            yield
        except InterruptedError:
            raise
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            self._check_there()
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise Unavailable("The disk is full.", code="disk_full", detail=str(error)) from error
            raise _away(error) from error


async def _in_thread[T](work: Callable[[], T], stop: threading.Event) -> T:
    """Run ``work`` in a thread; when cancelled, tell it to stop and wait until it has tidied up."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        while not running.done():
            with suppress(asyncio.CancelledError):  # a second one changes nothing: it is raised below
                await asyncio.wait([running])
        running.exception()  # looked at: the cancellation is what the caller hears of
        raise


def _copy(source: int, out: int, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    while chunk := os.read(source, _CHUNK_BYTES):
        if stop.is_set():
            raise InterruptedError
        digest.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(out, rest) :]
    return digest.hexdigest()


def _walk(folder: Path) -> Iterator[tuple[Path, int]]:
    for parent, _, names in os.walk(folder, onerror=_raise_unless_gone):
        for name in names:
            path = Path(parent, name)
            with suppress(FileNotFoundError):  # removed since the folder was read
                yield path, path.stat(follow_symlinks=False).st_size


def _remove_unlocked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # its writer was quicker
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _sync(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut; a folder that is gone by now has none."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _raise_unless_gone(error: OSError) -> None:
    """What ``os.walk`` would pass over in silence; a folder may go while it is walked through."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _away(error: OSError) -> Unavailable:
    return Unavailable("The storage does not answer.", code="storage_away", detail=str(error))


def _gone(key: str) -> NotFound:
    return NotFound("This file is no longer in storage.", code="file_gone", detail=key)


def _taken(target: Path) -> Conflict:
    return Conflict("There is already a file under this key.", code="key_taken", detail=str(target))
