"""The caller's own account: who they are, settings, tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from soundforge import accounts, pipeline
from soundforge.db import reading, transaction
from soundforge.errors import Forbidden
from soundforge.web._access import CallerOf, check_may_set

router = APIRouter(prefix="/api/v1", tags=["account"])


class Me(BaseModel):
    """Who asks."""

    id: UUID
    name: str
    role: str


class SettingShown(BaseModel):
    """One setting, its effect, its value and where the value comes from."""

    name: str
    label: str
    effect: str
    value: Any
    source: str
    locked: bool


class SettingAsked(BaseModel):
    """The value to set."""

    value: Any


class TokenAsked(BaseModel):
    """The token to make."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = ["read"]
    expires_at: AwareDatetime | None = Field(default=None, description="When it runs out; unset: never.")


class TokenShown(BaseModel):
    """A token, without its text."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime | None


class TokenMade(TokenShown):
    """A new token; its text is shown this once."""

    text: str


@router.get("/me")
async def me(caller: CallerOf) -> Me:
    """Who the credentials belong to."""
    return Me(id=caller.id, name=caller.name, role=caller.role)


@router.get("/settings")
async def list_settings(caller: CallerOf) -> list[SettingShown]:
    """Every setting as it counts for the caller."""
    async with reading() as session:
        found = await accounts.list_settings(session, caller.id)
    return [
        SettingShown(
            name=one.spec.name,
            label=one.spec.label,
            effect=one.spec.effect,
            value=one.value,
            source=one.source,
            locked=one.locked,
        )
        for one in found
    ]


@router.put("/settings/{name}")
async def change_setting(caller: CallerOf, name: str, asked: SettingAsked) -> list[SettingShown]:
    """Change a setting; one of the instance takes an admin."""
    check_may_set(caller, name)
    async with transaction() as session:
        await pipeline.change_setting(session, caller.id, name, asked.value)
    return await list_settings(caller)


@router.get("/tokens")
async def list_tokens(caller: CallerOf) -> list[TokenShown]:
    """The caller's tokens."""
    async with reading() as session:
        found = await accounts.list_tokens(session, caller.id)
    return [TokenShown(**_plain(token)) for token in found]


@router.post("/tokens", status_code=201)
async def add_token(caller: CallerOf, asked: TokenAsked) -> TokenMade:
    """Make a token; only a login may, never another token."""
    if caller.session_id is None:
        raise Forbidden("A token cannot make tokens; log in to make one.", code="login_only")
    async with transaction() as session:
        token, text = await accounts.add_token(
            session, caller.id, asked.name, asked.scopes, expires_at=asked.expires_at
        )
    return TokenMade(text=text, **_plain(token))


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(caller: CallerOf, token_id: UUID) -> Response:
    """Revoke a token; open feeds that it opened end at once."""
    async with transaction() as session:
        await accounts.revoke_token(session, caller.id, token_id)
    return Response(status_code=204)


def _plain(token: Any) -> dict[str, Any]:
    return {name: getattr(token, name) for name in ("id", "name", "scopes", "created_at", "seen_at", "expires_at")}
