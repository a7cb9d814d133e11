import asyncio
import socket

from soundforge.config import Settings
from soundforge.web import bind_port


async def test_connections_send_at_once_and_do_not_wait_for_more(settings: Settings) -> None:
    """Else an answer of two parts waits 40 ms for the reader to say that it has the first one."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken: socket.socket = writer.get_extra_info("socket")
        accepted.set_result(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = bind_port(settings.model_copy(update={"port": 0}))
    async with await asyncio.start_server(note, sock=listening):
        _reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
        assert await asyncio.wait_for(accepted, 10) != 0
        writer.close()
