"""The first-run link, logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import accounts
from soundforge.db import reading, transaction
from soundforge.errors import Forbidden, Invalid
from soundforge.web._render import page
from soundforge.web._security import clear_session_cookie, client_key, read_credentials, set_session_cookie
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)


@router.get("/link/{token}")
async def link_page(request: Request, token: str) -> HTMLResponse:
    """Where a one-time link leads: choose a password."""
    async with reading() as session:
        user = await accounts.get_link(session, token)
    return page(request, "pages/link.html", token=token, name=user.name, error="")


@router.post("/link/{token}")
async def set_password(request: Request, token: str, password: Annotated[str, Form()]) -> Response:
    """Set the password, and log in with it."""
    studio_of(request).attempts.take(client_key(request), "link")
    async with reading() as session:
        holder = await accounts.get_link(session, token)
    try:
        fresh = await accounts.hash_password(password, name=holder.name)
    except Invalid as error:
        return page(request, "pages/link.html", 422, token=token, name=holder.name, error=error.sentence)
    async with transaction() as session:
        user = await accounts.set_password_by_link(session, token, fresh)
        opened = await accounts.start_session(session, user.id, agent=_agent(request))
    return _enter(request, opened)


@router.get("/login")
async def login_page(request: Request) -> HTMLResponse:
    """Ask for name and password."""
    return page(request, "pages/login.html", name="owner", error="")


@router.post("/login")
async def log_in(request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]) -> Response:
    """Log in; a wrong answer never tells which half was wrong."""
    attempts, address = studio_of(request).attempts, client_key(request)
    attempts.take(address, name)
    async with reading() as session:
        user = await accounts.find_user(session, name)
    try:
        proof = await accounts.check_login(user, password)
        async with transaction() as session:
            opened = await accounts.log_in(session, proof, agent=_agent(request))
    except Forbidden as error:
        return page(request, "pages/login.html", 403, name=name, error=error.sentence)
    attempts.forget(address, name)
    return _enter(request, opened)


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End this session."""
    credentials = read_credentials(request)
    if credentials and credentials.kind == "session":
        async with transaction() as session:
            await accounts.log_out(session, credentials.text)
    answer = RedirectResponse("/login", 303)
    clear_session_cookie(request, answer)
    return answer


def _enter(request: Request, opened: str) -> Response:
    answer = RedirectResponse("/", 303)
    set_session_cookie(request, answer, opened)
    return answer


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
