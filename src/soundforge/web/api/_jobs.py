"""Jobs, and one job's live events."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from soundforge import jobs, pipeline, views
from soundforge.db import reading, transaction
from soundforge.events import Inbox, JobChanged, Resync
from soundforge.tables import TERMINAL, Kind, Page, Status
from soundforge.views import JobView
from soundforge.web._access import CallerOf, Visitor
from soundforge.web._openapi import sends
from soundforge.web._stream import Feed, batches
from soundforge.web._studio import Studio, studio_of

router = APIRouter(prefix="/api/v1", tags=["jobs"])


@router.get("/jobs")
async def list_jobs(
    caller: CallerOf,
    status: Annotated[list[Status], Query(description="Only jobs with one of these statuses.")] = [],  # noqa: B006 - FastAPI copies it
    kind: Annotated[list[Kind], Query(description="Only jobs of these kinds.")] = [],  # noqa: B006 - the same
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[JobView]:
    """The caller's jobs, newest first."""
    async with reading() as session:
        return await views.list_job_views(session, caller.id, statuses=status, kinds=kind, after=after, limit=limit)


@router.post("/jobs/retry-failed", status_code=202)
async def retry_all(caller: CallerOf) -> dict[str, int]:
    """Queue everything again that failed, was not cancelled and was not replaced; says how many jobs that are."""
    async with transaction() as session:
        return {"jobs": await pipeline.request_retry_all(session, caller.id)}


@router.get("/jobs/{job_id}")
async def get_job(caller: CallerOf, job_id: UUID) -> JobView:
    """One job; a waiting one says how many are ahead."""
    async with reading() as session:
        return await views.get_job_view(session, caller.id, job_id)


@router.post("/jobs/{job_id}/retry", status_code=202)
async def retry_job(caller: CallerOf, job_id: UUID) -> JobView:
    """Queue a failed job again."""
    async with transaction() as session:
        await jobs.retry_job(session, caller.id, job_id)
        return await views.get_job_view(session, caller.id, job_id)


@router.post("/jobs/{job_id}/retry-failed", status_code=202)
async def retry_failed(caller: CallerOf, job_id: UUID) -> JobView:
    """Queue every download of an import that failed and was not replaced, and its lines that came to nothing."""
    async with transaction() as session:
        await pipeline.request_retry_failed(session, caller.id, job_id)
        return await views.get_job_view(session, caller.id, job_id)


@router.post("/jobs/{job_id}/cancel", status_code=202)
async def cancel_job(caller: CallerOf, job_id: UUID) -> JobView:
    """Stop a job that waits or runs, and what it started."""
    async with transaction() as session:
        cancelled = await pipeline.request_cancel(session, caller.id, job_id)
        view = await views.get_job_view(session, caller.id, job_id)
    for job in cancelled:
        await jobs.wake_cancelled(job)
    return view


@router.get("/jobs/{job_id}/events", response_class=Response, responses=sends("text/event-stream"))
async def job_events(request: Request, caller: CallerOf, job_id: UUID) -> StreamingResponse:
    """One job's changes as Server-Sent Events, beginning with how it is now; the last one tells how it ended.

    A stream that breaks off before (the server stops) is asked for again: it begins with how the job is then. One login
    may have twelve live feeds open; one more is refused (429, ``too_many_feeds``).
    """
    studio_of(request).feeds.check_room(caller.session_id or caller.token_id)
    async with reading() as session:
        await views.get_job_view(session, caller.id, job_id)  # not the caller's: 404, before anything is sent
    stream = _told(studio_of(request), caller, job_id)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _told(studio: Studio, caller: Visitor, job_id: UUID) -> AsyncIterator[bytes]:
    feed = Feed.of(caller)
    with studio.listener.subscribe(caller.id) as inbox, studio.feeds.hold(feed, inbox):
        async for states in _states(studio, feed, caller, job_id, inbox):
            for state in states:
                yield f"event: job_changed\ndata: {json.dumps(state)}\n\n".encode()
                if state["status"] in TERMINAL:
                    return
            if not states:
                yield b": still here\n\n"


async def _states(
    studio: Studio, feed: Feed, caller: Visitor, job_id: UUID, inbox: Inbox
) -> AsyncIterator[Sequence[dict[str, object]]]:
    """How the job is now, then batch by batch what became of it; for as long as it takes."""
    yield [await _read_state(caller, job_id)]
    async for batch in batches(feed, inbox, studio.stopping):
        if feed.ends_with(batch):
            return
        if Resync in batch.kinds:  # what was told meanwhile is lost, its ending perhaps
            yield [await _read_state(caller, job_id)]
        else:
            events = (event for event in batch.events if isinstance(event, JobChanged) and event.job_id == job_id)
            yield [{"job_id": str(job_id), **_plain(event)} for event in events]


async def _read_state(caller: Visitor, job_id: UUID) -> dict[str, object]:
    async with reading() as session:
        now = await views.get_job_view(session, caller.id, job_id)
    return {"job_id": str(job_id), **_plain(now)}


def _plain(job: JobView | JobChanged) -> dict[str, object]:
    return {name: getattr(job, name) for name in ("status", "progress", "stage", "run", "error_code")}
