"""Analysis: stages are committed as they come, waveform first; the last transaction writes the figures."""

import asyncio
from collections.abc import Mapping
from typing import Any

from soundforge import formats, jobs, library
from soundforge.engines import Analyzed, Part, Pcm
from soundforge.library import Figures, NewPart
from soundforge.pipeline._audio import open_pcm
from soundforge.pipeline._corrections import keep_vector
from soundforge.pipeline._files import new_file
from soundforge.pipeline._heard import hear_unheard, keep_heard
from soundforge.pipeline._ports import ports


async def analyze(run: jobs.Run) -> None:
    """Body of an analysis job: read the audio, run the engine, keep each stage, then the figures."""
    async with open_pcm(run) as pcm:
        analyzed, documents = await _analyze(run, pcm)
    heard, engine, untold = await hear_unheard(run)
    result = {
        "algorithm_version": analyzed.algorithm_version,
        "warnings": [*(warning.sentence for warning in analyzed.warnings), *untold],
        "cost": dict(analyzed.cost),
    }
    owner_id, track_id = run.owner_id, run.require_track()
    found = {name: value for document in documents.values() for name, value in document.items()}
    async with run.done(result) as session:
        known = {field: formats.found_value(field, found) for field in formats.CORRECTABLE}
        await library.set_figures(session, owner_id, track_id, figures_of(found), known)
        await keep_vector(session, owner_id, track_id, found)
        await keep_heard(session, run, heard, engine)


async def _analyze(run: jobs.Run, pcm: Pcm) -> tuple[Analyzed, dict[str, Any]]:
    """Keep stages beside the engine, so that it never waits for the database."""
    port = ports()
    parts: asyncio.Queue[Part | None] = asyncio.Queue()
    keeper = asyncio.create_task(_keep_parts(run, parts))
    try:
        with port.cpu.take() as threads:
            analyzed = await port.analyzer.analyze(
                pcm, folder=run.folder / "analyze", threads=threads, on_progress=run.report, on_part=parts.put_nowait
            )
        parts.put_nowait(None)
        return analyzed, await keeper
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep_parts(run: jobs.Run, parts: asyncio.Queue[Part | None]) -> dict[str, Any]:
    documents: dict[str, Any] = {}
    while (part := await parts.get()) is not None:
        documents[part.stage] = part.document
        await _keep(run, part)
    return documents


async def _keep(run: jobs.Run, part: Part) -> None:
    file = None
    if part.path:
        stored = await ports().storage.put(part.path, f"{run.prefix}{part.path.name}")
        file = new_file(stored, "application/octet-stream")
    new = NewPart(part.stage, part.version, dict(part.document), file)
    async with run.writing() as session:
        await library.add_part(session, run.owner_id, run.require_track(), run.job_id, new)


def figures_of(found: Mapping[str, Any]) -> Figures:
    """The figures that lists show, from what all stages found; None for what was not found."""
    tempo, key = found.get("tempo") or {}, found.get("key") or {}
    name = f"{key['tonic']} {key['mode']}" if key.get("tonic") else None
    loudness = (found.get("loudness") or {}).get("integrated_lufs")
    return Figures(tempo.get("bpm"), name, key.get("camelot"), loudness)
