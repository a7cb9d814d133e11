"""What people may ask for. Each request is rows plus an Oban job in the caller's transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library
from soundforge.engines import DEFAULT_OPTIONS, SeparateOptions
from soundforge.errors import Invalid
from soundforge.pipeline._incoming import Upload
from soundforge.pipeline._models import AUTO, best_model, choose
from soundforge.pipeline._options import region_word, to_params
from soundforge.pipeline._paste import check_downloads
from soundforge.tables import Job, Kind, Track


async def request_import(
    session: AsyncSession, owner_id: UUID, upload: Upload, *, options: Mapping[str, Any] | None = None
) -> Job:
    """Import one received file: decode, store, then separate and analyse; a CSV is a list of songs to fetch.

    Raises ``Forbidden`` ("downloads_off") for a list while nothing may be fetched.
    """
    params = {"upload": str(upload.id), "name": upload.name, "size_bytes": upload.size_bytes}
    if upload.is_list:
        await check_downloads(session)
        params["what"] = "list"
    return await jobs.add_job(
        session, kind=Kind.IMPORT, owner_id=owner_id, unique_key=str(upload.id), params={**params, **(options or {})}
    )


def new_download(
    owner_id: UUID, track_id: UUID, wanted: Mapping[str, Any], *, parent_id: UUID | None = None
) -> jobs.NewJob:
    """The fetching of a track's audio; ``wanted`` is what is known of the song."""
    return jobs.NewJob(Kind.DOWNLOAD, owner_id, str(track_id), track_id, parent_id, dict(wanted))


async def request_separation(
    session: AsyncSession,
    owner_id: UUID,
    track_id: UUID,
    *,
    model: str = AUTO,
    options: SeparateOptions = DEFAULT_OPTIONS,
    parent_id: UUID | None = None,
) -> Job:
    """Split a track into stems.

    Raises ``Conflict`` while the same model separates the same region of it, ``Invalid`` for a region beyond its end.
    """
    track = await library.get_track(session, owner_id, track_id)
    _needs_audio(track)
    if options.region_s and options.region_s[0] * 1000 >= (track.duration_ms or 0):
        sentence = "The region must begin before it ends, and inside the song."
        raise Invalid(sentence, code="unknown_option", fields={"region_s": sentence})
    new = new_separation(owner_id, track_id, model, options, parent_id=parent_id)
    return await jobs.add_job(
        session,
        kind=new.kind,
        owner_id=owner_id,
        track_id=track_id,
        parent_id=parent_id,
        unique_key=new.unique_key,
        params=new.params,
    )


def new_separation(
    owner_id: UUID, track_id: UUID, model: str, options: SeparateOptions, *, parent_id: UUID | None = None
) -> jobs.NewJob:
    """The separation of a track that has audio."""
    key = f"{track_id}:{best_model() if model == AUTO else model}:{region_word(options)}"
    params = {"model": model, "options": to_params(options)}
    return jobs.NewJob(Kind.SEPARATION, owner_id, key, track_id, parent_id, params)


def check_options(model: str, options: SeparateOptions) -> SeparateOptions:
    """Refuse options that the model, and the engine that would run it now, cannot keep; raises ``Invalid``."""
    choice = choose(model)
    options.check(choice.engine.stems(choice.model), choice.engine.precisions())
    return options


async def request_analysis(
    session: AsyncSession, owner_id: UUID, track_id: UUID, *, parent_id: UUID | None = None
) -> Job:
    """Analyse a track; raises ``Conflict`` while an analysis of it is under way."""
    track = await library.get_track(session, owner_id, track_id)
    _needs_audio(track)
    return await jobs.add_job(
        session, kind=Kind.ANALYSIS, owner_id=owner_id, track_id=track_id, parent_id=parent_id, unique_key=str(track_id)
    )


async def request_export(session: AsyncSession, owner_id: UUID, track_id: UUID, *, stems_job_id: UUID) -> Job:
    """Make one zip of all stems of one separation."""
    await library.get_track(session, owner_id, track_id)
    if not any(stem.job_id == stems_job_id for stem in await library.list_stems(session, owner_id, [track_id])):
        msg = "This track has no such stems to export."
        raise Invalid(msg, code="no_stems")
    return await jobs.add_job(
        session,
        kind=Kind.EXPORT,
        owner_id=owner_id,
        track_id=track_id,
        unique_key=f"{stems_job_id}:zip",
        params={"stems_job": str(stems_job_id), "format": "zip"},
    )


async def request_purge(session: AsyncSession, owner_id: UUID) -> Job:
    """Remove for good what was deleted long enough ago, and files that nothing refers to."""
    return await jobs.add_job(
        session, kind=Kind.MAINTENANCE, owner_id=owner_id, unique_key="purge", params={"what": "purge"}
    )


async def request_spotify_check(session: AsyncSession, owner_id: UUID) -> Job:
    """Ask Spotify whether it answers this studio's app; the job's result tells the cases apart."""
    return await jobs.add_job(
        session, kind=Kind.MAINTENANCE, owner_id=owner_id, unique_key="spotify", params={"what": "spotify"}
    )


async def request_demo(session: AsyncSession, owner_id: UUID) -> Job:
    """Render the demo song and import it."""
    return await jobs.add_job(
        session, kind=Kind.MAINTENANCE, owner_id=owner_id, unique_key="demo", params={"what": "demo"}
    )


def _needs_audio(track: Track) -> None:
    if track.audio_file_id is None:
        msg = "This track has no audio yet."
        raise Invalid(msg, code="no_audio")
