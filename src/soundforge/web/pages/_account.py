"""The first-run link, logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import accounts
from soundforge.db import reading, transaction
from soundforge.errors import Forbidden, Invalid, NotFound
from soundforge.web._render import page
from soundforge.web._security import (
    AttemptLimit,
    clear_session_cookie,
    client_key,
    read_credentials,
    set_session_cookie,
)

router = APIRouter(include_in_schema=False)

_attempts = AttemptLimit(5)


@router.get("/link/{token}")
async def link_page(request: Request, token: str) -> HTMLResponse:
    """Where a one-time link leads: choose a password."""
    async with reading() as session:
        user = await accounts.find_link(session, token)
    if user is None:
        raise NotFound("This link was used already or is too old; ask for a new one.", code="link_void")
    return page(request, "pages/link.html", token=token, name=user.name, error="")


@router.post("/link/{token}")
async def set_password(request: Request, token: str, password: Annotated[str, Form()]) -> Response:
    """Set the password, and log in with it."""
    _attempts.take(client_key(request))
    try:
        async with transaction() as session:
            user = await accounts.set_password_by_link(session, token, password)
            opened = await accounts.start_session(session, user.id, agent=request.headers.get("user-agent", ""))
    except Invalid as error:
        return page(request, "pages/link.html", 422, token=token, name="", error=error.sentence)
    return _enter(request, opened)


@router.get("/login")
async def login_page(request: Request) -> HTMLResponse:
    """Ask for name and password."""
    return page(request, "pages/login.html", name="owner", error="")


@router.post("/login")
async def log_in(request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]) -> Response:
    """Log in; a wrong answer never tells which half was wrong."""
    _attempts.take(f"{client_key(request)} {name}")
    try:
        async with transaction() as session:
            _user, opened = await accounts.log_in(session, name, password, agent=request.headers.get("user-agent", ""))
    except Forbidden as error:
        return page(request, "pages/login.html", 403, name=name, error=error.sentence)
    _attempts.forget(f"{client_key(request)} {name}")
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
