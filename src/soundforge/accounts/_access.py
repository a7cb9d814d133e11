"""How people get in and out: one-time links, passwords, logging in, being shut out.

Hashing takes long and happens outside any transaction: read what is known, close, check or hash, and
open another one to write. The second one looks again whether what was read still holds.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.accounts._passwords import Hashed, verify_password
from soundforge.accounts._secrets import digest, new_secret
from soundforge.accounts._sessions import revoke_sessions, start_session
from soundforge.accounts._tokens import revoke_all_tokens
from soundforge.accounts._users import get_user
from soundforge.errors import Conflict, Forbidden, NotFound
from soundforge.tables import User

LINK_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Proof:
    """Somebody's password was right a moment ago. ``better`` is a fresh hash of it, where the known one is dated."""

    user_id: UUID
    known: str = field(repr=False)
    better: str | None = field(default=None, repr=False)


async def new_link(session: AsyncSession, user: User) -> str:
    """Make the token of a one-time link that sets a password within 24 hours; an earlier link is void.

    Raises:
        Conflict: ``user_disabled``.

    """
    token = new_secret()
    void_at = datetime.now(UTC) + LINK_LASTS
    making = update(User).where(User.id == user.id, User.disabled_at.is_(None)).returning(User.id)
    made = await session.scalar(making.values(link_hash=digest(token), link_expires_at=void_at))
    if made is None:
        raise Conflict("This user is disabled.", code="user_disabled")
    return token


async def find_link(session: AsyncSession, token: str) -> User | None:
    """Return the user whose link is still good."""
    return await session.scalar(select(User).where(*_link_is_good(token)))


async def get_link(session: AsyncSession, token: str) -> User:
    """Return the user whose link is still good. Raises ``NotFound``: ``link_void``."""
    holder = await find_link(session, token)
    if holder is None:
        raise _void()
    return holder


async def set_password_by_link(session: AsyncSession, token: str, fresh: Hashed) -> User:
    """Set the password of a link's user, use the link up, and end all earlier logins.

    Raises:
        NotFound: ``link_void``: used, too old, or never made.

    """
    used = {"password_hash": fresh.text, "link_hash": None, "link_expires_at": None}
    # Of two who use it at once, one wins.
    using = update(User).where(*_link_is_good(token)).values(**used).returning(User)
    holder: User | None = await session.scalar(using)
    if holder is None:
        raise _void()
    await revoke_sessions(session, holder.id)
    return holder


async def check_password(user: User, password: str) -> Proof:
    """Check somebody's present password; takes a while.

    Raises:
        Forbidden: ``wrong_password``.

    """
    fits, better = await verify_password(password, user.password_hash)
    if not fits or user.password_hash is None:
        raise _wrong_password()
    return Proof(user.id, user.password_hash, better)


async def change_password(
    session: AsyncSession, proof: Proof, fresh: Hashed, *, keep_session_id: UUID | None = None
) -> None:
    """Change somebody's own password and end their other logins.

    Raises:
        Forbidden: ``wrong_password``: it was changed since it was checked.

    """
    changing = update(User).where(*_still_holds(proof)).values(password_hash=fresh.text).returning(User.id)
    if await session.scalar(changing) is None:
        raise _wrong_password()
    await revoke_sessions(session, proof.user_id, keep=keep_session_id)


async def disable_user(session: AsyncSession, user_id: UUID) -> User:
    """Shut somebody out at once: their sessions, tokens and link end. What they own stays.

    Raises:
        NotFound: ``user_not_found``.
        Conflict: ``owner_stays``.

    """
    user = await get_user(session, user_id)
    if user.role == "owner":
        raise Conflict("The owner of the studio cannot be disabled.", code="owner_stays")
    out = {"disabled_at": datetime.now(UTC), "link_hash": None, "link_expires_at": None}
    await session.execute(update(User).where(User.id == user_id, User.disabled_at.is_(None)).values(**out))
    await revoke_all_tokens(session, user_id)
    await revoke_sessions(session, user_id)
    return user


async def enable_user(session: AsyncSession, user_id: UUID) -> User:
    """Let somebody in again; they log in anew, and their old tokens stay void."""
    user = await get_user(session, user_id)
    await session.execute(update(User).where(User.id == user_id).values(disabled_at=None))
    return user


async def check_login(user: User | None, password: str) -> Proof:
    """Check the password of who wants to log in; takes as long when there is no such user.

    Raises:
        Forbidden: ``wrong_login``, whether the name or the password is wrong or the user is disabled.

    """
    known = user.password_hash if user else None
    fits, better = await verify_password(password, known)
    if user is None or known is None or not fits or user.disabled_at is not None:
        raise _wrong_login()
    return Proof(user.id, known, better)


async def log_in(session: AsyncSession, proof: Proof, *, agent: str = "") -> str:
    """Open a session for who showed the right password; returns its token for the cookie.

    A token is new with each login, whatever the browser sent before.

    Raises:
        Forbidden: ``wrong_login``: the password was changed or the user disabled since it was checked.

    """
    kept = update(User).where(*_still_holds(proof)).values(password_hash=proof.better or proof.known)
    if await session.scalar(kept.returning(User.id)) is None:
        raise _wrong_login()
    return await start_session(session, proof.user_id, agent=agent)


def _link_is_good(token: str) -> tuple[ColumnElement[bool], ...]:
    return (User.link_hash == digest(token), User.link_expires_at > datetime.now(UTC), User.disabled_at.is_(None))


def _still_holds(proof: Proof) -> tuple[ColumnElement[bool], ...]:
    return (User.id == proof.user_id, User.password_hash == proof.known, User.disabled_at.is_(None))


def _wrong_login() -> Forbidden:
    return Forbidden("The name or the password is wrong.", code="wrong_login")


def _wrong_password() -> Forbidden:
    return Forbidden("The present password is not right.", code="wrong_password")


def _void() -> NotFound:
    return NotFound("This link was used already or is too old; ask for a new one.", code="link_void")
