"""The tools beside the studio, as people see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.tables import ACTIVE, Kind
from soundforge.tools import Tools, ToolState


@dataclass(frozen=True)
class ToolView:
    """One tool: "" as its version where it is not installed; ``job_id`` of what installs it at the moment."""

    name: str
    label: str
    purpose: str
    version: str
    versions: Mapping[str, str]
    python_version: str
    is_installed: bool
    is_current: bool
    disk_mb: int
    job_id: UUID | None = None
    progress: int | None = None


async def list_tools(session: AsyncSession, tools: Tools) -> list[ToolView]:
    """Every tool of the table, with the job that installs it, if one does."""
    page = await jobs.list_jobs(session, None, kinds=[Kind.MAINTENANCE], statuses=ACTIVE)
    busy = {job.params.get("what"): (job.id, job.progress) for job in page.rows}
    return [tool_view(state, *busy.get(f"tool:{state.tool.name}", ())) for state in tools.list()]


def tool_view(state: ToolState, job_id: UUID | None = None, progress: int | None = None) -> ToolView:
    """A tool's state as a plain value."""
    return ToolView(
        name=state.tool.name,
        label=state.tool.label,
        purpose=state.tool.purpose,
        version=state.version,
        versions=dict(state.versions),
        python_version=state.python_version,
        is_installed=state.is_installed,
        is_current=state.is_current,
        disk_mb=state.tool.disk_mb,
        job_id=job_id,
        progress=progress,
    )
