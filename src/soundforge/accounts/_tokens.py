"""API tokens: keys for programs, with scopes, shown once, never accepted as a cookie."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.accounts._secrets import digest, new_secret
from soundforge.accounts._users import get_user
from soundforge.errors import Forbidden, Invalid, NotFound
from soundforge.events import SessionEnded, publish
from soundforge.tables import ApiToken, User

SCOPES: Final = ("read", "write", "admin")  # each includes those before it

_PREFIX = "sfa_"  # so that a token is known for what it is where it should not be: in a log, in a repository
_LONGEST_NAME = 100
_WRITTEN_EVERY = timedelta(minutes=5)


async def add_token(
    session: AsyncSession,
    user_id: UUID,
    name: str,
    scopes: Collection[str],
    *,
    expires_at: datetime | None = None,
    granted_by: Collection[str] = SCOPES,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which nobody can show again.

    ``granted_by`` are the scopes of whoever asks: no token makes one that may more than itself.

    Raises:
        Invalid: ``bad_token``: no name, no scope or an unknown one, a time that is past.
        Forbidden: ``scope_too_wide``.

    """
    label = " ".join(name.split())
    _check(label, scopes, expires_at)
    user = await get_user(session, user_id)
    if not set(scopes) <= _widened(granted_by) or ("admin" in scopes and user.role == "member"):
        raise Forbidden("A token cannot get rights that you do not have.", code="scope_too_wide")
    text = _PREFIX + new_secret()
    kept = [scope for scope in SCOPES if scope in scopes]
    token = ApiToken(user_id=user_id, name=label, token_hash=digest(text), scopes=kept, expires_at=expires_at)
    session.add(token)
    await session.flush()
    await session.refresh(token)
    return token, text


async def list_tokens(session: AsyncSession, user_id: UUID) -> list[ApiToken]:
    """Return somebody's tokens that were not revoked, the oldest first."""
    theirs = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    return [*await session.scalars(theirs.order_by(ApiToken.created_at, ApiToken.id))]


async def find_token(session: AsyncSession, text: str) -> tuple[User, ApiToken] | None:
    """Return the user and the token behind a text, unless it was revoked or ran out. Writes nothing."""
    if not text.startswith(_PREFIX):
        return None
    good = (
        ApiToken.token_hash == digest(text),
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > datetime.now(UTC)),
        User.disabled_at.is_(None),
    )
    found = select(User, ApiToken).join(ApiToken, ApiToken.user_id == User.id).where(*good)
    row = (await session.execute(found)).one_or_none()
    return (row[0], row[1]) if row else None


async def note_token_use(session: AsyncSession, token_id: UUID) -> None:
    """Write down that a token is in use, once in five minutes."""
    now = datetime.now(UTC)
    unseen = or_(ApiToken.seen_at.is_(None), ApiToken.seen_at < now - _WRITTEN_EVERY)
    await session.execute(update(ApiToken).where(ApiToken.id == token_id, unseen).values(seen_at=now))


async def revoke_token(session: AsyncSession, user_id: UUID, token_id: UUID) -> None:
    """Make one of somebody's own tokens void. Raises ``NotFound``."""
    theirs = (ApiToken.user_id == user_id, ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
    revoking = update(ApiToken).where(*theirs).values(revoked_at=datetime.now(UTC)).returning(ApiToken.id)
    if await session.scalar(revoking) is None:
        raise NotFound("There is no such token.", code="token_not_found")
    await publish(session, SessionEnded(owner_id=user_id, token_id=token_id))


async def revoke_all_tokens(session: AsyncSession, user_id: UUID) -> None:
    """Make every token of somebody void."""
    for token in await list_tokens(session, user_id):
        await revoke_token(session, user_id, token.id)


def has_scope(scopes: Collection[str], needed: str) -> bool:
    """Tell whether ``scopes`` allow what needs one of them: who may write may read."""
    return needed in _widened(scopes)


def _widened(scopes: Collection[str]) -> frozenset[str]:
    highest = max((SCOPES.index(scope) for scope in scopes if scope in SCOPES), default=-1)
    return frozenset(SCOPES[: highest + 1])


def _check(label: str, scopes: Collection[str], expires_at: datetime | None) -> None:
    if not 0 < len(label) <= _LONGEST_NAME or not label.isprintable():
        raise _bad("name", f"A token has a name of 1 to {_LONGEST_NAME} characters.")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise _bad("scopes", f"A token has one or more of the scopes {', '.join(SCOPES)}.")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise _bad("expires_at", "A token cannot have run out before it is made.")


def _bad(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, code="bad_token", fields={field: sentence})
