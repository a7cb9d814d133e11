"""Whether the instance is well: database, workers, storage, space."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.db import reading
from soundforge.errors import Unavailable
from soundforge.storage import StorageCheck
from soundforge.tools import Tools, ToolState

SPACE_BYTES = 1 << 30  # below this an import of an album may fail


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_good: bool
    sentence: str


@dataclass(frozen=True)
class Health:
    """All checks; good when each is."""

    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether every check is good."""
        return all(check.is_good for check in self.checks)


async def get_health(storage: StorageCheck, *, must_work: bool = False) -> Health:
    """Look at everything; ``must_work``: a queue that nobody works is a fault."""
    return Health((*await check_database(must_work=must_work), *await check_storage(storage)))


async def check_database(*, must_work: bool = False) -> tuple[Check, ...]:
    """Whether the database answers, and who works the queues; ``must_work``: one that nobody works is a fault."""
    try:
        async with reading() as session:
            version = await session.scalar(text("SHOW server_version"))
            return Check("database", is_good=True, sentence=f"PostgreSQL {version}"), await _queues(session, must_work)
    except Unavailable as error:
        return (Check("database", is_good=False, sentence=error.sentence),)


async def check_storage(storage: StorageCheck) -> tuple[Check, ...]:
    """Whether storage keeps what it is given, and how much more it may get."""
    try:
        free = await storage.free_bytes()
    except Unavailable as error:
        return (Check("storage", is_good=False, sentence=error.sentence),)
    return (
        Check("storage", is_good=True, sentence="it keeps what it is given"),
        Check("space", is_good=free >= SPACE_BYTES, sentence=f"{free / 1e9:.1f} GB are free for songs"),
    )


def check_tools(tools: Tools) -> tuple[Check, ...]:
    """How the tools beside the studio stand; one that is not installed is no fault, for nobody needs all of them."""
    return tuple(Check(f"tool {state.tool.name}", is_good=True, sentence=_tool(state)) for state in tools.list())


def _tool(state: ToolState) -> str:
    if not state.is_installed:
        return f"not installed; `soundforge tools install {state.tool.name}` does it"
    return ", ".join(f"{package} {version}" for package, version in state.versions.items())


async def _queues(session: AsyncSession, must_work: bool) -> Check:  # noqa: FBT001 - passed through
    nodes = (await jobs.queue_figures(session)).nodes
    alive = {node.queue for node in nodes if node.silent_s < jobs.STALE_S}
    missing = sorted(jobs.QUEUE_LIMITS.keys() - alive)
    if not missing:
        return Check("queues", is_good=True, sentence=f"{len(alive)} queues are worked")
    return Check("queues", is_good=not must_work, sentence=f"nobody works {', '.join(missing)} at the moment")
