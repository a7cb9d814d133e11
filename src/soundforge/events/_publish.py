"""Tell an event in the caller's transaction: heard after its commit, never after a rollback."""

import json
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.events._catalogue import Event, JobChanged
from soundforge.tables import CHANNEL

_NOTIFY = text("SELECT pg_notify(:channel, payload) FROM unnest(CAST(:payloads AS text[])) AS payload")
LARGEST_BYTES = 7999  # of a notification's payload


async def publish(session: AsyncSession, event: Event) -> None:
    """Send ``event`` when the transaction of ``session`` commits."""
    await publish_all(session, [event])


async def publish_all(session: AsyncSession, events: Sequence[Event]) -> None:
    """Send many events at once, in their order."""
    if events:
        payloads = [_payload(event) for event in events]
        await session.execute(_NOTIFY, {"channel": CHANNEL, "payloads": payloads})


def _payload(event: Event) -> str:
    if isinstance(event, JobChanged):
        msg = "The trigger on jobs tells JobChanged; write the row instead."
        raise TypeError(msg)
    payload = json.dumps(event.to_wire(), ensure_ascii=False, separators=(",", ":"))
    if len(payload.encode()) > LARGEST_BYTES:
        msg = f"{event.name()} is too large to be told: send ids and let the reader ask."
        raise ValueError(msg)
    return payload
