"""How people get in and out: one-time links, passwords, logging in, being shut out."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.accounts._passwords import hash_password, verify_password
from soundforge.accounts._secrets import digest, new_secret
from soundforge.accounts._sessions import revoke_sessions, start_session
from soundforge.accounts._tokens import revoke_all_tokens
from soundforge.accounts._users import find_user, get_user
from soundforge.errors import Conflict, Forbidden, NotFound
from soundforge.tables import User

LINK_LASTS = timedelta(hours=24)


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


async def set_password_by_link(session: AsyncSession, token: str, password: str) -> User:
    """Set the password of a link's user, use the link up, and end all earlier logins.

    Raises:
        NotFound: ``link_void``: used, too old, or never made.
        Invalid: ``bad_password``; the link stays good.

    """
    holder = await find_link(session, token)
    if holder is None:
        raise _void()
    fresh = {
        "password_hash": await hash_password(password, name=holder.name),
        "link_hash": None,
        "link_expires_at": None,
    }
    # The link is asked for again: of two who use it at once, one wins.
    using = update(User).where(User.id == holder.id, *_link_is_good(token)).values(**fresh).returning(User.id)
    if await session.scalar(using) is None:
        raise _void()
    await revoke_sessions(session, holder.id)
    return holder


async def change_password(
    session: AsyncSession, user_id: UUID, old: str, new: str, *, keep_session_id: UUID | None = None
) -> None:
    """Change somebody's own password and end their other logins.

    Raises:
        Forbidden: ``wrong_password``.
        Invalid: ``bad_password``.

    """
    user = await get_user(session, user_id)
    fits, _ = await verify_password(old, user.password_hash)
    if not fits:
        raise Forbidden("The present password is not right.", code="wrong_password")
    fresh = await hash_password(new, name=user.name)
    await session.execute(update(User).where(User.id == user_id).values(password_hash=fresh))
    await revoke_sessions(session, user_id, keep=keep_session_id)


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


async def log_in(session: AsyncSession, name: str, password: str, *, agent: str = "") -> tuple[User, str]:
    """Check a password and open a session; returns its user and its token for the cookie.

    A token is new with each login, whatever the browser sent before.

    Raises:
        Forbidden: ``wrong_login``, whether the name or the password is wrong or the user is disabled.

    """
    user = await find_user(session, name)
    fits, better = await verify_password(password, user.password_hash if user else None)
    if user is None or not fits or user.disabled_at is not None:
        raise Forbidden("The name or the password is wrong.", code="wrong_login")
    if better:
        await session.execute(update(User).where(User.id == user.id).values(password_hash=better))
    return user, await start_session(session, user.id, agent=agent)


def _link_is_good(token: str) -> tuple[ColumnElement[bool], ...]:
    return (User.link_hash == digest(token), User.link_expires_at > datetime.now(UTC), User.disabled_at.is_(None))


def _void() -> NotFound:
    return NotFound("This link was used already or is too old; ask for a new one.", code="link_void")
