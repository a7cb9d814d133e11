"""One process that works jobs, as the code inside it sees itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from oban import Oban

from soundforge.config import Settings
from soundforge.jobs._memory import Memory

WARM = "warm"  # in a node's folder, beside those of jobs: where its warm children live

type OnSweep = Callable[[str], Awaitable[None]]


@dataclass(eq=False)
class Node:
    """A named worker process. ``name`` is ``<host>-<slot>``; its lock is held for as long as it lives."""

    name: str
    settings: Settings
    on_sweep: OnSweep  # removes a storage prefix, except what rows refer to
    oban: Oban
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    memory: Memory = field(default_factory=Memory)
    at_work: dict[asyncio.Task[object], int | None] = field(
        default_factory=dict
    )  # what goes on, and for which Oban job: one that was rescued and fetched again is there twice
    lacking: set[str] = field(default_factory=set)  # queues whose jobs need what this machine does not have

    @property
    def folder(self) -> Path:
        """Where this node's runs work."""
        return self.settings.work_folder / self.name

    def run_folder(self, job_id: UUID, run: int) -> Path:
        """Return the folder of one run."""
        return self.folder / str(job_id) / str(run)

    def scaled(self, seconds: float) -> float:
        """Return ``seconds`` on this node's clock: tests run it faster."""
        return seconds * self.settings.time_scale


def prefix_of(job_id: UUID, run: int) -> str:
    """Return the storage prefix below which everything lies that a run stores."""
    return f"jobs/{job_id}/{run}/"


_nodes: dict[str, Node] = {}


def register(node: Node) -> None:
    """Make ``node`` findable for the workers that Oban starts without arguments."""
    _nodes[node.name] = node


def unregister(node: Node) -> None:
    """Forget ``node``."""
    _nodes.pop(node.name, None)


def get_node(name: str) -> Node:
    """Return the node of this process that is called ``name``."""
    return _nodes[name]


def find_any_node() -> Node | None:
    """Return some node of this process, or None where it works no jobs."""
    return next(iter(_nodes.values()), None)
