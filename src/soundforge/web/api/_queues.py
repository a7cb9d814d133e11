"""Queues and the nodes that work them, for admins: pause, resume, how many jobs at once."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from soundforge import jobs, views
from soundforge.db import reading, transaction
from soundforge.views import QueueView
from soundforge.web._access import AdminOf

router = APIRouter(prefix="/api/v1", tags=["queues"])


class QueueAsked(BaseModel):
    """What to decide; what is left out stays as it is."""

    paused: bool | None = None
    limit: int | None = Field(default=None, description="Jobs at once, of one node; 0: as its own settings say.")
    node: str = Field(default="", max_length=200, description="Only this node; empty for all of them.")


@router.get("/queues")
async def list_queues(caller: AdminOf) -> list[QueueView]:  # noqa: ARG001 - who may see it
    """Every queue: what was decided, how many jobs it holds, who works it."""
    async with reading() as session:
        return await views.list_queue_views(session)


@router.put("/queues/{queue}")
async def change_queue(caller: AdminOf, queue: str, asked: QueueAsked) -> QueueView:  # noqa: ARG001 - who may do it
    """Pause or resume a queue, or change how many jobs it works at once; every node obeys within seconds."""
    async with transaction() as session:
        await jobs.change_queue(session, queue, node=asked.node, paused=asked.paused, limit=asked.limit)
    await jobs.obey_queues()
    async with reading() as session:
        return await views.get_queue_view(session, queue)
