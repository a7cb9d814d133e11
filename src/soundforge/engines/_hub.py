"""Pulling a model: from the hub, or a mirror of it, into the store.

The hub answers with where a file lies, how large it is and its checksum (``X-Linked-Size``, ``X-Linked-ETag``), and the
file itself comes from a content network of its own. A file grows under ``.part`` and gets its name when its checksum is
right; what is cut off or cancelled stays as ``.part`` and is gone on with the next time.
"""

import asyncio
import errno
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urljoin, urlsplit

from soundforge.config import make_folder
from soundforge.engines._contract import OnProgress
from soundforge.engines._model_store import CHECKSUM, PART, ModelStore, file_sha256
from soundforge.engines._models import ModelFile
from soundforge.errors import Broken, Unavailable
from soundforge.http import HTTP_SERVICES, Client, Response, Service, Transport, client

_SPARE_BYTES = 100 << 20  # that stay free on the disk
_REDIRECTS = 3
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOVED = (301, 302, 303, 307, 308)
_NOT_THERE = (401, 403, 404, 410)
_WHOLE, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416


@dataclass(frozen=True)
class Place:
    """Where a file lies now, its size, its SHA-256 as hex."""

    url: str
    size_bytes: int
    sha256: str


class ModelHub:
    """A hub of models, spoken to over HTTP."""

    def __init__(self, address: str, store: ModelStore, *, transport: Transport | None = None) -> None:
        """Ask ``address``, an https URL, or an http one on this machine; put into ``store`` what it sends.

        ``transport`` takes the network's place in a test.
        """
        self._address = address
        self._store = store
        self._service = _service(address)
        self._transport = transport

    async def pull(self, model: str, *, on_progress: OnProgress | None = None) -> int:
        """Get what is missing of a model; gives how many bytes came. What is here already is not asked for.

        Raises:
            Invalid: ``unknown_model``.
            Unavailable: ``hub_away``, ``model_cut``, ``model_busy``, ``disk_full``, what ``http`` raises.
            Broken: ``not_on_hub``, ``hub_garbage``, ``model_changed``, ``model_damaged``, ``host_not_allowed``.

        """
        tell = on_progress or _nothing
        missing = self._store.missing(model)
        async with client(self._service, transport=self._transport) as http:
            sizes = [(await self._locate(http, model, file)).size_bytes for file in missing]
            self._check_room(sum(sizes) - self._store.part_bytes(model))
            progress = _Progress(sum(sizes), tell)
            for file in missing:
                await self._fetch(http, model, file, progress)
        return progress.came

    async def _fetch(self, http: Client, model: str, file: ModelFile, progress: "_Progress") -> None:
        """Get one file whole, check it, give it its name."""
        path = self._store.path(model, file)
        place = await self._locate(http, model, file)
        with _room(), _open_part(path) as part:
            if part.tell() > place.size_bytes:
                part.truncate(0)
            progress.begin(part.tell())
            await self._append(http, place, part, progress)
            await asyncio.to_thread(_keep, part, path, place, known=file.sha256 is not None)
        progress.end(place.size_bytes)

    async def _append(self, http: Client, place: Place, part: BinaryIO, progress: "_Progress") -> None:
        """Ask for what is not there yet; begin anew where what is there does not go with it."""
        while (have := part.seek(0, os.SEEK_END)) < place.size_bytes:
            async with _stream(http, place.url, have) as answer:
                if not _continues(answer, have):
                    part.truncate(0)
                    progress.begin(0)
                if answer.status_code == _NO_SUCH_RANGE:
                    continue
                async for chunk in answer.aiter_raw():  # as it comes: what was read is kept when the line is cut
                    part.write(chunk)
                    progress.add(len(chunk))
                    _check_size(part, place)
            if part.tell() < place.size_bytes:
                raise Unavailable("The model's download was cut off; it goes on from there.", code="model_cut")

    async def _locate(self, http: Client, model: str, file: ModelFile) -> Place:
        """Ask the hub where a file is, and compare with what the table knows of it."""
        spec = self._store.spec(model)
        url = f"{self._address}/{spec.repo}/resolve/{quote(spec.revision, safe='')}/{quote(file.name)}"
        told: dict[str, str] = {}
        for _ in range(_REDIRECTS):
            answer = await http.head(url)
            told |= {name: value for name, value in answer.headers.items() if name.startswith("x-linked-")}
            if answer.status_code not in _MOVED:
                _check_status(answer.status_code, file.name)
                return _place(url, {**answer.headers, **told}, file)
            url = urljoin(url, answer.headers.get("location", ""))
            if urlsplit(url).netloc != urlsplit(self._address).netloc:
                return _place(url, told, file)
        raise Broken("The hub sends from one place to the next.", code="hub_garbage", detail=url)

    def _check_room(self, need_bytes: int) -> None:
        folder = next(path for path in (self._store.folder, *self._store.folder.parents) if path.exists())
        if shutil.disk_usage(folder).free < need_bytes + _SPARE_BYTES:
            sentence = f"There is not enough disk space for the model: {need_bytes / 1e6:.0f} MB are needed."
            raise Unavailable(sentence, code="disk_full")


