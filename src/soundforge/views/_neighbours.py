"""What goes with a track: what sounds like it, and what mixes with it."""

import asyncio
import math
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import formats, library
from soundforge.library import Embeddings, Query
from soundforge.views._values import NearView

MOST_ALIKE = 100
# How many numbers each block of a vector has. Blocks count alike, however long they are.
_BLOCKS = {"sfa-69-v1": (26, 14, 12, 9, 8)}


@dataclass(frozen=True)
class Near:
    """What is asked for beside a track: ``kind`` "like" (sounds like it, or like one of its stems) or "mixes"."""

    kind: str
    track_id: UUID
    stem: str = ""


@dataclass(frozen=True)
class Alike:
    """A track that sounds like another; ``likeness`` is the cosine between them, -1 to 1."""

    track_id: UUID
    likeness: float


async def list_alike(session: AsyncSession, owner_id: UUID, track_id: UUID, *, stem: str = "") -> list[Alike]:
    """The owner's tracks that sound most like one of theirs, at most 100; [] before it has a vector.

    Raises ``NotFound``. A vector is compared with those of the same stem.
    """
    await library.get_track(session, owner_id, track_id)
    like = await library.find_embedding(session, owner_id, track_id, stem)
    if like is None:
        return []
    every = await library.read_embeddings(session, like)
    return await asyncio.to_thread(_nearest, every, np.array(like.values, np.float32), like.name, track_id)


async def get_query_near(session: AsyncSession, owner_id: UUID, query: Query, near: Near | None) -> Query:
    """The query narrowed to what goes with a track; raises ``NotFound``."""
    if near is None:
        return query
    track = await library.get_track(session, owner_id, near.track_id)
    if near.kind == "like":
        alike = await list_alike(session, owner_id, near.track_id, stem=near.stem)
        return replace(query, among=tuple(one.track_id for one in alike))
    if track.bpm is None:
        return replace(query, among=())
    keys = tuple(formats.mixing_keys(track.camelot)) if track.camelot else ()
    return replace(query, keys=keys, bpm=track.bpm, apart_from=track.id)


async def get_near_view(session: AsyncSession, owner_id: UUID, near: Near) -> NearView:
    """What a list of neighbours says of itself; raises ``NotFound``."""
    track = await library.get_track(session, owner_id, near.track_id)
    if near.kind == "like":
        is_known = await library.find_embedding(session, owner_id, track.id, near.stem) is not None
        what = f"{near.stem.replace('_', ' ')} of " if near.stem else ""
        note = "By timbre and rhythm, the most alike first." if is_known else "It was not listened to yet: analyse it."
        return NearView(near.kind, track.id, near.stem, f"Sounds like {what}".strip(), track.title, note)
    if track.bpm is None:
        return NearView(near.kind, track.id, "", "Mixes with", track.title, "Its tempo is not known yet.")
    keys = ", ".join(formats.mixing_keys(track.camelot)) if track.camelot else "any key"
    note = f"{keys}; {track.bpm:.1f} BPM ± 6 %, also half or twice as fast."
    return NearView(near.kind, track.id, "", "Mixes with", track.title, note)


def tempo_change(from_bpm: float, to_bpm: float) -> float:
    """By how many per cent a song is played faster to go with another tempo, or with half or twice of it."""
    octaves = math.log2(to_bpm / from_bpm)
    return 100 * (2 ** (octaves - max(-1, min(1, round(octaves)))) - 1)


def _nearest(every: Embeddings, like: NDArray[np.float32], name: str, track_id: UUID) -> list[Alike]:
    """One scan: each number scaled by its spread in this library, each block by its length, then cosines."""
    mean, spread = every.values.mean(axis=0), every.values.std(axis=0)
    weights = _weights(name, len(like)) / np.maximum(spread, 1e-6 + 1e-6 * np.abs(mean))
    scaled, wanted = (every.values - mean) * weights, (like - mean) * weights
    lengths = np.maximum(np.linalg.norm(scaled, axis=1) * np.linalg.norm(wanted), 1e-12)
    cosines = scaled @ wanted / lengths
    cosines[every.ids == np.void(track_id.bytes)] = -np.inf
    count = min(MOST_ALIKE, len(cosines) - 1)
    best = np.argpartition(-cosines, count)[:count] if count > 0 else np.empty(0, np.intp)
    best = best[np.argsort(-cosines[best], kind="stable")]
    return [Alike(UUID(bytes=every.ids[i].tobytes()), float(cosines[i])) for i in best]


def _weights(name: str, length: int) -> NDArray[np.float32]:
    blocks = _BLOCKS.get(name, (length,))
    if sum(blocks) != length:
        blocks = (length,)
    return np.concatenate([np.full(block, block**-0.5, np.float32) for block in blocks])
