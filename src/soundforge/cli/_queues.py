"""``queues``: what waits and runs everywhere, and how much of it at once."""

from cyclopts import App

from soundforge import jobs
from soundforge.app import Rooms
from soundforge.cli._output import say, say_json, say_table
from soundforge.cli._rooms import run_command
from soundforge.db import reading, transaction
from soundforge.views import get_queue_view, list_queue_views, plain

queues = App(name="queues", help="The queues of background work, on every node.")


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(queues)


@queues.command(name="list")
def list_queues(*, json: bool = False) -> int:
    """List the queues: what waits, what runs, who works them."""

    async def body(_rooms: Rooms) -> int:
        async with reading() as session:
            found = await list_queue_views(session)
        if json:
            say_json([plain(one) for one in found])
            return 0
        rows = []
        for one in found:
            nodes = ", ".join(f"{node.node}: {node.limit}{' paused' if node.paused else ''}" for node in one.nodes)
            rows.append((one.queue, "paused" if one.paused else "", one.waiting, one.running, nodes or "no worker"))
        say_table(("queue", "", "waiting", "running", "at once"), rows)
        return 0

    return run_command(body)


@queues.command
def pause(queue: str, *, node: str = "", json: bool = False) -> int:
    """Begin nothing more of a queue; what runs ends. Kept across restarts.

    Parameters
    ----------
    queue
        The queue, e.g. "processing".
    node
        Only on this node.
    json
        Print the queue as JSON.

    """
    return _change(queue, node, paused=True, json=json)


@queues.command
def resume(queue: str, *, node: str = "", json: bool = False) -> int:
    """Go on with a paused queue.

    Parameters
    ----------
    queue
        The queue, e.g. "processing".
    node
        Only on this node.
    json
        Print the queue as JSON.

    """
    return _change(queue, node, paused=False, json=json)


@queues.command
def limit(queue: str, jobs_at_once: int, *, node: str = "", json: bool = False) -> int:
    """Decide how many jobs of a queue one node works at once. Kept across restarts.

    Parameters
    ----------
    queue
        The queue, e.g. "processing".
    jobs_at_once
        From 1 to 64; 0 leaves it to each node's settings.
    node
        Only on this node.
    json
        Print the queue as JSON.

    """
    return _change(queue, node, limit=jobs_at_once, json=json)


def _change(queue: str, node: str, *, json: bool, paused: bool | None = None, limit: int | None = None) -> int:
    async def body(_rooms: Rooms) -> int:
        async with transaction() as session:
            await jobs.change_queue(session, queue, node=node, paused=paused, limit=limit)
        async with reading() as session:
            now = await get_queue_view(session, queue)
        if json:
            say_json(plain(now))
            return 0
        told = f"{now.limit} at once on each node" if now.limit else "as many at once as each node's settings say"
        say(f"{queue}: {'paused' if now.paused else 'open'}, {told}. Nodes obey within seconds.")
        return 0

    return run_command(body)
