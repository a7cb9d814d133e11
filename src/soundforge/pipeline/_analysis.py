"""Analysis: stages are committed as they come, waveform first; the last transaction writes the figures."""

import asyncio
from typing import Any

from soundforge import formats, jobs, library
from soundforge.engines import Analyzed, Part, Pcm
from soundforge.library import Figures, NewEmbedding, NewPart
from soundforge.pipeline._audio import open_pcm
from soundforge.pipeline._files import new_file
from soundforge.pipeline._ports import ports


async def analyze(run: jobs.Run) -> None:
    """Body of an analysis job: read the audio, run the engine, keep each stage, then the figures."""
    async with open_pcm(run) as pcm:
        analyzed, documents = await _analyze(run, pcm)
    result = {
        "algorithm_version": analyzed.algorithm_version,
        "warnings": [warning.sentence for warning in analyzed.warnings],
        "cost": dict(analyzed.cost),
    }
    async with run.done(result) as session:
        found = found_in(documents)
        await library.set_figures(session, run.owner_id, run.require_track(), figures_of(documents), found)
        await library.add_embeddings(session, run.owner_id, run.require_track(), embeddings_in(documents))


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


def found_in(documents: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """What the stages' documents say of each field that a user may correct."""
    together = {name: value for document in documents.values() for name, value in document.items()}
    return {field: formats.found_value(field, together) for field in formats.CORRECTABLE}


def embeddings_in(documents: dict[str, Any]) -> list[NewEmbedding]:
    """The song's vector, by which what sounds like it is found; none of silence."""
    found = [document["embedding"] for document in documents.values() if document.get("embedding")]
    return [NewEmbedding(one["name"], one["values"]) for one in found[-1:]]


def figures_of(documents: dict[str, Any]) -> Figures:
    """The figures that lists show, from the stages' documents; None for what was not found."""
    tempo = (documents.get("rhythm") or {}).get("tempo") or {}
    key = (documents.get("harmony") or {}).get("key") or {}
    name = f"{key['tonic']} {key['mode']}" if key.get("tonic") else None
    return Figures(bpm=tempo.get("bpm"), musical_key=name, camelot=key.get("camelot"))
