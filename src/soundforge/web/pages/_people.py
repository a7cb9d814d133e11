"""Who may use the studio: invite, make admin or member, disable, a new one-time link."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import accounts
from soundforge.db import reading
from soundforge.errors import Conflict, Invalid
from soundforge.web._access import AdminOf, Visitor
from soundforge.web._people import change_person, invite
from soundforge.web._render import page

router = APIRouter(include_in_schema=False)


@router.get("/admin/people")
async def people_page(request: Request, visitor: AdminOf) -> HTMLResponse:
    """Everybody, and what an admin may do about them."""
    return await _show(request, visitor)


@router.post("/admin/people")
async def invite_person(
    request: Request, visitor: AdminOf, name: Annotated[str, Form()], role: Annotated[str, Form()] = "member"
) -> HTMLResponse:
    """Add somebody; the page that answers has their one-time link, once."""
    try:
        person, token = await invite(visitor, name, role)
    except (Invalid, Conflict) as error:
        return await _show(request, visitor, status=422, error=error.sentence, name=name)
    return await _show(request, visitor, link=f"{request.base_url}link/{token}", invited=person.name)


@router.post("/admin/people/{user_id}")
async def change(
    request: Request,
    visitor: AdminOf,
    user_id: UUID,
    act: Annotated[str, Form(pattern="^(disable|enable|admin|member|link)$")],
) -> Response:
    """Disable or enable somebody, change their role, or make a new one-time link."""
    person, token = await change_person(visitor, user_id, act)
    if token:
        return await _show(request, visitor, link=f"{request.base_url}link/{token}", invited=person.name)
    return RedirectResponse("/admin/people", 303)


async def _show(
    request: Request,
    visitor: Visitor,
    *,
    status: int = 200,
    error: str = "",
    name: str = "",
    link: str = "",
    invited: str = "",
) -> HTMLResponse:
    async with reading() as session:
        people = await accounts.list_users(session)
    shown = {"people": people, "error": error, "name": name, "link": link, "invited": invited}
    return page(request, "pages/people.html", status, here="admin", is_owner=visitor.role == "owner", **shown)
