"""How the instance is: health for anybody, figures and queues for admins."""

import ipaddress
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from soundforge import jobs, views
from soundforge.db import reading, transaction
from soundforge.web._access import AdminOf, admin
from soundforge.web._metrics import metrics_text
from soundforge.web._render import page
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)

# Whoever sends one of these speaks for somebody else.
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@router.api_route("/health", methods=["GET", "HEAD"])
async def health(request: Request) -> JSONResponse:
    """Whether database, queues, storage and space are well: 200 or 503. Tells nothing about anybody."""
    found = await views.get_health(studio_of(request).storage_check, must_work=True)
    checks = {check.name: {"good": check.is_good, "what": check.sentence} for check in found.checks}
    return JSONResponse({"good": found.is_good, "checks": checks}, 200 if found.is_good else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus; from this machine, or with an admin's token."""
    if not _is_local(request):
        await admin(request)
    async with reading() as session:
        figures = await jobs.queue_figures(session)
    text = metrics_text(figures, listeners=studio_of(request).listener.count())
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.get("/admin")
async def admin_page(request: Request, visitor: AdminOf) -> HTMLResponse:  # noqa: ARG001 - who may see it
    """Queues × states from Oban's tables, nodes, failures by cause, checks."""
    async with reading() as session:
        figures = await jobs.queue_figures(session)
        queues = await views.list_queue_views(session, figures)
    found = await views.get_health(studio_of(request).storage_check, must_work=True)
    return page(
        request,
        "pages/admin.html",
        here="admin",
        figures=figures,
        health=found,
        queues=queues,
        seen_at=datetime.now(UTC),
    )


@router.post("/admin/queues/{queue}")
async def change_queue(
    visitor: AdminOf,  # noqa: ARG001 - who may do it
    queue: str,
    node: Annotated[str, Form(max_length=200)] = "",
    act: Annotated[str, Form(pattern="^(pause|resume|limit)$")] = "limit",
    limit: Annotated[int, Form()] = 0,
) -> Response:
    """Pause or resume a queue, or change how many jobs it works at once: everywhere, or on one node."""
    paused = None if act == "limit" else act == "pause"
    async with transaction() as session:
        await jobs.change_queue(session, queue, node=node, paused=paused, limit=limit if act == "limit" else None)
    await jobs.obey_queues()
    return RedirectResponse("/admin#queues", 303)


def _is_local(request: Request) -> bool:
    """Whether the request came from this machine, and not through a proxy on it."""
    if request.client is None or any(name in request.headers for name in _OF_PROXIES):
        return False
    return ipaddress.ip_address(request.client.host).is_loopback
