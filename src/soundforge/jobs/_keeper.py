"""What a node does beside its jobs, once a heartbeat: keep its slot, rescue, repair."""

import asyncio

import psycopg
from sqlalchemy import text

from soundforge import db, logs
from soundforge.errors import Unavailable
from soundforge.jobs._cleaning import remove_stored
from soundforge.jobs._clock import HEARTBEAT_S
from soundforge.jobs._locks import Locks
from soundforge.jobs._node import Node, prefix_of
from soundforge.jobs._queues import obey_queues
from soundforge.jobs._rescue import Lookout, rescue_orphans
from soundforge.jobs._strays import end_strays

_log = logs.get(__name__)

_LEADER = "rescue"
_MINE = text("SELECT id, queue FROM oban_jobs WHERE state = 'executing' AND attempted_by[2] = ANY(:uuids)")


async def keep(node: Node, locks: Locks) -> None:
    """Run until cancelled; a database that is away only makes it forget what it saw."""
    keeper = _Keeper(node, locks)
    while True:
        await asyncio.sleep(node.scaled(HEARTBEAT_S))
        try:
            await keeper.beat()
        except (Unavailable, psycopg.OperationalError) as error:
            keeper.forget()
            _log.warning("node.heartbeat_failed", node=node.name, error=str(error).strip())
        except Exception:  # noqa: BLE001 - a bug in one pass must not end all rescue for ever
            keeper.forget()
            _log.exception("node.heartbeat_broken", node=node.name)


class _Keeper:
    def __init__(self, node: Node, locks: Locks) -> None:
        self._node = node
        self._locks = locks
        scale = node.settings.time_scale
        self._lookouts = {name: Lookout(scale) for name in ("orphans", "strays", "acks")}

    def forget(self) -> None:
        for lookout in self._lookouts.values():
            lookout.forget()

    async def beat(self) -> None:
        if self._node.oban.check_all_queues():
            if not await self._locks.take(self._node.name):
                _log.error("node.slot_lost", node=self._node.name)
            await obey_queues(self._node)
            await self._flush_acks()
        if not await self._locks.take(_LEADER):
            self._lookouts["orphans"].forget()
            self._lookouts["strays"].forget()
            return
        for rescued in await rescue_orphans(self._lookouts["orphans"]):
            await remove_stored(self._node.on_sweep, prefix_of(rescued.job_id, rescued.run))
        await end_strays(self._lookouts["strays"])

    async def _flush_acks(self) -> None:
        """Wake a queue that still owes Oban the end of a job: it tries again only when something happens."""
        queues = {queue.queue: queue for queue in self._node.oban.check_all_queues()}
        async with db.reading() as session:
            rows = await session.execute(_MINE, {"uuids": [queue.uuid for queue in queues.values()]})
            owed = {(row.id, row.queue) for row in rows if row.id not in queues[row.queue].running}
        for _id, name in self._lookouts["acks"].confirm(owed):
            await self._node.oban.scale_queue(queue=name, node=self._node.name, limit=queues[name].limit)
