"""``forge``: files, folders or links through the whole pipeline."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cyclopts import App

from soundforge import formats, library, pipeline, sources, spotify, views
from soundforge.app import Rooms
from soundforge.cli._follow import Show, follow, open_help
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import find_user_id, run_command
from soundforge.db import reading, transaction
from soundforge.errors import Invalid, Rejected
from soundforge.views import JobView, TrackView

SOME_FAILED = 3
_STEP_BYTES = 1 << 20


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(forge)


def forge(
    *source: str,
    model: str = "auto",
    out: Path | None = None,
    json: bool = False,
    user: str | None = None,
) -> int:
    """Send audio files or folders through the whole pipeline: import, stems, analysis.

    Exits with 0 when all is done, 3 when something failed, 2 when there was nothing to import.

    Parameters
    ----------
    source
        Audio files or folders.
    model
        The separation model; "auto" takes the best that is installed.
    out
        Folder to copy stems and analysis to.
    json
        Print one JSON document instead of words.
    user
        Whose library; the owner's unless said.

    """
    files = find_sources(source)
    pipeline.check_model(model)
    return run_command(lambda rooms: _forge(rooms, files, model=model, out=out, as_json=json, user=user))


def find_sources(source: tuple[str, ...]) -> list[Path]:
    """The audio files that the words on the command line name; raises ``Invalid`` for anything else."""
    if not source:
        raise Invalid("Name at least one audio file or folder.", code="no_source")
    files: list[Path] = []
    for word in source:
        if "://" in word or word.startswith("spotify:"):
            ref = spotify.parse_url(word)
            sentence = (
                f"This is a link to a Spotify {ref.kind}; no downloader is installed here. Give the audio file itself."
            )
            raise Invalid(sentence, code="missing_engine")
        found = sources.list_audio(Path(word)) if Path(word).is_dir() else [Path(word)]
        files += found
    return files


@dataclass(frozen=True)
class Forged:
    """What became of one source."""

    name: str
    job: JobView | None
    jobs: tuple[JobView, ...]
    track: TrackView | None
    error: str | None

    @property
    def is_done(self) -> bool:
        """Whether everything that it started is completed."""
        return self.error is None and all(job.status == "completed" for job in self.jobs)


async def forge_files(
    rooms: Rooms, owner_id: UUID, files: list[Path], options: Mapping[str, Any], show: Show
) -> list[Forged]:
    """Import files and follow them to the end, working queues that nobody else works."""
    asked = [await _ask(rooms, owner_id, file, options) for file in files]
    ids = [job_id for job_id, _error in asked if job_id]
    ended: list[JobView] = []
    if ids:
        async with open_help(rooms):
            ended = await follow(owner_id, ids, show)
    return [await _forged(owner_id, file, *each, ended) for file, each in zip(files, asked, strict=True)]


async def _ask(rooms: Rooms, owner_id: UUID, file: Path, options: Mapping[str, Any]) -> tuple[UUID | None, str | None]:
    settings = rooms.settings
    try:
        await asyncio.to_thread(sources.check_file, file, max_mb=settings.max_upload_mb)
    except Rejected as error:
        return None, error.sentence
    async with pipeline.open_upload(settings, file.name, _chunks(file)) as upload, transaction() as session:
        job = await pipeline.request_import(session, owner_id, upload, options=options)
    return job.id, None


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as source:
        while chunk := await asyncio.to_thread(source.read, _STEP_BYTES):
            yield chunk


async def _forged(owner_id: UUID, file: Path, job_id: UUID | None, error: str | None, ended: list[JobView]) -> Forged:
    own = next((job for job in ended if job.id == job_id), None)
    mine = tuple(job for job in ended if job_id and job_id in (job.id, job.parent_id))
    track = None
    if own and "track_id" in own.result:
        async with reading() as session:
            track = await views.get_track_view(session, owner_id, UUID(own.result["track_id"]))
    return Forged(file.name, own, mine, track, error)


async def _forge(
    rooms: Rooms, files: list[Path], *, model: str, out: Path | None, as_json: bool, user: str | None
) -> int:
    owner_id = await find_user_id(user)
    forged = await forge_files(rooms, owner_id, files, {"model": model}, Show(quiet=as_json))
    copied = [await copy_out(rooms, owner_id, one.track, out) if out and one.track else [] for one in forged]
    if as_json:
        say_json([_document(*each) for each in zip(forged, copied, strict=True)])
    else:
        for each in zip(forged, copied, strict=True):
            _tell(*each)
    if all(one.error for one in forged):
        return 2
    return 0 if all(one.is_done for one in forged) else SOME_FAILED


async def copy_out(rooms: Rooms, owner_id: UUID, track: TrackView, out: Path) -> list[Path]:
    """Copy a track's newest stems and its analysis into ``out``, named for people."""
    await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
    written: list[Path] = []
    for stem in track.stem_sets[0].stems if track.stem_sets else ():
        async with reading() as session:
            file = await library.get_file(session, owner_id, stem.file_id)
        target = out / formats.file_name(track.row.artist, track.row.title, stem.name, ".flac")
        async with rooms.storage.local(file.key) as path:
            await asyncio.to_thread(shutil.copyfile, path, target)
        written.append(target)
    if track.document:
        target = out / formats.file_name(track.row.artist, track.row.title, "analysis", ".json")
        await asyncio.to_thread(target.write_bytes, formats.analysis_json(track.document))
        written.append(target)
    return written


def _document(one: Forged, copied: list[Path]) -> dict[str, Any]:
    row = one.track.row if one.track else None
    return {
        "source": one.name,
        "done": one.is_done,
        "error": one.error or next((job.error for job in one.jobs if job.error), None),
        "track_id": row.id if row else None,
        "title": row.title if row else None,
        "artist": row.artist if row else None,
        "bpm": row.bpm if row else None,
        "key": row.musical_key if row else None,
        "camelot": row.camelot if row else None,
        "stems": list(row.stems) if row else [],
        "files": [str(path) for path in copied],
        "jobs": [
            {"id": job.id, "kind": job.kind, "status": job.status, "error_code": job.error_code} for job in one.jobs
        ],
    }


def _tell(one: Forged, copied: list[Path]) -> None:
    if one.error:
        say(f"{one.name}: {one.error}")
        return
    for job in one.jobs:
        if job.status == "failed":
            say(f"{one.name}: {job.kind} failed: {job.error}")
    if one.track:
        row = one.track.row
        say(
            f"{row.title}: {row.bpm or '–'} BPM, {row.musical_key or 'no key'}, stems: {', '.join(row.stems) or 'none'}"
        )
    for path in copied:
        say(f"  {path}")
