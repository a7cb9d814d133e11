"""What an admin decides about queues: paused or not, how many jobs at once; and what a node cannot work by itself.

The decisions are rows, kept across restarts; every node obeys within a heartbeat.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from oban import Oban
from psycopg_pool import PoolTimeout
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import logs
from soundforge.db import reading
from soundforge.errors import Invalid, NotFound, Unavailable
from soundforge.jobs._clock import STALE_S
from soundforge.jobs._kinds import KINDS, QUEUE_LIMITS
from soundforge.jobs._node import Node, find_any_node
from soundforge.tables import Kind, QueueSetting

MOST_AT_ONCE = 64
EVERYWHERE = ""

# A queue that every node has paused, at least one of them without an admin's word: it lacks what the jobs need. A node
# that stops pauses all of its own first.
_LACKING = text("""
    SELECT bool_and(coalesce((p.meta->>'paused')::bool, false)) AND bool_or(NOT EXISTS (
        SELECT FROM queue_settings s WHERE s.queue = p.queue AND s.node IN ('', p.node) AND s.paused
    ))
    FROM oban_producers p WHERE p.queue = :queue AND NOT p.meta ? 'shutdown_started_at'
""")
_WORKED = text("""
    SELECT DISTINCT queue FROM oban_producers
    WHERE NOT coalesce((meta->>'paused')::bool, false)
        AND updated_at > timezone('UTC', now()) - make_interval(secs => :stale_s)
""")

_log = logs.get(__name__)


@dataclass(frozen=True)
class QueueOrder:
    """How a node is to work one of its queues."""

    limit: int
    paused: bool


async def list_queue_settings(session: AsyncSession) -> Sequence[QueueSetting]:
    """Return what was decided, by queue; ``node`` is "" for what counts everywhere."""
    statement = select(QueueSetting).order_by(QueueSetting.queue, QueueSetting.node)
    return list(await session.scalars(statement))


async def change_queue(
    session: AsyncSession, queue: str, *, node: str = EVERYWHERE, paused: bool | None = None, limit: int | None = None
) -> None:
    """Decide about a queue on every node, or on one; what is None stays as it is. Then ``obey_queues``.

    A ``limit`` of 0 takes a decision back: each node works as many as its own settings say.
    A paused queue ends what runs and begins nothing. Raises ``NotFound`` ("no_queue"), ``Invalid`` ("bad_limit").
    """
    if queue not in QUEUE_LIMITS:
        sentence = f"There is no queue “{queue}”; there are {', '.join(QUEUE_LIMITS)}."
        raise NotFound(sentence, code="no_queue")
    if limit is not None and not 0 <= limit <= MOST_AT_ONCE:
        sentence = f"A queue works 1 to {MOST_AT_ONCE} jobs at once, or 0: as many as each node's settings say."
        raise Invalid(sentence, code="bad_limit", fields={"limit": sentence})
    told: dict[str, Any] = {} if paused is None else {"paused": paused}
    told |= {} if limit is None else {"job_limit": limit or None}
    row: dict[str, Any] = {"queue": queue, "node": node, "paused": False, "changed_at": datetime.now(UTC), **told}
    adding = insert(QueueSetting).values(row)
    fresh = {**told, "changed_at": row["changed_at"]}
    await session.execute(adding.on_conflict_do_update(index_elements=["queue", "node"], set_=fresh))


async def read_orders(
    node_name: str, own_limits: Mapping[str, int], lacking: Collection[str] = ()
) -> dict[str, QueueOrder]:
    """Return how a node is to work its queues now; what nobody decided is as its own settings say.

    Queues in ``lacking`` are paused whatever was decided.
    """
    async with reading() as session:
        rows = {(row.queue, row.node): row for row in await list_queue_settings(session)}
    orders = {}
    for queue, own in own_limits.items():
        found = [row for row in (rows.get((queue, node_name)), rows.get((queue, EVERYWHERE))) if row is not None]
        limit = next((row.job_limit for row in found if row.job_limit is not None), own)
        orders[queue] = QueueOrder(limit, queue in lacking or any(row.paused for row in found))
    return orders


async def obey(oban: Oban, node_name: str, own_limits: Mapping[str, int], lacking: Collection[str]) -> None:
    """Make a node's queues what was decided."""
    for queue, order in (await read_orders(node_name, own_limits, lacking)).items():
        now = oban.check_queue(queue)
        if now is None:
            continue
        if now.limit != order.limit:
            await oban.scale_queue(queue=queue, node=node_name, limit=order.limit)
        if now.paused and not order.paused:
            await oban.resume_queue(queue, node=node_name)
        elif order.paused and not now.paused:
            await oban.pause_queue(queue, node=node_name)
        if (now.limit, now.paused) != (order.limit, order.paused):
            _log.info("queue.changed", node=node_name, queue=queue, limit=order.limit, paused=order.paused)


async def obey_queues(node: Node | None = None) -> None:
    """After the commit of a decision: let the node of this process obey now; the others do within a heartbeat."""
    node = node or find_any_node()
    if node is not None:
        await obey(node.oban, node.name, node.settings.queue_limits(), node.lacking)


async def set_working(node: Node, kind: Kind, *, works: bool) -> bool:
    """Let this node work jobs of a kind, or leave them to others that have what they need; what runs goes on.

    False where the database was away, which tells others of it: the node's heartbeat says it again.
    """
    (node.lacking.discard if works else node.lacking.add)(KINDS[kind].queue)
    try:
        await obey_queues(node)
    except (Unavailable, psycopg.OperationalError, PoolTimeout) as error:
        _log.warning("queue.not_told", node=node.name, kind=kind.value, works=works, error=str(error).strip())
        return False
    return True


async def list_worked(session: AsyncSession, *, stale_s: float = STALE_S) -> set[str]:
    """Return the queues that a living node works: one that was heard of in the last ``stale_s`` seconds."""
    return set(await session.scalars(_WORKED, {"stale_s": stale_s}))


async def is_worked(session: AsyncSession, kind: Kind) -> bool:
    """Whether a living node works jobs of a kind."""
    return KINDS[kind].queue in await list_worked(session)


async def find_reason_to_wait(session: AsyncSession, kind: Kind) -> str | None:
    """Say in one sentence what jobs of a kind wait for; None unless no node works them and one lacks what they need."""
    waits = await session.scalar(_LACKING, {"queue": KINDS[kind].queue})
    return KINDS[kind].waits_for if waits else None
