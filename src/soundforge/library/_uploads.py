"""Large files that are being received in parts: who sends which file, and how large it is to be.

How much of it is here the file itself says (``pipeline``): rows and bytes cannot disagree about that.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import Conflict, NotFound
from soundforge.tables import PartialUpload

MOST_UPLOADS = 500  # under way at once, of one user


async def add_upload(session: AsyncSession, owner_id: UUID, name: str, size_bytes: int, model: str) -> PartialUpload:
    """Expect a file. Raises ``Conflict`` ("too_many_uploads")."""
    mine = select(func.count()).select_from(PartialUpload).where(PartialUpload.owner_id == owner_id)
    if (await session.scalar(mine) or 0) >= MOST_UPLOADS:
        msg = f"{MOST_UPLOADS} files of yours are being received; finish or stop some of them first."
        raise Conflict(msg, code="too_many_uploads")
    row = PartialUpload(owner_id=owner_id, name=name, size_bytes=size_bytes, model=model)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row


async def get_upload(session: AsyncSession, owner_id: UUID, upload_id: UUID) -> PartialUpload:
    """The owner's upload. Raises ``NotFound`` ("upload_not_found")."""
    statement = select(PartialUpload).where(PartialUpload.id == upload_id, PartialUpload.owner_id == owner_id)
    row = await session.scalar(statement)
    if row is None:
        raise _missing()
    return row


async def list_uploads(session: AsyncSession, owner_id: UUID) -> Sequence[PartialUpload]:
    """What of the owner's is being received, the oldest first."""
    mine = select(PartialUpload).where(PartialUpload.owner_id == owner_id)
    return (await session.scalars(mine.order_by(PartialUpload.created_at, PartialUpload.id))).all()


async def touch_upload(session: AsyncSession, upload_id: UUID) -> None:
    """Note that a part has come: it is kept for another while."""
    await session.execute(
        update(PartialUpload).where(PartialUpload.id == upload_id).values(changed_at=func.clock_timestamp())
    )


async def remove_upload(session: AsyncSession, owner_id: UUID, upload_id: UUID) -> None:
    """Expect a file no more. Raises ``NotFound`` ("upload_not_found")."""
    mine = (PartialUpload.id == upload_id, PartialUpload.owner_id == owner_id)
    if await session.scalar(delete(PartialUpload).where(*mine).returning(PartialUpload.id)) is None:
        raise _missing()


async def forget_uploads_before(session: AsyncSession, before: datetime) -> Sequence[UUID]:
    """Expect no more what has not got on since ``before``; gives the ids."""
    late = delete(PartialUpload).where(PartialUpload.changed_at < before)
    return (await session.scalars(late.returning(PartialUpload.id))).all()


def _missing() -> NotFound:
    return NotFound(
        "There is no such upload: it was finished, stopped, or left alone for too long.", code="upload_not_found"
    )
