"""Tell an event in the caller's transaction: heard after its commit, never after a rollback."""

import json

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.events._catalogue import Event, JobChanged
from soundforge.tables import CHANNEL

LARGEST_BYTES = 7999  # of a notification's payload


async def publish(session: AsyncSession, event: Event) -> None:
    """Send ``event`` when the transaction of ``session`` commits."""
    if isinstance(event, JobChanged):
        msg = "The trigger on jobs tells JobChanged; write the row instead."
        raise TypeError(msg)
    payload = json.dumps(event.to_wire(), ensure_ascii=False, separators=(",", ":"))
    if len(payload.encode()) > LARGEST_BYTES:
        msg = f"{event.name()} is too large to be told: send ids and let the reader ask."
        raise ValueError(msg)
    await session.execute(select(func.pg_notify(CHANNEL, payload)))
