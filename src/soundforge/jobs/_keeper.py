"""What a node does beside its jobs, once a heartbeat: keep its slot, rescue, repair."""

import asyncio
from collections.abc import Sequence

import psycopg
from sqlalchemy import text

from soundforge import db, logs
from soundforge.errors import Unavailable
from soundforge.jobs._cleaning import remove_stored
from soundforge.jobs._clock import HEARTBEAT_S
from soundforge.jobs._locks import Locks
from soundforge.jobs._node import Node, prefix_of
from soundforge.jobs._queues import obey_queues
from soundforge.jobs._rescue import Lookout, Rescued, rescue_all, rescue_orphans
from soundforge.jobs._strays import end_strays

_log = logs.get(__name__)

_LEADER = "rescue"
_MINE = text("""
SELECT id, attempted_at, queue FROM oban_jobs WHERE state = 'executing' AND attempted_by[2] = ANY(:uuids)
""")


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
        self._lookouts = {name: Lookout(scale) for name in ("orphans", "strays", "owed", "lost")}

    def forget(self) -> None:
        for lookout in self._lookouts.values():
            lookout.forget()

    async def beat(self) -> None:
        if self._node.oban.check_all_queues():
            if not await self._locks.take(self._node.name):
                _log.error("node.slot_lost", node=self._node.name)
            await obey_queues(self._node)
            await self._settle_owed()
        if not await self._locks.take(_LEADER):
            self._lookouts["orphans"].forget()
            self._lookouts["strays"].forget()
            return
        await self._clean(await rescue_orphans(self._lookouts["orphans"]))
        await self._clean(await end_strays(self._lookouts["strays"]))

    async def _clean(self, ended: Sequence[Rescued]) -> None:
        for one in ended:
            await remove_stored(self._node.on_sweep, prefix_of(one.job_id, one.run))

    async def _settle_owed(self) -> None:
        """Jobs that Oban counts as ours and that we do not work.

        Either Oban is still owed their end: its queue tells it again only when something happens, so it is woken. Or
        we never heard that we got them, for the answer was lost: what a woken queue does not settle is rescued.
        """
        at_work = set(self._node.at_work.values())
        queues = {queue.queue: queue for queue in self._node.oban.check_all_queues()}
        async with db.reading() as session:
            rows = await session.execute(_MINE, {"uuids": [queue.uuid for queue in queues.values()]})
            owed = {tuple(row) for row in rows if row.id not in at_work}
        late = self._lookouts["owed"].confirm(owed)
        for name in {queue for _id, _at, queue in late}:
            await self._node.oban.scale_queue(queue=name, node=self._node.name, limit=queues[name].limit)
        lost = self._lookouts["lost"].confirm(set(late))
        await self._clean(await rescue_all([(oban_job_id, since) for oban_job_id, since, _queue in lost]))
