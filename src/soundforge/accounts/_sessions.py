"""Sessions: one for each browser that is logged in. Each use lengthens it; each end is told at once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.accounts._secrets import digest, new_secret
from soundforge.errors import NotFound
from soundforge.events import SessionEnded, publish
from soundforge.tables import Session, User

SESSION_LASTS = timedelta(days=30)  # without a visit

_WRITTEN_EVERY = timedelta(minutes=5)  # a write for each request would be many for no gain
_LONGEST_AGENT = 200


async def start_session(session: AsyncSession, user_id: UUID, *, agent: str = "") -> str:
    """Open a session and return its token for the cookie; ``agent`` is how the browser names itself."""
    token, now = new_secret(), datetime.now(UTC)
    shown = "".join(character for character in agent if character.isprintable())[:_LONGEST_AGENT]
    session.add(
        Session(user_id=user_id, token_hash=digest(token), expires_at=now + SESSION_LASTS, seen_at=now, agent=shown)
    )
    await session.flush()
    return token


async def find_session(session: AsyncSession, token: str) -> tuple[User, Session] | None:
    """Return the user and the session behind a cookie, unless it ended. Writes nothing."""
    found = select(User, Session).join(Session, Session.user_id == User.id)
    good = (Session.token_hash == digest(token), Session.expires_at > datetime.now(UTC), User.disabled_at.is_(None))
    row = (await session.execute(found.where(*good))).one_or_none()
    return (row[0], row[1]) if row else None


def is_stale(row: Session) -> bool:
    """Tell whether it is time to write down that the session is in use: :func:`extend_session`."""
    return datetime.now(UTC) - row.seen_at > _WRITTEN_EVERY


async def extend_session(session: AsyncSession, session_id: UUID) -> None:
    """Let a session that is in use last 30 days from now; one that ended stays so."""
    now = datetime.now(UTC)
    in_use = update(Session).where(Session.id == session_id, Session.expires_at > now)
    await session.execute(in_use.values(seen_at=now, expires_at=now + SESSION_LASTS))


async def log_out(session: AsyncSession, token: str) -> None:
    """End the session behind a cookie; one that ended already is no error."""
    ending = delete(Session).where(Session.token_hash == digest(token)).returning(Session.user_id, Session.id)
    for user_id, session_id in await session.execute(ending):
        await publish(session, SessionEnded(owner_id=user_id, session_id=session_id))


async def list_sessions(session: AsyncSession, user_id: UUID) -> list[Session]:
    """Return where somebody is logged in, the oldest first."""
    open_ones = select(Session).where(Session.user_id == user_id, Session.expires_at > datetime.now(UTC))
    return [*await session.scalars(open_ones.order_by(Session.created_at, Session.id))]


async def revoke_session(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """End one of somebody's own sessions. Raises ``NotFound``."""
    ending = delete(Session).where(Session.user_id == user_id, Session.id == session_id).returning(Session.id)
    if await session.scalar(ending) is None:
        raise NotFound("There is no such session.", code="session_not_found")
    await publish(session, SessionEnded(owner_id=user_id, session_id=session_id))


async def revoke_sessions(session: AsyncSession, user_id: UUID, *, keep: UUID | None = None) -> int:
    """End all sessions of somebody but the one to ``keep``; return how many ended."""
    ending = delete(Session).where(Session.user_id == user_id).returning(Session.id)
    if keep is not None:
        ending = ending.where(Session.id != keep)
    ended = [*await session.scalars(ending)]
    for session_id in ended:
        await publish(session, SessionEnded(owner_id=user_id, session_id=session_id))
    return len(ended)


async def remove_expired_sessions(session: AsyncSession) -> int:
    """Delete the rows of sessions that ran out; return how many there were."""
    gone = delete(Session).where(Session.expires_at <= datetime.now(UTC)).returning(Session.id)
    return len([*await session.scalars(gone)])
