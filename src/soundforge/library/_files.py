"""Files: the rows that say what storage holds."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.library._types import NewFile
from soundforge.tables import File

ZIP = "application/zip"


async def add_file(session: AsyncSession, owner_id: UUID, new: NewFile) -> File:
    """Make a stored object real: from this commit on it belongs to ``owner_id``."""
    file = File(
        id=new.id,
        owner_id=owner_id,
        key=new.key,
        size_bytes=new.size_bytes,
        sha256=new.sha256,
        media_type=new.media_type,
    )
    session.add(file)
    await session.flush()
    return file


async def get_file(session: AsyncSession, owner_id: UUID, file_id: UUID) -> File:
    """The owner's file; raises ``NotFound``."""
    found = await session.scalar(
        select(File).where(File.id == file_id, File.owner_id == owner_id, File.orphaned_at.is_(None))
    )
    if found is None:
        msg = "There is no such file."
        raise NotFound(msg, code="file_not_found")
    return found


async def list_files(session: AsyncSession, prefix: str = "") -> Sequence[File]:
    """Every file of every owner whose key starts with ``prefix``, in order of keys."""
    return (
        await session.scalars(select(File).where(File.key.startswith(prefix, autoescape=True)).order_by(File.key))
    ).all()


async def orphan_exports(session: AsyncSession, file_ids: Collection[UUID], before: datetime) -> None:
    """Let go of what exports made before a moment; it can be made again."""
    stale = update(File).where(File.id.in_(file_ids), File.created_at < before, File.orphaned_at.is_(None))
    await session.execute(stale.values(orphaned_at=datetime.now(UTC)))


async def orphan_files(session: AsyncSession, file_ids: Collection[UUID]) -> None:
    """Mark files that nothing refers to any more; the purge job removes them."""
    await session.execute(update(File).where(File.id.in_(file_ids)).values(orphaned_at=datetime.now(UTC)))


async def list_orphans(session: AsyncSession) -> Sequence[File]:
    """Files that nothing refers to any more."""
    return (await session.scalars(select(File).where(File.orphaned_at.is_not(None)).order_by(File.key))).all()


async def forget_files(session: AsyncSession, file_ids: Collection[UUID]) -> None:
    """Delete the rows of orphans whose objects are gone from storage."""
    await session.execute(delete(File).where(File.id.in_(file_ids), File.orphaned_at.is_not(None)))
