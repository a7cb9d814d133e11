"""Who is asking: a session's cookie or a bearer token, looked up once a request."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from soundforge import accounts
from soundforge.db import reading, transaction
from soundforge.errors import Forbidden
from soundforge.tables import User
from soundforge.web._security import Credentials, NotLoggedIn, check_scope, needed_scope, read_credentials


@dataclass(frozen=True)
class Visitor:
    """A user who may ask, and what let them in."""

    id: UUID
    name: str
    role: str
    session_id: UUID | None
    token_id: UUID | None
    scopes: frozenset[str]
    credentials: Credentials

    @property
    def is_admin(self) -> bool:
        """Whether they may look after the instance."""
        return self.role in ("owner", "admin")


async def visitor(request: Request) -> Visitor:
    """The visitor of this request; raises ``NotLoggedIn`` (401), ``Forbidden`` ("scope_missing")."""
    credentials = read_credentials(request)
    found = await _find(credentials, request.method) if credentials else None
    if found is None:
        raise NotLoggedIn("Log in to see this.")
    request.state.user = found
    return found


async def browser_visitor(request: Request) -> Visitor:
    """The same, for pages: tokens are for programs and open no page."""
    found = await visitor(request)
    if found.session_id is None:
        raise NotLoggedIn("Pages are opened by logging in; a token is for the API.")
    return found


async def admin(request: Request) -> Visitor:
    """A visitor who looks after the instance; raises ``Forbidden`` ("admin_only")."""
    found = await visitor(request)
    if not found.is_admin:
        raise Forbidden("Only an admin may see this.", code="admin_only")
    if found.token_id is not None:
        check_scope(found.scopes, "admin")
    return found


VisitorOf = Annotated[Visitor, Depends(browser_visitor)]
CallerOf = Annotated[Visitor, Depends(visitor)]
AdminOf = Annotated[Visitor, Depends(admin)]


async def is_still_allowed(who: Visitor) -> bool:
    """Whether what let somebody in still does: asked while a feed is open."""
    return await _find(who.credentials, "GET") is not None


def check_may_set(caller: Visitor, name: str) -> None:
    """Refuse a member who would change a setting of everybody; raises ``Forbidden`` ("admin_only")."""
    spec = accounts.SETTINGS.get(name)
    by_token = caller.token_id is not None and "admin" not in caller.scopes
    if spec and spec.scope == "instance" and (not caller.is_admin or by_token):
        raise Forbidden("Only an admin may change a setting of everybody.", code="admin_only")


async def _find(credentials: Credentials, method: str) -> Visitor | None:
    if credentials.kind == "token":
        return await _by_token(credentials, method)
    async with reading() as session:
        found = await accounts.find_session(session, credentials.text)
    if found is None:
        return None
    user, row = found
    if accounts.is_stale(row):
        async with transaction() as session:
            await accounts.extend_session(session, row.id)
    return _visitor(user, credentials, session_id=row.id)


async def _by_token(credentials: Credentials, method: str) -> Visitor | None:
    async with transaction() as session:
        found = await accounts.find_token(session, credentials.text)
        if found is None:
            return None
        user, token = found
        check_scope(token.scopes, needed_scope(method))
        await accounts.note_token_use(session, token.id)
    return _visitor(user, credentials, token_id=token.id, scopes=frozenset(token.scopes))


def _visitor(
    user: User,
    credentials: Credentials,
    *,
    session_id: UUID | None = None,
    token_id: UUID | None = None,
    scopes: frozenset[str] = frozenset(),
) -> Visitor:
    return Visitor(user.id, user.name, user.role, session_id, token_id, scopes, credentials)
