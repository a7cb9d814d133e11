"""What finished stems say: heard when they are made, or by the next analysis where that went wrong."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library, logs
from soundforge.db import reading
from soundforge.engines import HeardStems, Part
from soundforge.errors import Broken, NotFound, Unavailable
from soundforge.library import NewEmbedding, NewPart
from soundforge.pipeline._ports import ports

_log = logs.get(__name__)
_NOTHING = HeardStems({})
_VOCALS = "vocals"
_BASIC = "dsp"
_BASIC_BELIEF = 0.5  # it takes for singing what stands in the middle


async def hear(run: jobs.Run, files: Mapping[str, Path]) -> tuple[HeardStems, list[str]]:
    """What stems of the whole song say. They are worth having without it: where that fails, a warning says so."""
    port = ports()
    try:
        with port.cpu.take():
            return await port.hear_stems(files, folder=run.folder / "hear"), []
    except (Broken, Unavailable) as error:
        _log.warning("stems.unheard", job_id=str(run.job_id), code=error.code, error=error.sentence)
        return _NOTHING, ["Where somebody sings, and what sounds like these stems, could not be told."]


async def hear_unheard(run: jobs.Run) -> tuple[HeardStems, str, list[str]]:
    """The same of the newest stems of the run's track, if nobody has heard them, and the engine that made them."""
    keys, engine = await _unheard(run)
    if not keys:
        return _NOTHING, engine, []
    try:
        async with AsyncExitStack() as stack:
            files = {name: await stack.enter_async_context(ports().storage.local(key)) for name, key in keys.items()}
            heard, untold = await hear(run, files)
    except NotFound:  # they were removed meanwhile
        return _NOTHING, engine, []
    return heard, engine, untold


async def keep_heard(session: AsyncSession, run: jobs.Run, heard: HeardStems, engine: str) -> None:
    """Keep where somebody sings, as a stage of the analysis, and what the stems are found by."""
    owner_id, track_id = run.owner_id, run.require_track()
    if heard.vocals:
        await library.add_part(session, owner_id, track_id, run.job_id, _part(heard.vocals, engine))
    embeddings = [NewEmbedding(one.name, one.values, stem) for stem, one in heard.likeness.items()]
    await library.add_embeddings(session, owner_id, track_id, embeddings)


async def _unheard(run: jobs.Run) -> tuple[dict[str, str], str]:
    """Keys by name of the newest stems, with a voice among them that no stage tells of; and their engine."""
    owner_id, track_id = run.owner_id, run.require_track()
    async with reading() as session:
        parts = await library.list_newest_parts(session, owner_id, track_id)
        stems = await library.list_stems(session, owner_id, [track_id], previews=False)
        newest = {stem.name: stem for stem in stems if stem.job_id == stems[0].job_id}
        if _VOCALS not in newest or any(part.stage == _VOCALS for part in parts):
            return {}, ""
        files = {name: await library.get_file(session, owner_id, stem.file_id) for name, stem in newest.items()}
        job = await jobs.get_job(session, owner_id, stems[0].job_id)
    return {name: file.key for name, file in files.items()}, str(job.result.get("engine", ""))


def _part(heard: Part, engine: str) -> NewPart:
    """Where somebody sings, as a stage of the analysis; what the basic separation calls vocals is believed less."""
    most = _BASIC_BELIEF if engine == _BASIC else 1.0
    vocals = heard.document[_VOCALS]
    spans = [{**span, "confidence": min(span["confidence"], most)} for span in vocals["spans"]]
    return NewPart(heard.stage, heard.version, {_VOCALS: {**vocals, "spans": spans}, "warnings": []})
