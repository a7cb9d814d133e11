"""Rendering a mix: the stems of one separation, summed into a file as the mixer plays them."""

import hashlib
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import formats, jobs, library
from soundforge.db import reading
from soundforge.engines import MixStem, render_mix
from soundforge.errors import Broken, Invalid
from soundforge.library import MixState
from soundforge.pipeline._files import new_file
from soundforge.pipeline._ports import ports
from soundforge.tables import Job, Kind, Stem

_HEARD = {"stems_job", "strips", "tempo", "semitones"}  # what of a mix makes another file
RENDERED = {"flac24": (".flac", "audio/flac"), "wav24": (".wav", "audio/wav"), "wav32f": (".wav", "audio/wav")}


@dataclass(frozen=True)
class _Plan:
    rate_hz: int
    name: str
    state: MixState
    stems: tuple[tuple[str, Stem], ...]  # by their keys in storage


async def request_render(
    session: AsyncSession, owner_id: UUID, track_id: UUID, *, state: MixState, audio_format: str
) -> Job:
    """Render a mix to a file, at its tempo and pitch; raises ``NotFound``, ``Conflict``, ``Invalid`` ("no_stems")."""
    await library.get_track(session, owner_id, track_id)
    if audio_format not in RENDERED:
        msg = f"A mix is rendered as one of: {', '.join(RENDERED)}."
        raise Invalid(msg, code="unknown_format")
    stems = _chosen(await library.list_stems(session, owner_id, [track_id], previews=False), state)
    if not stems:
        msg = "This track has no such stems to render."
        raise Invalid(msg, code="no_stems")
    asked = {"state": state.model_dump(mode="json") | {"stems_job": str(stems[0].job_id)}, "format": audio_format}
    heard = MixState.model_validate(asked["state"])
    digest = hashlib.sha256(f"{heard.model_dump_json(include=_HEARD)} {audio_format}".encode())
    return await jobs.add_job(
        session,
        kind=Kind.EXPORT,
        owner_id=owner_id,
        track_id=track_id,
        unique_key=f"{track_id}:mix:{digest.hexdigest()[:16]}",
        params=asked,
    )


async def render(run: jobs.Run) -> None:
    """Body of an export job that renders a mix."""
    audio_format = str(run.params["format"])
    extension, media_type = RENDERED[audio_format]
    plan = await _plan(run, extension)
    state, names = plan.state, [stem.name for _, stem in plan.stems]
    target = run.folder / f"mix{extension}"
    async with AsyncExitStack() as stack:
        stems = [
            MixStem(
                await stack.enter_async_context(ports().storage.local(key)),
                *state.gains(stem.name, names, stem.gain_db),
                mutes=_frames(state, stem.name, plan.rate_hz),
            )
            for key, stem in plan.stems
        ]
        trim_db = await render_mix(
            stems,
            target,
            format=audio_format,
            rate_hz=plan.rate_hz,
            folder=run.folder / "render",
            tempo=state.tempo,
            semitones=state.semitones,
            on_progress=run.report,
        )
    stored = await ports().storage.put(target, f"{run.prefix}mix{extension}")
    file = new_file(stored, media_type)
    async with run.done({"file_id": str(file.id), "name": plan.name, "trim_db": round(trim_db, 2)}) as session:
        await library.add_file(session, run.owner_id, file)


async def _plan(run: jobs.Run, extension: str) -> _Plan:
    state = MixState.model_validate(run.params["state"])
    async with reading() as session:
        track = await library.get_track(session, run.owner_id, run.require_track())
        stems = _chosen(await library.list_stems(session, run.owner_id, [track.id], previews=False), state)
        files = [await library.get_file(session, run.owner_id, stem.file_id) for stem in stems]
    if not stems or track.sample_rate_hz is None:
        msg = "The stems to render are gone."
        raise Broken(msg, code="no_stems")
    name = formats.file_name(track.artist, track.title, _called(state), extension)
    kept = tuple((file.key, stem) for file, stem in zip(files, stems, strict=True))
    return _Plan(track.sample_rate_hz, name, state, kept)


def _called(state: MixState) -> str:
    """Like "mix", "mix 80 %", "mix +3 st": files of two tempos stand side by side."""
    tempo = f" {state.tempo:.0%}".replace("%", " %") if state.tempo != 1 else ""
    return f"mix{tempo}{f' {state.semitones:+d} st' if state.semitones else ''}"


def _chosen(stems: Sequence[Stem], state: MixState) -> list[Stem]:
    """The stems of the state's separation; of the newest where it names none."""
    job_id = state.stems_job or (stems[0].job_id if stems else None)
    return [stem for stem in stems if stem.job_id == job_id]


def _frames(state: MixState, name: str, rate_hz: int) -> tuple[tuple[int, int], ...]:
    """Where a stem is silent, in frames, as the mixer rounds: halves go up."""
    return tuple(
        (math.floor(start * rate_hz + 0.5), math.floor(end * rate_hz + 0.5)) for start, end in state.strip(name).mutes
    )
