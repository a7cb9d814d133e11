"""``doctor``, ``db verify`` and ``users``: looking after the instance."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import __version__, accounts, pipeline
from soundforge.app import Rooms
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import run_command
from soundforge.config import Settings, address_of
from soundforge.db import reading, transaction
from soundforge.errors import NotFound, SoundForgeError, Unavailable
from soundforge.storage import DiskStorage, StorageCheck
from soundforge.tables import User
from soundforge.tools import Tools
from soundforge.views import Check, Health, check_database, check_storage, check_tools, plain

users = App(name="users", help="Who may use the studio.")
database = App(name="db", help="The database and the files it speaks of.")


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(doctor)
    for group in (users, database):
        app.command(group)


def doctor(*, json: bool = False) -> int:
    """Say what is effective on this machine, and whether it works. Exits with 1 when something does not."""
    settings = Settings()
    if not json:
        _tell_settings(settings)  # first: they may be what is wrong
    tools = check_tools(Tools(settings.tools_folder))
    health = Health((*_check_database(settings), *asyncio.run(_check_storage(settings)), *tools))
    if json:
        say_json({"version": __version__, "settings": shown_settings(settings), "health": plain(health)})
    else:
        for check in health.checks:
            say(f"{'ok  ' if check.is_good else 'BAD '} {check.name}: {check.sentence}")
    return 0 if health.is_good else 1


def _check_database(settings: Settings) -> tuple[Check, ...]:
    found: list[Check] = []

    async def body(_rooms: Rooms) -> int:
        found.extend(await check_database())
        return 0

    try:
        run_command(body, settings)
    except SoundForgeError as error:
        if error.code != "storage_away":  # that is told beside it
            found.append(Check("database", is_good=False, sentence=error.sentence))
    return tuple(found)


async def _check_storage(settings: Settings) -> tuple[Check, ...]:
    """Look at storage without the database: one may be well when the other is not."""
    try:
        storage = await asyncio.to_thread(DiskStorage, settings.storage_folder)
    except Unavailable as error:
        return (Check("storage", is_good=False, sentence=error.sentence),)
    return await check_storage(StorageCheck(storage))


def shown_settings(settings: Settings) -> dict[str, str]:
    """Every setting of the process as it is effective; secrets are not shown."""
    return {name: str(value) for name, value in settings.model_dump().items()}


@database.command
def verify(*, json: bool = False) -> int:
    """Check that rows, files, sizes, hashes, jobs and processes agree. Exits with 1 when they do not."""

    async def body(rooms: Rooms) -> int:
        findings = await pipeline.verify(rooms.settings, rooms.storage)
        if json:
            say_json([plain(finding) for finding in findings])
        else:
            for finding in findings:
                say(f"{finding.code}: {finding.sentence}")
            say("Everything agrees." if not findings else f"{len(findings)} findings.")
        return 1 if findings else 0

    return run_command(body)


@users.command
def add(name: str, *, role: str = "member", json: bool = False) -> int:
    """Add a user and print the one-time link that sets the password.

    Parameters
    ----------
    name
        What they log in with.
    role
        "member" or "admin".
    json
        Print the user and the link as JSON.

    """

    async def body(rooms: Rooms) -> int:
        async with transaction() as session:
            user = await accounts.add_user(session, name, role=role)
            told = {"id": user.id, "name": user.name, "role": user.role}
            link = _link(rooms.settings, await accounts.new_link(session, user))
        say_json({**told, "link": link}) if json else say(link)
        return 0

    return run_command(body)


@users.command
def link(name: str = "owner", *, json: bool = False) -> int:
    """Print a new one-time link that sets a user's password; older links of theirs are void."""

    async def body(rooms: Rooms) -> int:
        async with transaction() as session:
            user = await accounts.find_user(session, name)
            if user is None:
                raise NotFound(f"There is no user {name}.", code="user_not_found")
            link = _link(rooms.settings, await accounts.new_link(session, user))
        say_json({"name": name, "link": link}) if json else say(link)
        return 0

    return run_command(body)


@users.command
def disable(name: str) -> int:
    """Lock a user out: every session and token of theirs ends now."""
    return _change_user(name, accounts.disable_user)


@users.command
def enable(name: str) -> int:
    """Let a disabled user log in again."""
    return _change_user(name, accounts.enable_user)


@users.command(name="list")
def list_users(*, json: bool = False) -> int:
    """List the users."""

    async def body(_rooms: Rooms) -> int:
        async with reading() as session:
            found = await accounts.list_users(session)
        rows = [{"name": one.name, "role": one.role, "disabled": one.disabled_at is not None} for one in found]
        if json:
            say_json(rows)
        else:
            for row in rows:
                say(f"{row['name']}  {row['role']}{'  disabled' if row['disabled'] else ''}")
        return 0

    return run_command(body)


def _change_user(name: str, change: Callable[[AsyncSession, UUID], Awaitable[User]]) -> int:
    async def body(_rooms: Rooms) -> int:
        async with transaction() as session:
            user = await accounts.find_user(session, name)
            if user is None:
                raise NotFound(f"There is no user {name}.", code="user_not_found")
            await change(session, user.id)
        return 0

    return run_command(body)


def _link(settings: Settings, token: str) -> str:
    if settings.port == 0:  # a free one was picked at the start, and only the start has told which
        return f"link/{token} (behind the address that the studio told when it started)"
    return f"{address_of(settings.host, settings.port)}link/{token}"


def _tell_settings(settings: Settings) -> None:
    say(f"Sound Forge Alchemy {__version__}, Python {sys.version.split()[0]}, {Path(sys.executable)}")
    for name, value in shown_settings(settings).items():
        say(f"     {name} = {value}")
