"""Jobs: what runs, waits or failed, and what can be done about it."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, pipeline, views
from soundforge.db import reading, transaction
from soundforge.tables import Kind, Page
from soundforge.views import JobView
from soundforge.web._access import VisitorOf
from soundforge.web._render import page
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)

DOCK_ROWS = 12
_SHOWN = frozenset(Kind) - {Kind.MAINTENANCE}  # housekeeping every hour would bury the rest; see the instance page


async def dock_of(session: AsyncSession, owner_id: UUID) -> Page[JobView]:
    """The newest jobs about the owner's music."""
    return await views.list_job_views(session, owner_id, kinds=_SHOWN, limit=DOCK_ROWS, is_short=True)


@router.get("/jobs")
async def jobs_page(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """The owner's jobs, newest first."""
    place = studio_of(request).listener.recent.place()
    async with reading() as session:
        found = await views.list_job_views(session, visitor.id, kinds=_SHOWN, is_short=True)
    return page(request, "pages/jobs.html", here="jobs", jobs=found, feed_url=f"/events/jobs?place={place}")


@router.get("/jobs/rows")
async def job_rows(request: Request, visitor: VisitorOf, after: str = "") -> HTMLResponse:
    """One page of jobs and the sentinel of the next."""
    async with reading() as session:
        found = await views.list_job_views(session, visitor.id, kinds=_SHOWN, after=after or None, is_short=True)
    return page(request, "pages/_jobs.html", jobs=found, after=after)


@router.get("/jobs/dock")
async def dock(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """The newest jobs, as the library's dock shows them."""
    async with reading() as session:
        found = await dock_of(session, visitor.id)
    return page(request, "pages/_dock.html", dock=found)


@router.post("/jobs/{job_id}/retry")
async def retry(request: Request, visitor: VisitorOf, job_id: UUID) -> HTMLResponse:
    """Queue a failed job again."""
    async with transaction() as session:
        await jobs.retry_job(session, visitor.id, job_id)
    return page(request, "pages/_asked.html", text="Trying again.")


@router.post("/jobs/{job_id}/retry-failed")
async def retry_failed(request: Request, visitor: VisitorOf, job_id: UUID) -> HTMLResponse:
    """Queue every download of an import that failed."""
    async with transaction() as session:
        count = await pipeline.request_retry_failed(session, visitor.id, job_id)
    return page(request, "pages/_asked.html", text=f"Trying {count} again.")


@router.post("/jobs/{job_id}/cancel")
async def cancel(request: Request, visitor: VisitorOf, job_id: UUID) -> HTMLResponse:
    """Stop a job that waits or runs, and what it started."""
    async with transaction() as session:
        cancelled = await pipeline.request_cancel(session, visitor.id, job_id)
    for job in cancelled:
        await jobs.wake_cancelled(job)
    return page(request, "pages/_asked.html", text="Cancelling.")
