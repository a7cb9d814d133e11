"""Starting and stopping a node: slot, boot rescue and sweep, Oban, the rescue task."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from oban import Oban
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from soundforge import children, logs
from soundforge.config import Settings
from soundforge.jobs._clock import FORGET_S, GRACE_S, HEARTBEAT_S, KEEP_S, STAGE_S, TEN_YEARS_S
from soundforge.jobs._keeper import keep
from soundforge.jobs._kinds import KINDS
from soundforge.jobs._locks import Locks
from soundforge.jobs._node import WARM, Node, OnSweep, register, unregister
from soundforge.jobs._queues import QueueOrder, read_orders
from soundforge.jobs._slot import hold_free_slots, hold_slot
from soundforge.jobs._sweep import clear, clear_files, remove_own_files
from soundforge.tables import Kind

_log = logs.get(__name__)

_POOL_WAIT_S = 5.0


@asynccontextmanager
async def open_node(
    settings: Settings, dsn: str, *, on_sweep: OnSweep, lacking: Collection[Kind] = ()
) -> AsyncIterator[Node]:
    """Work the queues of ``settings`` until the block ends; running jobs are then put back.

    ``on_sweep(prefix)`` removes what a failed run stored, except what rows refer to. With no queues
    the node only cancels and helps to rescue. The bound database must be that of ``dsn``. Jobs of the kinds in
    ``lacking`` are left to others until ``set_working`` says otherwise.
    """
    locks = Locks()
    async with _pool(dsn) as pool, contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(locks.close)
        queues = settings.queue_limits()
        name = await stack.enter_async_context(hold_slot(settings, locks)) if queues else f"client-{id(locks):x}"
        lacks = {KINDS[kind].queue for kind in lacking}
        orders = await read_orders(name, queues, lacks)
        node = Node(name, settings, on_sweep, _oban(settings, pool, name, orders), lacking=lacks)
        if queues:
            await clear(node.name, node.folder, on_sweep)
            await _clear_dead(settings, locks, on_sweep)
            stack.push_async_callback(remove_own_files, node.folder)
            await stack.enter_async_context(children.open_warm(node.folder / WARM))
        register(node)
        stack.callback(unregister, node)
        keeper = asyncio.create_task(keep(node, locks), name=f"keeper-{name}")
        stack.push_async_callback(_cancel, keeper)
        if queues:
            await node.oban.start()
            stack.push_async_callback(_stop, node)
        _log.info("node.started", node=name, queues=queues)
        yield node


async def _clear_dead(settings: Settings, locks: Locks, on_sweep: OnSweep) -> None:
    """Clear up behind nodes of this disk that are dead and may never come back."""
    async with contextlib.aclosing(hold_free_slots(settings, locks)) as free_slots:
        async for name, rows_too in free_slots:
            folder = settings.work_folder / name
            await (clear(name, folder, on_sweep) if rows_too else clear_files(name, folder))


async def _stop(node: Node) -> None:
    node.stopping.set()
    try:
        await node.oban.stop()
    except (psycopg.OperationalError, PoolTimeout) as error:
        _log.warning("node.stopped_without_database", node=node.name, error=str(error))
    await _end_forgotten(node)
    _log.info("node.stopped", node=node.name)


async def _end_forgotten(node: Node) -> None:
    """Wait for what Oban does not: when the first of two runs of an Oban job ends, it forgets the second."""
    if not node.at_work:
        return
    _done, late = await asyncio.wait(tuple(node.at_work), timeout=GRACE_S)
    for task in late:
        await _cancel(task)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def _pool(dsn: str) -> AsyncIterator[AsyncConnectionPool]:
    pool = AsyncConnectionPool(dsn, min_size=1, max_size=6, timeout=_POOL_WAIT_S, open=False, name="oban")
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


def _oban(settings: Settings, pool: AsyncConnectionPool, name: str, orders: Mapping[str, QueueOrder]) -> Oban:
    scale = settings.time_scale
    options: dict[str, Any] = {
        "refresher": {"interval": HEARTBEAT_S * scale, "max_age": FORGET_S * scale},
        "stager": {"interval": STAGE_S * scale},
        "lifeline": {"rescue_after": TEN_YEARS_S},
        "pruner": {"max_age": KEEP_S},
        "shutdown_grace_period": GRACE_S,
    }
    queues: dict[str, Any] = {queue: {"limit": one.limit, "paused": one.paused} for queue, one in orders.items()}
    return Oban(pool=pool, name="soundforge", node=name, queues=queues, **options)
