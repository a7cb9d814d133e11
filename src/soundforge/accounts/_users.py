"""Users: the owner of the first start, and whoever was added since."""

import re
import unicodedata
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import Conflict, Forbidden, Invalid, NotFound
from soundforge.tables import User

_NAME = re.compile(r"[\w][\w.@+-]{0,63}")
_ROLES = ("admin", "member")


async def ensure_owner(session: AsyncSession) -> User:
    """Return the owner of this studio; the first start creates them, without a password."""
    await session.execute(insert(User).values(name="owner", role="owner").on_conflict_do_nothing())
    owner = await session.scalar(select(User).where(User.role == "owner").order_by(User.created_at, User.id).limit(1))
    if owner is None:
        raise Conflict("A user who is not the owner has the name “owner”.", code="owner_missing")
    return owner


async def add_user(session: AsyncSession, name: str, *, role: str = "member") -> User:
    """Add somebody; they get in by ``new_link``.

    Raises:
        Invalid: ``bad_name`` or ``bad_role``.
        Conflict: ``name_taken``.

    """
    _check_role(role)
    adding = insert(User).values(name=_new_name(name), role=role).on_conflict_do_nothing().returning(User)
    user = await session.scalar(adding)
    if user is None:
        raise Conflict("There is already a user of this name.", code="name_taken")
    return user


async def get_user(session: AsyncSession, user_id: UUID) -> User:
    """Return a user. Raises ``NotFound``."""
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.", code="user_not_found")
    return user


async def find_user(session: AsyncSession, name: str) -> User | None:
    """Return the user of this name, in whatever case it is written."""
    return await session.scalar(select(User).where(User.name == _normal(name)))


async def list_users(session: AsyncSession) -> list[User]:
    """Return everybody, the oldest first."""
    return [*await session.scalars(select(User).order_by(User.created_at, User.id))]


async def change_role(session: AsyncSession, user_id: UUID, role: str) -> User:
    """Make somebody a member or an admin; what they own, and their logins, stay.

    Raises:
        Invalid: ``bad_role``.
        NotFound: ``user_not_found``.
        Conflict: ``owner_stays``.

    """
    _check_role(role)
    user = await get_user(session, user_id)
    if user.role == "owner":
        raise Conflict("The owner of the studio stays its owner.", code="owner_stays")
    await session.execute(update(User).where(User.id == user_id).values(role=role))
    await session.refresh(user)
    return user


def check_may_manage(manager_role: str, role: str) -> None:
    """Refuse to look after somebody of this role: an admin looks after members, the owner after everybody else.

    Otherwise an admin could let themselves in as the owner, by a one-time link. Raises ``Forbidden`` ("owner_only").
    """
    if manager_role != "owner" and role != "member":
        raise Forbidden("Only the owner of the studio may look after admins.", code="owner_only")


async def is_set_up(session: AsyncSession) -> bool:
    """Tell whether somebody has a password. Until then only a one-time link leads in."""
    return bool(await session.scalar(select(exists().where(User.password_hash.is_not(None)))))


def _check_role(role: str) -> None:
    if role not in _ROLES:
        raise Invalid(f"A role is one of: {', '.join(_ROLES)}.", code="bad_role", fields={"role": role})


def _normal(name: str) -> str:
    """Return the one way in which a name is kept and looked for."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _new_name(name: str) -> str:
    kept = _normal(name)
    if not _NAME.fullmatch(kept):
        sentence = "A name has 1 to 64 letters, digits and . @ + - _ and begins with a letter or digit."
        raise Invalid(sentence, code="bad_name", fields={"name": sentence})
    return kept
