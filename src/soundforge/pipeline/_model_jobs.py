"""Maintenance: pull a model, or remove one that was pulled."""

import asyncio
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.engines import ModelHub, model_store
from soundforge.pipeline._ports import ports
from soundforge.tables import Job, Kind

WHAT = "model:"


async def request_model(session: AsyncSession, owner_id: UUID, name: str, *, remove: bool = False) -> Job:
    """Pull a model, or remove it.

    Raises ``Invalid`` (``unknown_model``), ``Conflict`` while one of the two is under way, or where nothing that the
    studio pulled could be removed (``model_not_pulled``).
    """
    spec = model_store().spec(name)
    if remove:
        model_store().check_pulled(name)
    what = f"{WHAT}{spec.name}"
    return await jobs.add_job(
        session, kind=Kind.MAINTENANCE, owner_id=owner_id, unique_key=what, params={"what": what, "remove": remove}
    )


async def change_model(run: jobs.Run) -> None:
    """Body of such a job. A pull that is stopped or cut goes on where it was the next time."""
    name = str(run.params["what"]).removeprefix(WHAT)
    if run.params.get("remove"):
        size = await asyncio.to_thread(model_store().remove, name)
    else:
        hub = ModelHub(ports().settings.model_hub, model_store())
        size = await hub.pull(name, on_progress=run.report)
    async with run.done({"model": name, "bytes": size}):
        pass
