"""Mixes: saved by a track's owner, and lent to whoever is logged in and has the link."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import Conflict, NotFound
from soundforge.library._mix_state import MixState
from soundforge.tables import AnalysisPart, File, Mix, Stem, Track

MOST_MIXES = 100


async def list_mixes(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Sequence[Mix]:
    """All mixes of a track, by name; the one without a name, first, is where its owner left off."""
    statement = select(Mix).where(Mix.track_id == track_id, Mix.owner_id == owner_id).order_by(Mix.name)
    return (await session.scalars(statement)).all()


async def save_mix(session: AsyncSession, owner_id: UUID, track_id: UUID, name: str, state: MixState) -> Mix:
    """Keep a mix under a name, in place of the one that had it; raises ``NotFound``, ``Conflict``."""
    mine = select(Track.id).where(Track.id == track_id, Track.owner_id == owner_id, Track.deleted_at.is_(None))
    if await session.scalar(mine.with_for_update(read=True, key_share=True)) is None:
        msg = "There is no such track."
        raise NotFound(msg, code="track_not_found")
    count = select(func.count()).select_from(Mix).where(Mix.track_id == track_id, Mix.name != name)
    if (await session.scalar(count) or 0) >= MOST_MIXES:
        msg = f"A track has at most {MOST_MIXES} mixes; delete one first."
        raise Conflict(msg, code="too_many_mixes")
    kept = {"state": state.model_dump(mode="json"), "updated_at": func.now()}
    row = insert(Mix).values(owner_id=owner_id, track_id=track_id, name=name, **kept)
    row = row.on_conflict_do_update(index_elements=["track_id", "name"], set_=kept)
    return (await session.scalars(row.returning(Mix), execution_options={"populate_existing": True})).one()


async def remove_mix(session: AsyncSession, owner_id: UUID, mix_id: UUID) -> None:
    """Forget a mix; its link leads nowhere from now on. Raises ``NotFound``."""
    gone = delete(Mix).where(Mix.id == mix_id, Mix.owner_id == owner_id)
    if await session.scalar(gone.returning(Mix.id)) is None:
        raise _missing()


async def share_mix(session: AsyncSession, owner_id: UUID, mix_id: UUID) -> Mix:
    """Give a mix a link, or the one it has; raises ``NotFound``."""
    mix = await _get_mix(session, owner_id, mix_id)
    mix.share_token = mix.share_token or secrets.token_urlsafe(24)
    await session.flush()
    await session.refresh(mix)
    return mix


async def unshare_mix(session: AsyncSession, owner_id: UUID, mix_id: UUID) -> Mix:
    """Take a mix's link back; raises ``NotFound``."""
    mix = await _get_mix(session, owner_id, mix_id)
    mix.share_token = None
    await session.flush()
    await session.refresh(mix)
    return mix


async def get_shared_mix(session: AsyncSession, token: str) -> tuple[Mix, Track]:
    """The mix behind a link, and its track; raises ``NotFound``, also when the track was deleted."""
    statement = select(Mix, Track).join(Track, Track.id == Mix.track_id)
    row = (await session.execute(statement.where(Mix.share_token == token, Track.deleted_at.is_(None)))).one_or_none()
    if row is None:
        raise _missing()
    return row[0], row[1]


async def get_shared_file(session: AsyncSession, token: str, file_id: UUID) -> File:
    """A file that is needed to hear and see the track of a shared mix: what plays, and waveforms. Raises ``NotFound``.

    Not what was received, nor covers, nor exports.
    """
    _, track = await get_shared_mix(session, token)
    lent = union(
        select(Track.mix_file_id).where(Track.id == track.id),
        select(Stem.file_id).where(Stem.track_id == track.id),
        select(Stem.peaks_file_id).where(Stem.track_id == track.id),
        select(AnalysisPart.file_id).where(AnalysisPart.track_id == track.id),
    ).subquery()
    found = await session.scalar(
        select(File).where(File.id == file_id, File.id.in_(select(lent)), File.orphaned_at.is_(None))
    )
    if found is None:
        msg = "There is no such file."
        raise NotFound(msg, code="file_not_found")
    return found


async def _get_mix(session: AsyncSession, owner_id: UUID, mix_id: UUID) -> Mix:
    found = await session.scalar(select(Mix).where(Mix.id == mix_id, Mix.owner_id == owner_id))
    if found is None:
        raise _missing()
    return found


def _missing() -> NotFound:
    msg = "There is no such mix, or its link was taken back."
    return NotFound(msg, code="mix_not_found")
