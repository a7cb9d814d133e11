"""What admins do about accounts, for pages and API alike."""

from uuid import UUID

from soundforge import accounts
from soundforge.db import transaction
from soundforge.tables import User
from soundforge.web._access import Visitor


async def invite(manager: Visitor, name: str, role: str) -> tuple[User, str]:
    """Add somebody; gives them and the token of their one-time link. Raises what ``accounts.add_user`` raises."""
    accounts.check_may_manage(manager.role, role)
    async with transaction() as session:
        person = await accounts.add_user(session, name, role=role)
        return person, await accounts.new_link(session, person)


async def change_person(manager: Visitor, user_id: UUID, act: str) -> tuple[User, str]:
    """``act``: "disable", "enable", "admin", "member", "link"; gives the person, and for a link its token.

    Raises ``NotFound``, ``Forbidden`` ("owner_only") and ``Conflict`` ("owner_stays", "user_disabled").
    """
    async with transaction() as session:
        person = await accounts.get_user(session, user_id)
        accounts.check_may_manage(manager.role, person.role)
        if act == "link":
            return person, await accounts.new_link(session, person)
        if act in ("admin", "member"):
            accounts.check_may_manage(manager.role, act)
            return await accounts.change_role(session, user_id, act), ""
        change = accounts.disable_user if act == "disable" else accounts.enable_user
        person = await change(session, user_id)
        await session.refresh(person)
        return person, ""
