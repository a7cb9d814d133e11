"""What commands that need rows share: an open studio without pages, and whom they act as."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from soundforge import accounts
from soundforge.app import Rooms, open_rooms
from soundforge.cli._signals import ending_in_order
from soundforge.config import Settings
from soundforge.db import open_server, transaction
from soundforge.errors import NotFound


def run_command(body: Callable[[Rooms], Awaitable[int]], settings: Settings | None = None) -> int:
    """Start or join the database server, open the rooms, run the command; a signal ends it in order."""
    chosen = settings or Settings()

    async def run(dsn: str) -> int:
        async with open_rooms(chosen, dsn) as rooms:
            return await body(rooms)

    with ending_in_order() as ending, open_server(chosen) as dsn:
        return ending.run(run(dsn))


def run_as(user: str | None, body: Callable[[UUID], Awaitable[int]]) -> int:
    """Run a command that acts on somebody's library: the owner's, unless another user is named."""

    async def run(_rooms: Rooms) -> int:
        return await body(await find_user_id(user))

    return run_command(run)


async def find_user_id(name: str | None) -> UUID:
    """The id of the user a command acts as: the owner, unless another is named."""
    async with transaction() as session:
        if name is None:
            return (await accounts.ensure_owner(session)).id
        user = await accounts.find_user(session, name)
    if user is None:
        raise NotFound(f"There is no user {name}.", code="user_not_found")
    return user.id
