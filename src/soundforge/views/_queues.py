"""Queues and nodes, as admins see them."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.errors import NotFound
from soundforge.tables import QueueSetting


@dataclass(frozen=True)
class QueueNode:
    """A queue on one node, as it works it now. ``limit``: jobs at once; ``silent_s``: age of its last heartbeat."""

    node: str
    limit: int
    paused: bool
    running: int
    silent_s: float
    asked_limit: int | None = None  # what an admin decided for this node alone
    asked_pause: bool = False


@dataclass(frozen=True)
class QueueView:
    """A queue: what was decided for every node, how many jobs it holds by state, and who works it."""

    queue: str
    paused: bool
    limit: int | None  # None: each node's own settings decide
    states: dict[str, int]
    nodes: tuple[QueueNode, ...] = field(default_factory=tuple)

    @property
    def waiting(self) -> int:
        """How many jobs wait: for a place, for their time, for the next attempt."""
        return sum(self.states.get(state, 0) for state in ("available", "scheduled", "retryable"))

    @property
    def running(self) -> int:
        """How many jobs run."""
        return self.states.get("executing", 0)


async def list_queue_views(session: AsyncSession, figures: jobs.QueueFigures | None = None) -> list[QueueView]:
    """Every queue in the order of the pipeline."""
    figures = figures or await jobs.queue_figures(session)
    decided = {(row.queue, row.node): row for row in await jobs.list_queue_settings(session)}
    views = []
    for queue in jobs.QUEUE_LIMITS:
        everywhere = decided.get((queue, ""))
        nodes = [_node(one, decided.get((queue, one.node))) for one in figures.nodes if one.queue == queue]
        states = {depth.state: depth.count for depth in figures.depths if depth.queue == queue}
        limit = everywhere.job_limit if everywhere else None
        views.append(QueueView(queue, bool(everywhere and everywhere.paused), limit, states, tuple(nodes)))
    return views


async def get_queue_view(session: AsyncSession, queue: str) -> QueueView:
    """One of them; raises ``NotFound`` ("no_queue")."""
    found = next((one for one in await list_queue_views(session) if one.queue == queue), None)
    if found is None:
        raise NotFound("There is no such queue.", code="no_queue")
    return found


def _node(now: jobs.NodeQueue, decided: QueueSetting | None) -> QueueNode:
    asked_limit = decided.job_limit if decided else None
    asked_pause = bool(decided and decided.paused)
    return QueueNode(now.node, now.limit, now.paused, now.running, now.silent_s, asked_limit, asked_pause)
