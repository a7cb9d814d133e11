"""``forge --out``: a song's newest stems and its analysis as files named for people."""

import asyncio
import errno
import filecmp
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

from soundforge import formats, library
from soundforge.app import Rooms
from soundforge.db import reading
from soundforge.errors import Invalid, Unavailable
from soundforge.views import TrackView

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class Piece:
    """One file of a song: a stem's name or "analysis", its extension, and what it shall hold."""

    part: str
    extension: str
    content: Path | bytes


def make_folder(out: Path) -> None:
    """Make the folder that results go to; raises ``Invalid`` ("no_folder") where a file has its name."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Invalid(f"“{out}” is no folder.", code="no_folder") from error


async def copy_out(rooms: Rooms, owner_id: UUID, track: TrackView, out: Path, *, model: str) -> list[Path]:
    """Copy a track's newest stems by a model ("auto": by any) and its analysis into ``out``.

    Raises ``Unavailable`` ("disk_full").
    """
    async with AsyncExitStack() as stack:
        pieces = []
        for stem in next((one.stems for one in track.stem_sets if model in ("auto", one.model)), ()):
            async with reading() as session:
                file = await library.get_file(session, owner_id, stem.file_id)
            path = await stack.enter_async_context(rooms.storage.local(file.key))
            pieces.append(Piece(stem.name, ".flac", path))
        if track.document:
            pieces.append(Piece("analysis", ".json", formats.analysis_json(track.document)))
        return await asyncio.to_thread(write_song, track.row.artist, track.row.title, pieces, out)


def write_song(artist: str, title: str, pieces: Sequence[Piece], out: Path) -> list[Path]:
    """Write the files of one song: all of them beside their places first, so that none is ever seen in part.

    Files of the same song are replaced; those of another one of this name keep it, and this one gets a number.
    """
    make_folder(out)
    with _disk_errors(out), tempfile.TemporaryDirectory(prefix=".soundforge-", dir=out) as scratch:
        ready = [_write(piece, Path(scratch) / f"{place}") for place, piece in enumerate(pieces)]
        _analysis, *targets = next(
            places
            for places in _places(artist, title, pieces, out)
            if not any(path.exists() for path in places) or _is_same_song(pieces, ready, *places)
        )
        return [path.replace(target) for path, target in zip(ready, targets, strict=True)]


def _places(artist: str, title: str, pieces: Sequence[Piece], out: Path) -> Iterator[list[Path]]:
    """Where the analysis and the pieces of a song may lie, one name of the song after the other."""
    parts = [("analysis", ".json"), *((one.part, one.extension) for one in pieces)]
    for number in count(1):
        yield [out / formats.file_name(artist, title, *part, number=number) for part in parts]


def _write(piece: Piece, path: Path) -> Path:
    if isinstance(piece.content, bytes):
        path.write_bytes(piece.content)
    else:
        shutil.copyfile(piece.content, path)
    return path


def _is_same_song(pieces: Sequence[Piece], ready: Sequence[Path], analysis: Path, *targets: Path) -> bool:
    """Whether what is there is of this song: its analysis says of which sound it is, else a file is the very same."""
    mine = next((_sound_of(one.content) for one in pieces if isinstance(one.content, bytes)), None)
    if mine and analysis.is_file():
        return mine == _sound_of(analysis.read_bytes())
    there = [(path, target) for path, target in zip(ready, targets, strict=True) if target.is_file()]
    return any(filecmp.cmp(path, target, shallow=False) for path, target in there)


def _sound_of(analysis: bytes) -> str | None:
    """The hash of the sound that an analysis document is about; None for anything else."""
    try:
        return str(json.loads(analysis)["source"]["sha256"])
    except (ValueError, TypeError, LookupError):
        return None


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """Name the folder that cannot be written, not the file that was read."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            sentence = f"The disk of “{out}” is full; what was to be copied there is in the library."
            raise Unavailable(sentence, code="disk_full", detail=str(error)) from error
        raise OSError(error.errno, error.strerror, str(out)) from error
