"""What the settings page loads when maintenance gets on: the model that a job pulls or removes."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import pipeline, views
from soundforge.events import JobChanged
from soundforge.tables import ACTIVE, RUNNING
from soundforge.web._stream import Feed

WHAT = "model:"


async def maintenance_changed(session: AsyncSession, feed: Feed, event: JobChanged) -> list[dict[str, Any]]:
    """A tick moves the bar alone; any other change sends the model as it is now."""
    job = await views.get_job_view(session, feed.owner_id, event.job_id)
    if not job.title.startswith(WHAT):
        return []
    name = job.title.removeprefix(WHAT)
    state = (event.status, event.run, event.error_code)
    known, feed.seen[event.job_id] = feed.seen.get(event.job_id), state
    tick = known == state and event.status in RUNNING
    model = next((one for one in pipeline.list_models() if one.name == name), None)
    if model is None:
        return []
    running = job if event.status in ACTIVE else None
    note = job.error if job.status == "failed" and job.error_code != "cancelled" else ""
    return [{"tick": tick, "name": name, "model": model, "job": running, "note": note}]
