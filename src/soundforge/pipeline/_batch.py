"""What may be asked of many tracks at once. Pages, API and commands ask here alike."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library
from soundforge.engines import DEFAULT_OPTIONS, SeparateOptions
from soundforge.errors import Invalid
from soundforge.library import Selection
from soundforge.pipeline._models import AUTO
from soundforge.pipeline._requests import check_options, new_separation
from soundforge.tables import Job, Kind, Track

MOST_JOBS: Final = 1000
MOST_PACKED: Final = 500
ACTIONS: Final = ("separate", "analyze", "download", "add", "delete")
PACKED: Final = ("audio", "stems")


@dataclass(frozen=True)
class BatchAsked:
    """What shall happen to tracks.

    ``model`` and ``options`` separate, ``what`` is packed by a download, ``playlist_id`` is what is added to.
    """

    action: str
    model: str = AUTO
    what: str = "audio"
    playlist_id: UUID | None = None
    options: SeparateOptions = DEFAULT_OPTIONS


@dataclass(frozen=True)
class BatchDone:
    """What came of it, in one sentence too; ``removed_at`` is what undoes a deletion."""

    text: str
    count: int
    job_id: UUID | None = None
    removed_at: datetime | None = None


async def request_batch(session: AsyncSession, owner_id: UUID, chosen: Selection, asked: BatchAsked) -> BatchDone:
    """Do one thing to many tracks.

    Raises ``Invalid`` ("unknown_action", "nothing_chosen", "too_many", …), ``NotFound``, ``Conflict``.
    """
    match asked.action:
        case "separate":
            return await request_separations(session, owner_id, chosen, model=asked.model, options=asked.options)
        case "analyze":
            return await request_analyses(session, owner_id, chosen)
        case "download":
            job = await request_pack(session, owner_id, chosen, what=asked.what)
            return BatchDone(
                "The zip is being packed; the job has it when it is ready.", len(job.params["tracks"]), job.id
            )
        case "add" if asked.playlist_id is not None:
            count = await library.add_to_playlist(session, owner_id, asked.playlist_id, chosen)
            return BatchDone(f"Added: {count} {_tracks(count)}.", count)
        case "delete":
            moment, count = await library.remove_tracks(session, owner_id, chosen)
            return BatchDone(f"Deleted: {count} {_tracks(count)}.", count, removed_at=moment)
    raise Invalid(f"With tracks one can do: {', '.join(ACTIONS)}; to add takes a list.", code="unknown_action")


async def request_separations(
    session: AsyncSession,
    owner_id: UUID,
    chosen: Selection,
    *,
    model: str = AUTO,
    options: SeparateOptions = DEFAULT_OPTIONS,
) -> BatchDone:
    """Split many tracks into stems; raises ``Invalid``."""
    check_options(model, options)
    return await _ask(
        session, owner_id, chosen, "Separation", lambda track_id: new_separation(owner_id, track_id, model, options)
    )


async def request_analyses(session: AsyncSession, owner_id: UUID, chosen: Selection) -> BatchDone:
    """Analyse many tracks; raises ``Invalid``."""
    return await _ask(
        session,
        owner_id,
        chosen,
        "Analysis",
        lambda track_id: jobs.NewJob(Kind.ANALYSIS, owner_id, str(track_id), track_id),
    )


async def request_pack(session: AsyncSession, owner_id: UUID, chosen: Selection, *, what: str = "audio") -> Job:
    """Make one zip of many tracks: their audio as it was received, or their newest stems.

    Raises ``Invalid`` ("unknown_format", "no_stems", …), ``Conflict``.
    """
    if what not in PACKED:
        raise Invalid(f"A zip of tracks holds one of: {', '.join(PACKED)}.", code="unknown_format")
    tracks = await library.list_selected(session, owner_id, chosen, most=MOST_PACKED)
    ids = [track.id for track in tracks if track.audio_file_id]
    if what == "stems":
        having = {stem.track_id for stem in await library.list_stems(session, owner_id, ids, previews=False)}
        ids = [track_id for track_id in ids if track_id in having]
    if not ids:
        raise Invalid(f"None of these tracks has {what} yet.", code="no_stems" if what == "stems" else "no_audio")
    digest = hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest()[:16]
    params: dict[str, Any] = {"format": "zip", "packed": what, "tracks": [str(track_id) for track_id in ids]}
    params["name"] = f"{len(ids)} {_tracks(len(ids))} ({what})"
    return await jobs.add_job(
        session, kind=Kind.EXPORT, owner_id=owner_id, unique_key=f"tracks:{what}:{digest}", params=params
    )


async def _ask(
    session: AsyncSession, owner_id: UUID, chosen: Selection, name: str, new: Callable[[UUID], jobs.NewJob]
) -> BatchDone:
    """Queue a job for each track that has audio, but where the same is under way."""
    tracks = await library.list_selected(session, owner_id, chosen, most=MOST_JOBS)
    ready = [track.id for track in tracks if track.audio_file_id]
    count = len(await jobs.add_jobs(session, [new(track_id) for track_id in ready]))
    return BatchDone(_told(name, tracks, len(ready), count), count)


def _told(name: str, tracks: Sequence[Track], ready: int, count: int) -> str:
    """Say "Separation asked for: 12 tracks, 3 have no audio, 1 is under way already."."""
    parts = [f"{count} {_tracks(count)}"]
    if without := len(tracks) - ready:
        parts.append(f"{without} without audio left out")
    if busy := ready - count:
        parts.append(f"{busy} under way already")
    return f"{name} asked for: {', '.join(parts)}."


def _tracks(count: int) -> str:
    return "track" if count == 1 else "tracks"
