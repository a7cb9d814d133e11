"""Settings, password, sessions and tokens of the visitor."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from soundforge import accounts, pipeline, views
from soundforge.db import reading, transaction
from soundforge.errors import Conflict, Forbidden, Invalid
from soundforge.tools import Tools
from soundforge.web._access import AdminOf, Visitor, VisitorOf, check_may_set
from soundforge.web._render import page
from soundforge.web._security import client_key
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)

SOURCE_SETTINGS = tuple(name for name in accounts.SETTINGS if name.startswith(("spotify_", "allow_", "downloader_")))


@router.get("/settings")
async def settings_page(request: Request, visitor: VisitorOf) -> HTMLResponse:
    """Everything that the visitor may change."""
    return await _show(request, visitor)


@router.post("/settings/values/{name}")
async def change_setting(
    request: Request, visitor: VisitorOf, name: str, value: Annotated[str, Form()] = ""
) -> Response:
    """Change one setting; an empty field is a value too, as FastAPI takes it for none."""
    check_may_set(visitor, name)
    try:
        async with transaction() as session:
            await pipeline.change_setting(session, visitor.id, name, value)
    except Invalid as error:
        return await _show(request, visitor, status=422, errors=error.fields)
    return RedirectResponse("/settings", 303)


@router.get("/settings/spotify")
async def spotify(request: Request, visitor: AdminOf) -> HTMLResponse:  # noqa: ARG001 - who may see it
    """How Spotify answered last; asked again while a test runs."""
    async with reading() as session:
        return page(request, "pages/_spotify.html", spotify=await views.get_spotify_view(session))


@router.post("/settings/spotify/test")
async def check_spotify(request: Request, visitor: AdminOf) -> HTMLResponse:
    """Ask Spotify whether it answers this studio's app."""
    with contextlib.suppress(Conflict):  # it is being asked already
        async with transaction() as session:
            await pipeline.request_spotify_check(session, visitor.id)
    async with reading() as session:
        return page(request, "pages/_spotify.html", spotify=await views.get_spotify_view(session))


@router.post("/settings/password")
async def change_password(
    request: Request, visitor: VisitorOf, old: Annotated[str, Form()], new: Annotated[str, Form()]
) -> Response:
    """Change the password; every other session of the visitor ends."""
    studio_of(request).attempts.take(client_key(request), f"password of {visitor.id}")
    async with reading() as session:
        user = await accounts.get_user(session, visitor.id)
    try:
        proof = await accounts.check_password(user, old)
        fresh = await accounts.hash_password(new, name=user.name)
        async with transaction() as session:
            await accounts.change_password(session, proof, fresh, keep_session_id=visitor.session_id)
    except Invalid as error:
        return await _show(request, visitor, status=422, errors={"new": error.sentence})
    except Forbidden as error:
        return await _show(request, visitor, status=403, errors={"old": error.sentence})
    return RedirectResponse("/settings", 303)


@router.post("/settings/tokens")
async def add_token(
    request: Request,
    visitor: VisitorOf,
    name: Annotated[str, Form()],
    scope: Annotated[str, Form(pattern="^(read|write|admin)$")] = "read",
    days: Annotated[str, Form(pattern=r"^(|30|90|365)$")] = "",
) -> HTMLResponse:
    """Make a token; its text is on the page that answers, and never again."""
    scopes = accounts.SCOPES[: accounts.SCOPES.index(scope) + 1]
    until = datetime.now(UTC) + timedelta(days=int(days)) if days else None
    async with transaction() as session:
        _token, text = await accounts.add_token(session, visitor.id, name, scopes, expires_at=until)
    return await _show(request, visitor, new_token=text)


@router.post("/settings/tokens/{token_id}/revoke")
async def revoke_token(visitor: VisitorOf, token_id: UUID) -> Response:
    """Revoke a token."""
    async with transaction() as session:
        await accounts.revoke_token(session, visitor.id, token_id)
    return RedirectResponse("/settings", 303)


@router.post("/settings/tools/{name}")
async def install_tool(visitor: AdminOf, name: str, upgrade: Annotated[str, Form()] = "") -> Response:
    """Install a tool, or bring it up to date; a job does it."""
    async with transaction() as session:
        await pipeline.request_tool(session, visitor.id, name, upgrade=bool(upgrade))
    return RedirectResponse("/settings#tools", 303)


@router.post("/settings/models/{name}")
async def change_model(visitor: AdminOf, name: str, remove: Annotated[str, Form()] = "") -> Response:
    """Download a model, or remove it; a job does it."""
    async with transaction() as session:
        await pipeline.request_model(session, visitor.id, name, remove=bool(remove))
    return RedirectResponse("/settings#models", 303)


@router.post("/settings/sessions/{session_id}/revoke")
async def revoke_session(visitor: VisitorOf, session_id: UUID) -> Response:
    """End one session."""
    async with transaction() as session:
        await accounts.revoke_session(session, visitor.id, session_id)
    return RedirectResponse("/settings", 303)


async def _show(
    request: Request, visitor: Visitor, *, status: int = 200, errors: dict[str, str] | None = None, new_token: str = ""
) -> HTMLResponse:
    place = studio_of(request).listener.recent.place()
    async with reading() as session:
        found = await accounts.list_settings(session, visitor.id)
        maintenance = await views.list_maintenance(session)
        tokens = await accounts.list_tokens(session, visitor.id)
        sessions = await accounts.list_sessions(session, visitor.id)
        spotify = await views.get_spotify_view(session)
        tools = await views.list_tools(session, Tools(studio_of(request).settings.tools_folder))
    return page(
        request,
        "pages/settings.html",
        status,
        here="settings",
        settings=[one for one in found if one.spec.scope == "user" or visitor.is_admin],
        models=pipeline.list_choices(),
        all_models=pipeline.list_models() if visitor.is_admin else [],
        maintenance=maintenance,
        place=place,
        tokens=tokens,
        sessions=sessions,
        tools=tools if visitor.is_admin else [],
        source_settings=SOURCE_SETTINGS,
        spotify=spotify,
        errors=errors or {},
        new_token=new_token,
    )
