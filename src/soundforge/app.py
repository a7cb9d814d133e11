"""The composition root: settings → database → rooms → workers → web, started in this order, stopped in the other.

Everything that lives as long as the process is opened here, and nowhere else.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from soundforge import accounts, logs
from soundforge.config import Settings
from soundforge.db import open_database, reading, transaction
from soundforge.engines import (
    ANALYZER,
    DECODER,
    SEPARATORS,
    ModelStore,
    hear_stems,
    open_models,
)
from soundforge.events import open_listener
from soundforge.jobs import Node, open_node
from soundforge.pipeline import (
    PcmCache,
    Ports,
    bind,
    lacking,
    offer_demo,
    open_housekeeping,
    open_readiness,
    sweep_prefix,
)
from soundforge.sources import ToolDownloader
from soundforge.spotify import open_spotify
from soundforge.storage import DiskStorage
from soundforge.tables import migrate
from soundforge.tools import Tools

_log = logs.get(__name__)


@dataclass(frozen=True)
class Rooms:
    """What every command has: a migrated database that is open, the storage, an owner."""

    settings: Settings
    dsn: str
    storage: DiskStorage


@asynccontextmanager
async def open_rooms(settings: Settings, dsn: str) -> AsyncIterator[Rooms]:
    """Migrate and open the database, make the owner's account, open storage and key file."""
    await migrate(dsn)
    keyring = accounts.open_keyring(settings.data / "secret.key")
    storage = DiskStorage(settings.storage_folder)
    await storage.sweep()
    models = ModelStore(settings.models_folder, offline=settings.offline_models)
    with (
        open_models(models, Tools(settings.tools_folder)),
        accounts.open_settings(accounts.locked_by(settings), keyring),
    ):
        async with open_database(dsn):
            async with transaction() as session:
                await accounts.ensure_owner(session)
            yield Rooms(settings, dsn, storage)


@asynccontextmanager
async def open_workers(rooms: Rooms) -> AsyncIterator[Node]:
    """Work the queues of the settings: boot sweep and rescue first, running jobs put back at the end."""

    async def sweep(prefix: str) -> None:
        await sweep_prefix(rooms.storage, prefix)

    tools = Tools(rooms.settings.tools_folder)
    async with open_spotify(None) as spotify:
        ports = Ports(
            settings=rooms.settings,
            storage=rooms.storage,
            decoder=DECODER,
            separators=SEPARATORS,
            analyzer=ANALYZER,
            tools=tools,
            pcm=PcmCache(),
            hear_stems=hear_stems,
            spotify=spotify,
            downloader=ToolDownloader(tools, cookies=_cookies),
        )
        with bind(ports):
            opening = open_node(rooms.settings, rooms.dsn, on_sweep=sweep, lacking=await lacking())
            async with opening as node, open_readiness(node):
                yield node


async def serve(settings: Settings, dsn: str, *, told: Callable[[str], None]) -> None:
    """Serve the pages, the API and the queues until a signal comes; ``told`` hears where to go."""
    from soundforge import web  # noqa: PLC0415 - nearly half of a command's start, and only this one needs it

    async with contextlib.AsyncExitStack() as stack:
        listening = stack.enter_context(web.bind_port(settings))  # before anything is worked, or nothing is
        stopping = asyncio.Event()
        _on_signal(stopping)
        rooms = await stack.enter_async_context(open_rooms(settings, dsn))
        listener = await stack.enter_async_context(open_listener())
        studio = web.Studio(settings, rooms.storage, listener, stopping)
        pages = await asyncio.to_thread(web.create_app, studio)  # takes seconds: before the loop has jobs
        await stack.enter_async_context(open_workers(rooms))
        await stack.enter_async_context(open_housekeeping())
        await stack.enter_async_context(web.open_monitor())
        link = await _first_start()
        await web.serve_web(studio, pages, listening, told=lambda url: told(f"{url}{link}"))


async def work(settings: Settings, dsn: str) -> None:
    """Work the queues, without pages, until a signal comes."""
    stopping = asyncio.Event()
    _on_signal(stopping)
    async with open_rooms(settings, dsn) as rooms, open_workers(rooms), open_housekeeping():
        await stopping.wait()


async def _cookies() -> str:
    """The cookies that an admin gave the downloader; "" where there are none."""
    async with reading() as session:
        return str(await accounts.get_setting(session, None, "downloader_cookies"))


async def _first_start() -> str:
    """Until there is a password: offer the demo song, give the path of the one-time link that sets one; "" later."""
    async with transaction() as session:
        if await accounts.is_set_up(session):
            return ""
        owner = await accounts.ensure_owner(session)
        await offer_demo(session, owner)
        return f"link/{await accounts.new_link(session, owner)}"


def _on_signal(stopping: asyncio.Event) -> None:
    """Let Ctrl-C, SIGTERM and a terminal that is closed set it; under ``nohup`` the last is ignored, and stays so."""
    loop = asyncio.get_running_loop()
    is_kept_going = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number in (signal.SIGINT, signal.SIGTERM, *(() if is_kept_going else (signal.SIGHUP,))):
        loop.add_signal_handler(number, stopping.set)
