"""Separation models."""

from fastapi import APIRouter

from soundforge import pipeline, views
from soundforge.db import transaction
from soundforge.pipeline import Model
from soundforge.views import JobView
from soundforge.web._access import AdminOf, CallerOf

router = APIRouter(prefix="/api/v1", tags=["models"])


@router.get("/models")
async def list_models(caller: CallerOf) -> list[Model]:  # noqa: ARG001 - only who is logged in may see them
    """Every model, the better ones first; one that cannot run here says what it lacks."""
    return pipeline.list_models()


@router.post("/models/{name}/pull", status_code=202)
async def pull_model(caller: AdminOf, name: str) -> JobView:
    """Download a model; one that was cut off is gone on with."""
    return await _request(caller, name, remove=False)


@router.delete("/models/{name}", status_code=202)
async def remove_model(caller: AdminOf, name: str) -> JobView:
    """Remove a model that was downloaded."""
    return await _request(caller, name, remove=True)


async def _request(caller: AdminOf, name: str, *, remove: bool) -> JobView:
    async with transaction() as session:
        job = await pipeline.request_model(session, caller.id, name, remove=remove)
        return await views.get_job_view(session, caller.id, job.id)