class _Progress:
    """How far a pull is, over all its files."""

    def __init__(self, total_bytes: int, tell: OnProgress) -> None:
        self.came = 0  # bytes over the wire
        self._total, self._tell = max(total_bytes, 1), tell
        self._before = self._now = 0

    def begin(self, have_bytes: int) -> None:
        self._now = have_bytes
        self._say()

    def add(self, count: int) -> None:
        self.came += count
        self._now += count
        self._say()

    def end(self, size_bytes: int) -> None:
        self._before, self._now = self._before + size_bytes, 0
        self._say()

    def _say(self) -> None:
        self._tell(min(100 * (self._before + self._now) / self._total, 100), "downloading")


def _service(address: str) -> Service:
    """Who may be asked: the hub and its content network, or the one host of a mirror."""
    usual = HTTP_SERVICES["model_hub"]
    host = urlsplit(address).hostname or ""
    return usual if host in usual.hosts else replace(usual, hosts=frozenset({host}), domains=frozenset(), inside=True)


def _place(url: str, told: Mapping[str, str], file: ModelFile) -> Place:
    """What the hub says of a file; it must be what the table says, where that says anything."""
    size = told.get("x-linked-size") or told.get("content-length", "")
    tag = told.get("x-linked-etag", "").removeprefix("W/").strip('"')
    sha256 = tag if _SHA256.fullmatch(tag) else file.sha256
    if not size.isdecimal() or sha256 is None:
        raise Broken("The hub does not say the file's size and checksum.", code="hub_garbage", detail=repr(told))
    if (file.size_bytes or int(size), file.sha256 or sha256) != (int(size), sha256):
        sentence = f"The hub holds another {file.name} than the one this version knows; it was not downloaded."
        raise Broken(sentence, code="model_changed", detail=f"{size} bytes, {sha256}")
    return Place(url, int(size), sha256)


def _check_status(status: int, name: str) -> None:
    if status in _NOT_THERE:
        raise Broken(f"The hub has no {name}, or does not give it to everybody.", code="not_on_hub", detail=str(status))
    if status not in (_WHOLE, _PARTIAL):
        raise Unavailable("The hub cannot answer at the moment.", code="hub_away", detail=f"{name}: {status}")


@asynccontextmanager
async def _stream(http: Client, url: str, have: int) -> AsyncIterator[Response]:
    """Open the answer that brings a file from byte ``have`` on."""
    async with http.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as answer:
        if not (have and answer.status_code == _NO_SUCH_RANGE):
            _check_status(answer.status_code, urlsplit(url).path.rpartition("/")[2])
        yield answer


def _continues(answer: Response, have: int) -> bool:
    """Whether an answer goes on where we are: a part from there, or the whole when there is nothing yet."""
    if answer.status_code != _PARTIAL:
        return have == 0
    told = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    if told is None or int(told[1]) != have:
        raise Broken("The hub sent another part of the file.", code="hub_garbage", detail=str(answer.headers))
    return True


def _check_size(part: BinaryIO, place: Place) -> None:
    if part.tell() > place.size_bytes:
        part.truncate(0)
        raise Broken("The hub sent more than the whole file.", code="model_damaged", detail=place.url)


@contextmanager
def _room() -> Iterator[None]:
    """Turn a disk that is full in the middle into an error of ours."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Unavailable("The disk is full.", code="disk_full") from error


def _open_part(path: Path) -> BinaryIO:
    """Open what there is of a file, for nobody else; raises Unavailable (``model_busy``)."""
    make_folder(path.parent)
    part = path.with_name(path.name + PART).open("ab")
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        part.close()
        raise Unavailable("This model is being downloaded already.", code="model_busy") from error
    return part


def _keep(part: BinaryIO, path: Path, place: Place, *, known: bool) -> None:
    """Name a file that is whole and right; drop one that is not. Blocks some tenths of a second."""
    part.flush()
    os.fsync(part.fileno())
    grown = Path(part.name)
    if file_sha256(grown) != place.sha256:
        grown.unlink()
        sentence = f"The downloaded {path.name} is not what it should be (checksum), and was removed."
        raise Broken(sentence, code="model_damaged", detail=place.sha256)
    if not known:
        path.with_name(path.name + CHECKSUM).write_text(place.sha256, "ascii")
    grown.rename(path)


def _nothing(_percent: float, _stage: str) -> None:
    """Nobody wants to know."""
