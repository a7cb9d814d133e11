"""The real spotdl and yt-dlp, as shipped, whose gate leads to the shelf's server instead of the world."""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from soundforge.children._environment import _runners_path
from soundforge.config import Settings
from soundforge.http import open_gate
from soundforge.sources import ToolDownloader
from soundforge.tools import Tools
from tests.support.require import tool_python
from tests.support.shelf_server import PLUGIN, ShelfServer

PUBLIC = "142.250.74.46"


def shipped_environment() -> dict[str, str]:
    """What the shipped adapter tells a program beside what every child is told."""
    argv = [str(tool_python("downloader"))]
    return ToolDownloader(Tools(Settings(_env_file=None).tools_folder)).environment(argv)


def real_downloader(server: ShelfServer, *, env: Mapping[str, str] | None = None, **more: Any) -> ToolDownloader:
    """Make it; its tools are those of this checkout's own data folder."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return [PUBLIC]

    async def connect(_address: str, _port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", server.port)

    told = {
        "PYTHONPATH": os.pathsep.join([str(PLUGIN), _runners_path()]),
        "SHELF_CA": str(server.ca),
        "YTDLP_NO_PLUGINS": "",
        **(env or {}),
    }
    gate = partial(open_gate, resolve=resolve, connect=connect)
    return ToolDownloader(Tools(Settings(_env_file=None).tools_folder), gate=gate, env=told, **more)
