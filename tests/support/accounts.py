"""People for tests."""

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.tables import User

PASSWORD = "correct horse battery"


async def make_user(session: AsyncSession, name: str = "ann", *, role: str = "member", password: str = "") -> User:
    """Add a user; with a password when one is given (which takes a while: it is hashed as in real life)."""
    user = await accounts.add_user(session, name, role=role)
    if password:
        await set_password(session, user, password)
    return user


async def set_password(session: AsyncSession, user: User, password: str) -> None:
    """Give somebody a password by a new link."""
    fresh = await accounts.hash_password(password, name=user.name)
    await accounts.set_password_by_link(session, await accounts.new_link(session, user), fresh)


async def log_in(session: AsyncSession, name: str, password: str) -> str:
    """Log in with a password, as the page does; gives the token for the cookie."""
    proof = await accounts.check_login(await accounts.find_user(session, name), password)
    return await accounts.log_in(session, proof)
