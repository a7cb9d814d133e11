"""The tools beside the studio."""

from fastapi import APIRouter, Request

from soundforge import pipeline, views
from soundforge.db import reading, transaction
from soundforge.tools import Tools
from soundforge.views import JobView, ToolView
from soundforge.web._access import AdminOf, CallerOf
from soundforge.web._studio import studio_of

router = APIRouter(prefix="/api/v1", tags=["tools"])


@router.get("/tools")
async def list_tools(request: Request, caller: CallerOf) -> list[ToolView]:  # noqa: ARG001 - only who is logged in may see them
    """The tools, and what is installed of them."""
    async with reading() as session:
        return await views.list_tools(session, Tools(studio_of(request).settings.tools_folder))


@router.post("/tools/{name}/install", status_code=202)
async def install_tool(caller: AdminOf, name: str) -> JobView:
    """Install a tool, exactly as locked."""
    return await _request(caller, name, upgrade=False)


@router.post("/tools/{name}/upgrade", status_code=202)
async def upgrade_tool(caller: AdminOf, name: str) -> JobView:
    """Bring a tool to its newest version."""
    return await _request(caller, name, upgrade=True)


async def _request(caller: AdminOf, name: str, *, upgrade: bool) -> JobView:
    async with transaction() as session:
        job = await pipeline.request_tool(session, caller.id, name, upgrade=upgrade)
        return await views.get_job_view(session, caller.id, job.id)
