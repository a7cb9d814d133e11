"""What users put right in an analysis: what they ask for becomes a value, and the value counts from then on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import formats, library
from soundforge.library import NewCorrection, NewEmbedding
from soundforge.tables import Track


async def add_correction(
    session: AsyncSession, owner_id: UUID, track_id: UUID, field: str, wish: Mapping[str, Any]
) -> None:
    """Put one field of a track's analysis right; ``formats.read_correction`` says what may be asked for.

    Raises ``Invalid`` ("invalid_correction"), ``Conflict`` ("sections_changed"), ``NotFound``.
    """
    await library.hold_corrections(session, owner_id, track_id)
    track = await library.get_track(session, owner_id, track_id)
    document = await read_document(session, track)
    value = formats.read_correction(field, wish, document)
    new = NewCorrection(field, value, formats.found_value(field, document))
    await library.add_correction(session, owner_id, track_id, new)
    await _count_anew(session, owner_id, track_id, field)


async def undo_correction(session: AsyncSession, owner_id: UUID, track_id: UUID, field: str) -> None:
    """Take the last step back; raises ``NotFound``."""
    await library.undo_correction(session, owner_id, track_id, field)
    await _count_anew(session, owner_id, track_id, field)


async def remove_correction(session: AsyncSession, owner_id: UUID, track_id: UUID, field: str) -> None:
    """Let what was found count again; raises ``NotFound``."""
    await library.remove_correction(session, owner_id, track_id, field)
    await _count_anew(session, owner_id, track_id, field)


async def keep_vector(session: AsyncSession, owner_id: UUID, track_id: UUID, found: Mapping[str, Any]) -> None:
    """Keep the song's vector, by which what sounds like it is found, at the tempo that counts; none of silence."""
    embedding = found.get("embedding")
    if not embedding:
        return
    rows = await library.list_corrections(session, owner_id, [track_id])
    bpm = next((row.value["bpm"] for row in rows if row.field == "tempo"), None)
    values = formats.vector_at(embedding, found.get("features") or {}, bpm) if bpm else embedding["values"]
    await library.add_embeddings(session, owner_id, track_id, [NewEmbedding(embedding["name"], values)])


async def _count_anew(session: AsyncSession, owner_id: UUID, track_id: UUID, field: str) -> None:
    """Let the song's vector follow its tempo."""
    if field != "tempo":
        return
    parts = await library.list_newest_parts(session, owner_id, track_id)
    found = {name: value for part in parts for name, value in part.document.items()}
    await keep_vector(session, owner_id, track_id, found)


async def read_document(session: AsyncSession, track: Track) -> dict[str, Any]:
    """The present document with what was put right, as far as corrections and cue points need it."""
    parts = await library.list_newest_parts(session, track.owner_id, track.id)
    stages = [formats.AnalysisStage(part.stage, part.algorithm_version, part.document) for part in parts]
    source = formats.AnalysisSource("", (track.duration_ms or 0) / 1000, 0, 0)
    rows = await library.list_corrections(session, track.owner_id, [track.id])
    laid = [formats.Correction(row.field, row.value) for row in rows]
    return formats.corrected(formats.analysis_document(source, stages), laid)
