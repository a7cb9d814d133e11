"""A gate for programs that fetch by themselves: a CONNECT proxy that leads to a closed list of sites and nowhere else.

It listens on a Unix socket, because such a socket is reached from a network namespace that has no other way out. A
name is looked up here, every address that it has must be public, and the connection goes to an address that was
checked. What runs through it is encrypted end to end; the gate sees names and bytes.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from soundforge import logs
from soundforge.http._addresses import Resolve, is_public, look_up

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Connect = Callable[[str, int], Awaitable[Streams]]

_PORT: Final = 443
_HEAD_BYTES, _HEAD_S, _CONNECT_S = 8192, 10.0, 10.0
_CHUNK = 1 << 16
_TRIED_ADDRESSES = 3
_MOST_TUNNELS = 64
_SHORT_PATH = 90  # a Unix socket's path has little more than a hundred bytes
_ASKED = re.compile(rb"CONNECT ([A-Za-z0-9.-]{1,253}):(\d{1,5}) HTTP/1\.[01]\r\n")
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")

log = logs.get(__name__)


@dataclass
class Gate:
    """An open gate: which sites it leads to, each with all hosts below it, and which hosts it refused."""

    sites: frozenset[str]
    resolve: Resolve
    connect: Connect
    refused: list[str] = field(default_factory=list)
    _tunnels: set[asyncio.Task[None]] = field(default_factory=set)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection: a request for a tunnel, then its bytes.

        The task is ours: of one that asyncio makes, Python 3.12.1 logs it as an error when it is cancelled.
        """
        if len(self._tunnels) >= _MOST_TUNNELS:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._tunnel(reader, writer), name="gate-tunnel")
        self._tunnels.add(task)
        task.add_done_callback(self._tunnels.discard)

    async def close(self) -> None:
        """End every tunnel."""
        for task in self._tunnels:
            task.cancel()
        if self._tunnels:
            await asyncio.wait(self._tunnels)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("gate_tunnel_ended", error=repr(error))
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
        host, why = self._read(head)
        far = f"403 {why}" if why else await self._open(host)
        if not isinstance(far, str):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join((reader, writer), far)
            return
        self.refused.append(f"{host or '?'}: {far}")
        log.warning("gate_refused", host=host, why=far)
        writer.write(f"HTTP/1.1 {far}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()

    def _read(self, head: bytes) -> tuple[str, str]:
        """Read a request; give its host, and why it is refused, "" where it is not."""
        asked = _ASKED.match(head)
        if not asked:
            return "", "Only tunnels lead through here"
        host = asked[1].decode().lower()
        if int(asked[2]) != _PORT:
            return host, "Only port 443 is open"
        site = next((site for site in self.sites if host == site or host.endswith(f".{site}")), None)
        if not _NAME.fullmatch(host) or site is None:
            return host, "No such site is on the list"
        return host, ""

    async def _open(self, host: str) -> Streams | str:
        """Connect to a host, or give the status and the words of the refusal."""
        try:
            addresses = await self.resolve(host, _PORT)
        except OSError:
            addresses = []
        if not addresses:
            return "502 The name has no address"
        if not all(map(is_public, addresses)):
            return "403 The address lies in a private network"
        for address in addresses[:_TRIED_ADDRESSES]:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_S):
                    return await self.connect(address, _PORT)
        return "502 The site does not answer"


@asynccontextmanager
async def open_gate(
    path: Path,
    sites: frozenset[str],
    *,
    resolve: Resolve = look_up,
    connect: Connect = asyncio.open_connection,
) -> AsyncIterator[Gate]:
    """Listen on the new socket ``path`` while the block lasts. ``resolve`` and ``connect`` are the last step out."""
    gate = Gate(sites, resolve, connect)
    with _short(path) as name:
        server = await asyncio.start_unix_server(gate.serve, name, limit=_HEAD_BYTES)
    try:
        os.chmod(path, 0o600)  # noqa: PTH101 - pathlib is for threads here, and this is one call
        yield gate
    finally:
        server.close()
        await gate.close()
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - the same


async def _join(near: Streams, far: Streams) -> None:
    """Carry bytes both ways until both sides have ended."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(near[0], far[1]))
            both.create_task(_pump(far[0], near[1]))
    except* OSError as errors:
        log.debug("gate_tunnel_broke", error=repr(errors))
    finally:
        far[1].transport.abort()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Name a socket that lies deep in the file system by a path that is short enough to be bound."""
    if len(os.fsencode(path)) <= _SHORT_PATH or not Path("/proc/self/fd").exists():
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
