"""Jobs: what runs, waits or failed, and what can be done about it."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, pipeline, views
from soundforge.db import reading, transaction
from soundforge.tables import RUNNING, Kind, Page, Status
from soundforge.views import JobView
from soundforge.web._access import VisitorOf
from soundforge.web._render import page, render
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)

DOCK_ROWS = 12
SHOWS: Mapping[str, tuple[Status, ...]] = {
    "all": (),
    "running": tuple(sorted(RUNNING)),
    "waiting": (Status.QUEUED,),
    "failed": (Status.FAILED,),
    "done": (Status.COMPLETED,),
}
ShowOf = Annotated[str, Query(pattern=f"^({'|'.join(SHOWS)})$")]
_MOST_STARTED = 200
_SHOWN = frozenset(Kind) - {Kind.MAINTENANCE}  # housekeeping every hour would bury the rest; see the instance page


@router.get("/jobs")
async def jobs_page(request: Request, visitor: VisitorOf, show: ShowOf = "all") -> HTMLResponse:
    """The owner's jobs, newest first: all, or those that run, wait, failed or are done."""
    place = studio_of(request).listener.recent.place()
    async with reading() as session:
        found = await _list(session, visitor.id, show)
        counts = await jobs.count_by_status(session, visitor.id, _SHOWN)
    shown: dict[str, Any] = {"show": show, "tabs": _tabs(counts), "failed": counts.get(Status.FAILED, 0)}
    shown |= {"jobs": found, "after": "", "until": ""}
    return page(request, "pages/jobs.html", here="jobs", feed_url=f"/events/jobs?place={place}", **shown)


@router.get("/jobs/tabs")
async def job_tabs(request: Request, visitor: VisitorOf, show: ShowOf = "all") -> HTMLResponse:
    """How many jobs run, wait and failed; asked again when some of them moved."""
    async with reading() as session:
        counts = await jobs.count_by_status(session, visitor.id, _SHOWN)
    return page(request, "pages/_job_tabs.html", show=show, tabs=_tabs(counts), failed=counts.get(Status.FAILED, 0))


@router.get("/jobs/rows")
async def job_rows(
    request: Request, visitor: VisitorOf, after: str = "", until: str = "", show: ShowOf = "all"
) -> HTMLResponse:
    """One page of jobs and the sentinel of the next; with ``until`` exactly the jobs of a page shown before."""
    async with reading() as session:
        found = await _list(session, visitor.id, show, after, until)
    return page(request, "pages/_jobs.html", jobs=found, after=after, until=until, show=show)


@router.get("/jobs/dock")
async def dock(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """The newest jobs about the visitor's music, for the library's dock."""

    async def newest() -> str:
        async with reading() as session:
            found = await views.list_job_views(session, visitor.id, kinds=_SHOWN, limit=DOCK_ROWS, is_short=True)
        return render("pages/_dock.html", dock=found)

    return HTMLResponse(await studio_of(request).together.share(("dock", visitor.id), newest))


@router.get("/jobs/{job_id}")
async def job_page(request: Request, visitor: VisitorOf, job_id: UUID) -> HTMLResponse:
    """One job: what it is about, why it waits or failed, how long each stage took, what it started."""
    place = studio_of(request).listener.recent.place()
    async with reading() as session:
        job = await views.get_job_view(session, visitor.id, job_id)
        family = await views.list_family(session, visitor.id, [job_id])
    started = [one for one in family if one.id != job_id]
    address = f"/events/jobs?place={place}"
    return page(request, "pages/job.html", here="jobs", job=job, started=started[:_MOST_STARTED], feed_url=address)


@router.post("/jobs/retry-failed")
async def retry_all(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """Queue everything again that failed and was not replaced."""
    async with transaction() as session:
        count = await pipeline.request_retry_all(session, visitor.id)
    return page(request, "pages/_asked.html", text=f"Trying {count} again.")


@router.post("/jobs/{job_id}/retry")
async def retry(request: Request, visitor: VisitorOf, job_id: UUID) -> HTMLResponse:
    """Queue a failed job again."""
    async with transaction() as session:
        await jobs.retry_job(session, visitor.id, job_id)
    return page(request, "pages/_asked.html", text="Trying again.")


@router.post("/jobs/{job_id}/retry-failed")
async def retry_failed(request: Request, visitor: VisitorOf, job_id: UUID) -> HTMLResponse:
    """Queue every download and every line of an import that failed."""
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


async def _list(session: AsyncSession, owner_id: UUID, show: str, after: str = "", until: str = "") -> Page[JobView]:
    return await views.list_job_views(
        session, owner_id, kinds=_SHOWN, statuses=SHOWS[show], after=after or None, until=until or None, is_short=True
    )


def _tabs(counts: Mapping[Status, int]) -> list[tuple[str, int]]:
    """Each view of the list and how many jobs it holds; of all and of those that are done nobody needs a number."""
    told = [(name, sum(counts.get(status, 0) for status in statuses)) for name, statuses in SHOWS.items()]
    return [(name, 0 if name in ("all", "done") else count) for name, count in told]
