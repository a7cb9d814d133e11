"""People for tests."""

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.tables import User

PASSWORD = "correct horse battery"


async def make_user(session: AsyncSession, name: str = "ann", *, role: str = "member", password: str = "") -> User:
    """Add a user; with a password when one is given (which takes a while: it is hashed as in real life)."""
    user = await accounts.add_user(session, name, role=role)
    if password:
        await accounts.set_password_by_link(session, await accounts.new_link(session, user), password)
    return user
