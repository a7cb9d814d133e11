"""Accounts, for admins: list, invite, change, a new one-time link."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from soundforge import accounts
from soundforge.db import reading
from soundforge.tables import User
from soundforge.web._access import AdminOf
from soundforge.web._people import change_person, invite

router = APIRouter(prefix="/api/v1", tags=["people"])


class PersonShown(BaseModel):
    """Somebody who may use the studio, or might again."""

    id: UUID
    name: str
    role: str
    is_disabled: bool
    has_password: bool
    created_at: datetime


class PersonInvited(PersonShown):
    """Somebody new, or with a new link; it sets the password once, within a day."""

    link: str


class PersonAsked(BaseModel):
    """Whom to add."""

    name: str = Field(min_length=1, max_length=100)
    role: Literal["member", "admin"] = "member"


class ChangeAsked(BaseModel):
    """What to do about somebody."""

    act: Literal["disable", "enable", "admin", "member"]


@router.get("/users")
async def list_people(caller: AdminOf) -> list[PersonShown]:  # noqa: ARG001 - who may see it
    """Everybody, the oldest first."""
    async with reading() as session:
        return [PersonShown(**_plain(user)) for user in await accounts.list_users(session)]


@router.post("/users", status_code=201)
async def invite_person(request: Request, caller: AdminOf, asked: PersonAsked) -> PersonInvited:
    """Add somebody; their one-time link is in the answer, once. Only the owner adds admins."""
    person, token = await invite(caller, asked.name, asked.role)
    return PersonInvited(link=f"{request.base_url}link/{token}", **_plain(person))


@router.patch("/users/{user_id}")
async def change(caller: AdminOf, user_id: UUID, asked: ChangeAsked) -> PersonShown:
    """Disable or enable somebody, or change their role; only the owner looks after admins."""
    person, _token = await change_person(caller, user_id, asked.act)
    return PersonShown(**_plain(person))


@router.post("/users/{user_id}/link", status_code=201)
async def new_link(request: Request, caller: AdminOf, user_id: UUID) -> PersonInvited:
    """A new one-time link that sets somebody's password; an earlier one is void."""
    person, token = await change_person(caller, user_id, "link")
    return PersonInvited(link=f"{request.base_url}link/{token}", **_plain(person))


def _plain(user: User) -> dict[str, object]:
    shown = {name: getattr(user, name) for name in ("id", "name", "role", "created_at")}
    return {**shown, "is_disabled": user.disabled_at is not None, "has_password": user.password_hash is not None}
