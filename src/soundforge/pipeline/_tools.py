"""Maintenance: install a tool beside the studio, or bring it up to date."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.pipeline._ports import ports
from soundforge.tables import Job, Kind
from soundforge.tools import get_tool

WHAT = "tool:"


async def request_tool(session: AsyncSession, owner_id: UUID, name: str, *, upgrade: bool = False) -> Job:
    """Install a tool, or its newest; raises NotFound ``tool_not_found``, and ``Conflict`` while that is under way."""
    what = f"{WHAT}{get_tool(name).name}"
    return await jobs.add_job(
        session, kind=Kind.MAINTENANCE, owner_id=owner_id, unique_key=what, params={"what": what, "upgrade": upgrade}
    )


async def install_tool(run: jobs.Run) -> None:
    """Body of such a job: what was there before stays in use until the new one is whole."""
    name = str(run.params["what"]).removeprefix(WHAT)
    state = await ports().tools.install(name, upgrade=bool(run.params.get("upgrade")), on_progress=run.report)
    async with run.done({"tool": name, "versions": dict(state.versions)}):
        pass
