"""Vectors by which what sounds alike is found, and the matrix of all that an owner has.

Reading a hundred thousand vectors takes seconds, so each process keeps the last few matrices. A matrix is good while
the ids of its rows are the same, which one query over an index tells: every write has a new id.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.tables import Embedding, Track

_KEPT = 4  # matrices; one of 100,000 × 69 takes 28 MB
_ROWS_A_READ = 5000  # the event loop waits about as long as these take to be unpacked

_STAMP = text("""
    SELECT count(*), bit_xor(uuid_hash(id)) FROM embeddings WHERE owner_id = :owner AND name = :name AND stem = :stem
""")
# The server joins what it sends for each row (its id, the track's, the array as it travels) into one text of bytes, so
# that nothing here is done row by row.
_ROWS = text("""
    SELECT string_agg(uuid_send(id) || uuid_send(track_id) || array_send(values), ''::bytea ORDER BY id), count(*)
    FROM (
        SELECT id, track_id, values FROM embeddings
        WHERE owner_id = :owner AND name = :name AND stem = :stem AND cardinality(values) = :length AND id > :after
        ORDER BY id LIMIT :limit
    ) AS page
""")


@dataclass(frozen=True)
class NewEmbedding:
    """A vector; ``stem`` is empty for the whole song."""

    name: str
    values: Sequence[float]
    stem: str = ""


@dataclass(frozen=True)
class Embeddings:
    """All vectors of one kind that somebody has, raw: ``values`` [tracks, numbers], and ``ids`` of 16 bytes."""

    ids: NDArray[np.void]
    values: NDArray[np.float32]
    stamp: tuple[int, int]


_kept: OrderedDict[tuple[UUID, str, str, int], Embeddings] = OrderedDict()


async def add_embeddings(session: AsyncSession, owner_id: UUID, track_id: UUID, new: Sequence[NewEmbedding]) -> None:
    """Keep a track's vectors, in place of those of the same name and stem."""
    for one in new:
        same = (Embedding.track_id == track_id, Embedding.stem == one.stem, Embedding.name == one.name)
        await session.execute(delete(Embedding).where(*same))
        values = [float(value) for value in one.values]
        session.add(Embedding(owner_id=owner_id, track_id=track_id, stem=one.stem, name=one.name, values=values))
    await session.flush()


async def list_embedded(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Sequence[str]:
    """Which stems of a track have a vector; an empty name for the whole song."""
    stems = select(Embedding.stem).where(Embedding.track_id == track_id, Embedding.owner_id == owner_id)
    return (await session.scalars(stems.distinct().order_by(Embedding.stem))).all()


async def find_embedding(session: AsyncSession, owner_id: UUID, track_id: UUID, stem: str = "") -> Embedding | None:
    """The newest vector of a living track of the owner's, or of one of its stems."""
    statement = (
        select(Embedding)
        .join(Track, Track.id == Embedding.track_id)
        .where(Embedding.track_id == track_id, Embedding.stem == stem, Embedding.owner_id == owner_id)
        .where(Track.deleted_at.is_(None))
        .order_by(Embedding.created_at.desc(), Embedding.id)
    )
    return await session.scalar(statement.limit(1))


async def read_embeddings(session: AsyncSession, like: Embedding) -> Embeddings:
    """Every vector of the same owner, name, stem and length, also those of removed tracks."""
    kind = {"owner": like.owner_id, "name": like.name, "stem": like.stem}
    count, mixed = (await session.execute(_STAMP, kind)).one()
    key = (like.owner_id, like.name, like.stem, len(like.values))
    kept = _kept.get(key)
    if kept is None or kept.stamp != (count, mixed):
        kept = await _read(session, kind, len(like.values), (count, mixed))
    _kept[key] = kept
    _kept.move_to_end(key)
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)
    return kept


async def _read(session: AsyncSession, kind: dict[str, object], length: int, stamp: tuple[int, int]) -> Embeddings:
    # What array_send writes: dimensions, flags, type, length and lower bound, then each number with its size before it.
    numbers = np.dtype([("size", ">i4"), ("number", ">f4")])
    row = np.dtype([("id", "V16"), ("track", "V16"), ("head", "V20"), ("values", numbers, (length,))])
    tracks: list[NDArray[np.void]] = [np.empty(0, "V16")]
    values: list[NDArray[np.float32]] = [np.empty((0, length), np.float32)]
    after = UUID(int=0)
    while True:
        read = await session.execute(_ROWS, {**kind, "length": length, "after": after, "limit": _ROWS_A_READ})
        packed, count = read.one()
        if not count:
            break
        page = np.frombuffer(packed, row)
        tracks.append(page["track"].copy())
        values.append(page["values"]["number"].astype(np.float32))
        after = UUID(bytes=page["id"][-1].tobytes())
    return Embeddings(np.concatenate(tracks), await asyncio.to_thread(np.concatenate, values), stamp)
