"""What the settings page loads when maintenance gets on: the model that a job pulls or removes."""

from functools import partial
from typing import Any

from soundforge import pipeline, views
from soundforge.events import JobChanged
from soundforge.tables import ACTIVE, RUNNING
from soundforge.web._stream import Feed, News

WHAT = "model:"


async def maintenance_changed(news: News, feed: Feed, event: JobChanged) -> list[dict[str, Any]]:
    """A tick moves the bar alone; any other change sends the model as it is now."""
    asked = partial(views.get_job_view, owner_id=feed.owner_id, job_id=event.job_id)
    job = await news.once(event.job_id, "job", ask=asked)
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
