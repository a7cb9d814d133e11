"""One way from a file to a playing track, whoever brought the file: decode, store, then separate and analyse."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, jobs, library, sources
from soundforge.engines import Decoded, SeparateOptions, encode_flac
from soundforge.library import NewAudio, NewFile
from soundforge.pipeline._audio import pcm_folder
from soundforge.pipeline._files import new_file
from soundforge.pipeline._models import AUTO
from soundforge.pipeline._options import QUALITIES, from_params
from soundforge.pipeline._ports import ports
from soundforge.pipeline._requests import new_separation
from soundforge.tables import Job, Kind

_WISHES = ("separate_new", "analyse_new", "quality")
_COVER_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


async def decode_song(run: jobs.Run, file: Path, *, from_percent: float = 0.0) -> Decoded:
    """Decode a file and write the FLAC that plays, ``mix.flac`` in the run's folder; reports up to 95 %.

    Raises what ``Decoder`` does.
    """
    port = ports()
    decoded = await port.decoder.decode(
        file,
        run.folder / "decoded.f32",
        folder=run.folder / "decode",
        max_duration_s=port.settings.max_duration_s,
        on_progress=_share(run, from_percent, 0.70, "decoding"),
    )
    await encode_flac(
        decoded.pcm,
        run.folder / "mix.flac",
        folder=run.folder / "encode",
        on_progress=_share(run, from_percent + 0.70 * (100 - from_percent), 0.83, "encoding"),
    )
    return decoded


async def store_song(
    run: jobs.Run, file: Path, decoded: Decoded, sha256: str, *, cover: Path | None = None
) -> NewAudio:
    """Store the original as it came, the mix and the cover; the decoded audio goes to the work cache."""
    port = ports()
    audio = await port.storage.put(file, f"{run.prefix}original{sources.extension_of(decoded.format)}")
    mix = await port.storage.put(run.folder / "mix.flac", f"{run.prefix}mix.flac")
    picture = await _store_cover(run, cover or decoded.cover)
    run.report(98, "storing")
    port.pcm.keep(pcm_folder(run), sha256, decoded.pcm)
    return NewAudio(
        audio=new_file(audio, sources.media_type_of(decoded.format)),
        mix=new_file(mix, "audio/flac"),
        cover=picture,
        audio_sha256=sha256,
        frames=decoded.pcm.frames,
        duration_ms=round(decoded.pcm.frames * 1000 / decoded.pcm.sample_rate_hz),
        sample_rate_hz=decoded.pcm.sample_rate_hz,
        channels=decoded.pcm.channels,
        format=decoded.format,
        warnings=tuple(warning.sentence for warning in decoded.warnings),
    )


async def ask_for_the_rest(session: AsyncSession, run: jobs.Run, track_id: UUID) -> None:
    """Separation and analysis as the owner wishes, side by side, as children of the import that the track came by."""
    parent_id = run.parent_id or run.job_id
    for new in await _wished(session, run.owner_id, track_id, str(run.params.get("model", AUTO)), parent_id):
        await jobs.add_job(
            session,
            kind=new.kind,
            owner_id=new.owner_id,
            unique_key=new.unique_key,
            track_id=new.track_id,
            parent_id=new.parent_id,
            params=new.params,
        )


async def request_missing(
    session: AsyncSession, owner_id: UUID, track_id: UUID, *, model: str = AUTO, parent_id: UUID | None = None
) -> list[UUID]:
    """Ask for what an import would ask for, where a track that was there already lacks it; gives the jobs.

    "auto" is content with the stems of any model. What is under way stays as it is. Raises ``NotFound``.
    """
    await library.get_track(session, owner_id, track_id)
    stems = await library.list_stems(session, owner_id, [track_id])
    parts = await library.list_newest_parts(session, owner_id, track_id)
    made_by = {*(stem.job_id for stem in stems), *(part.job_id for part in parts)}
    made = (await session.scalars(select(Job).where(Job.id.in_(made_by)))).all()
    there = {Kind(job.kind) for job in made if job.kind != Kind.SEPARATION or _is_whole(job, model)}
    wished = await _wished(session, owner_id, track_id, model, parent_id)
    return await jobs.add_jobs(session, [new for new in wished if new.kind not in there])


async def _wished(
    session: AsyncSession, owner_id: UUID, track_id: UUID, model: str, parent_id: UUID | None
) -> list[jobs.NewJob]:
    """What the owner wishes to be made of a new song."""
    wants = {name: await accounts.get_setting(session, owner_id, name) for name in _WISHES}
    wished = []
    if wants["separate_new"]:
        options = SeparateOptions(**QUALITIES[str(wants["quality"])])
        wished.append(new_separation(owner_id, track_id, model, options, parent_id=parent_id))
    if wants["analyse_new"]:
        wished.append(jobs.NewJob(Kind.ANALYSIS, owner_id, str(track_id), track_id, parent_id))
    return wished


def _is_whole(separation: Job, model: str) -> bool:
    """Whether it made all stems of the whole song, by this model."""
    options = from_params(separation.params)
    is_part = bool(options.region_s or options.stems or options.two_stem)
    return not is_part and model in (AUTO, separation.result.get("model"))


async def hash_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    return await asyncio.to_thread(_sha256, file)


async def _store_cover(run: jobs.Run, cover: Path | None) -> NewFile | None:
    if cover is None:
        return None
    stored = await ports().storage.put(cover, f"{run.prefix}cover{cover.suffix}")
    return new_file(stored, _COVER_TYPES[cover.suffix])


def _share(run: jobs.Run, begins: float, share: float, stage: str) -> Callable[[float, str], None]:
    """Report a part of the work: from ``begins`` on, ``share`` of what is left until 100."""
    return lambda percent, _stage: run.report(begins + percent / 100 * share * (100 - begins), stage)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
