"""``forge``: files, folders or links through the whole pipeline."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, pipeline, sources, spotify, views
from soundforge.app import Rooms
from soundforge.cli._copies import copy_out, make_folder
from soundforge.cli._follow import Show, follow
from soundforge.cli._help import open_help
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import find_user_id, run_command
from soundforge.cli._separation import open_local_models
from soundforge.db import reading, transaction
from soundforge.errors import Invalid, Rejected
from soundforge.tables import Job, Kind
from soundforge.tools import Tools
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
    """Send files, folders, links or “artist - title” through the whole pipeline: import, stems, analysis.

    Exits with 0 when all is done, 3 when something failed, 2 when there was nothing to import.

    Parameters
    ----------
    source
        Audio files or folders, lists as CSV, links to Spotify, YouTube, SoundCloud or Bandcamp, or "artist - title".
    model
        The separation model; "auto" takes the best that is installed.
    out
        Folder to copy stems and analysis to; another song's files there are kept.
    json
        Print one JSON document instead of words.
    user
        Whose library; the owner's unless said.

    """
    found = find_sources(source)
    with open_local_models():
        pipeline.check_model(model)
    if out:
        make_folder(out)
    return run_command(lambda rooms: _forge(rooms, found, model=model, out=out, as_json=json, user=user))


@dataclass(frozen=True)
class Sources:
    """What the words on the command line name: files, and a paste of the links and lines among them."""

    files: tuple[Path, ...]
    paste: pipeline.Recognised | None = None


def find_sources(source: tuple[str, ...]) -> Sources:
    """Tell files from links and lines; raises ``Invalid`` for what is neither."""
    if not all(word.strip() for word in source) or not source:
        raise Invalid("Name at least one audio file, folder, link or “artist - title”.", code="no_source")
    files: list[Path] = []
    words: list[str] = []
    for word in source:
        if Path(word).is_dir():
            files += sources.list_audio(Path(word))
        elif Path(word).exists() or not _means_a_song(word):
            files.append(Path(word))
        else:
            words.append(word)
    return Sources(tuple(files), _read(words) if words else None)


def _means_a_song(word: str) -> bool:
    """Whether a word that is no file is a link, rightly or wrongly written, or a line like “artist - title”."""
    if "://" not in word and Path(word).suffix.lower() in sources.EXTENSIONS:
        return False  # “nowhere.wav” and “Artist - Title.mp3” name files that are not there
    return sources.is_link(word) or spotify.names_spotify(word) or " - " in word


def _read(words: list[str]) -> pipeline.Recognised:
    """Read links and lines; the first that cannot be imported is refused, before anything starts."""
    for word in words:
        pipeline.read_order(word)
    return pipeline.recognise("\n".join(" ".join(word.split()) for word in words))


@dataclass(frozen=True)
class Forged:
    """What became of one source."""

    name: str
    job: JobView | None
    jobs: tuple[JobView, ...]
    track: TrackView | None
    error: str | None
    is_known: bool = False  # in the library already

    @property
    def is_done(self) -> bool:
        """Whether everything that it started is completed."""
        return self.error is None and all(job.status == "completed" for job in self.jobs)


async def forge_sources(
    rooms: Rooms, owner_id: UUID, found: Sources, options: Mapping[str, Any], show: Show
) -> list[Forged]:
    """Import files, links and lines and follow them to the end, working queues that nobody else works."""
    asked = [await _ask(rooms, owner_id, file, options) for file in found.files]
    if found.paste:
        asked.append(await _ask_paste(rooms, owner_id, found.paste, str(options["model"])))
    ids = [one.job_id for one in asked if one.job_id]
    ended: list[JobView] = []
    if ids:
        async with open_help(rooms) as helping:
            ended = await follow(owner_id, ids, show, helping)
            if await _ask_for_missing(owner_id, ended, str(options["model"])):
                ended = await follow(owner_id, ids, show, helping)
    return [forged for one in asked for forged in await _forged(owner_id, one, ended)]


async def _ask_for_missing(owner_id: UUID, ended: list[JobView], model: str) -> list[UUID]:
    """Ask for what songs lack that were in the library already, but for those that were worked on just now."""
    worked_on = {str(job.track_id) for job in ended if job.kind in (Kind.SEPARATION, Kind.ANALYSIS)}
    known = {str(job.result["track_id"]): job for job in ended if job.result.get("duplicate")}
    asked: list[UUID] = []
    async with transaction() as session:
        for track_id in known.keys() - worked_on:
            parent_id = known[track_id].parent_id or known[track_id].id
            asked += await pipeline.request_missing(session, owner_id, UUID(track_id), model=model, parent_id=parent_id)
    return asked


@dataclass(frozen=True)
class _Asked:
    """An import that was asked for, or why it was not."""

    name: str
    job_id: UUID | None = None
    error: str | None = None


async def _ask(rooms: Rooms, owner_id: UUID, file: Path, options: Mapping[str, Any]) -> _Asked:
    settings = rooms.settings
    try:
        await asyncio.to_thread(sources.check_file, file, max_mb=settings.max_upload_mb)
    except Rejected as error:
        return _Asked(file.name, error=error.sentence)
    async with pipeline.open_upload(settings, file.name, _chunks(file)) as upload, transaction() as session:
        job = await pipeline.request_import(session, owner_id, upload, options=options)
        await _check_downloader(session, rooms, job)
    return _Asked(file.name, job.id)


async def _ask_paste(rooms: Rooms, owner_id: UUID, paste: pipeline.Recognised, model: str) -> _Asked:
    async with transaction() as session:
        job = await pipeline.request_paste(session, owner_id, paste, model=model)
        await _check_downloader(session, rooms, job)
    return _Asked(str(job.params["name"]), job.id)


async def _check_downloader(session: AsyncSession, rooms: Rooms, job: Job) -> None:
    """Refuse to wait for songs that nobody can fetch; raises ``Broken`` ("tool_missing")."""
    if "what" in job.params and not await jobs.is_worked(session, Kind.DOWNLOAD):
        Tools(rooms.settings.tools_folder).python(sources.DOWNLOADER)


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as source:
        while chunk := await asyncio.to_thread(source.read, _STEP_BYTES):
            yield chunk


async def _forged(owner_id: UUID, asked: _Asked, ended: list[JobView]) -> list[Forged]:
    """What came of one import: a track, or as many as it asked downloads for."""
    own = next((job for job in ended if job.id == asked.job_id), None)
    mine = tuple(job for job in ended if asked.job_id and asked.job_id in (job.id, job.parent_id))
    downloads = [job for job in mine if job.kind == "download"]
    if own is None or not downloads or own.error:
        found = own.result.get("track_id") if own else None
        mine += _others_of(found, mine, ended)
        return [Forged(asked.name, own, mine, await _track(owner_id, found), asked.error, _is_known(own))]
    songs = [
        Forged(
            job.title,
            own,
            (job, *_others_of(job.result.get("track_id") or str(job.track_id), (job,), ended)),
            await _track(owner_id, job.result.get("track_id")),
            None,
            _is_known(job),
        )
        for job in downloads
    ]
    problems = own.result.get("problems", ())
    return [*songs, *(Forged(f"line {one['line']}", own, (), None, one["sentence"]) for one in problems)]


def _others_of(track_id: str | None, mine: Sequence[JobView], ended: Sequence[JobView]) -> tuple[JobView, ...]:
    """What else worked on a track, whichever import asked for it."""
    return tuple(job for job in ended if job not in mine and job.track_id and str(job.track_id) == track_id)


def _is_known(job: JobView | None) -> bool:
    return bool(job and job.result.get("duplicate"))


async def _track(owner_id: UUID, track_id: str | None) -> TrackView | None:
    if track_id is None:
        return None
    async with reading() as session:
        return await views.get_track_view(session, owner_id, UUID(track_id))


async def _forge(rooms: Rooms, found: Sources, *, model: str, out: Path | None, as_json: bool, user: str | None) -> int:
    owner_id = await find_user_id(user)
    forged = await forge_sources(rooms, owner_id, found, {"model": model}, Show(quiet=as_json))
    copied = [
        await copy_out(rooms, owner_id, one.track, out, model=model) if out and one.track else [] for one in forged
    ]
    if as_json:
        say_json([_document(*each) for each in zip(forged, copied, strict=True)])
    else:
        for each in zip(forged, copied, strict=True):
            _tell(*each)
    if all(one.error for one in forged):
        return 2
    return 0 if all(one.is_done for one in forged) else SOME_FAILED


def _document(one: Forged, copied: list[Path]) -> dict[str, Any]:
    row = one.track.row if one.track else None
    return {
        "source": one.name,
        "done": one.is_done,
        "duplicate": one.is_known,
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
        if one.is_known:
            say(f"{one.name}: in your library already")
        say(
            f"{row.title}: {row.bpm or '–'} BPM, {row.musical_key or 'no key'}, stems: {', '.join(row.stems) or 'none'}"
        )
    for path in copied:
        say(f"  {path}")
