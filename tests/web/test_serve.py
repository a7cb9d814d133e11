import asyncio
import socket
import time

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from soundforge.config import Settings
from soundforge.events import Listener
from soundforge.web import Studio, bind_port, open_monitor, serve_web
from tests.support.fakes_storage import MemoryStorage

DEADLINE_S = 20.0


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


async def test_an_event_loop_that_stands_still_is_told_in_the_log_and_for_how_long() -> None:
    with capture_logs() as log:
        async with open_monitor(), asyncio.timeout(DEADLINE_S):
            while not log:
                for _ in range(3):
                    await asyncio.sleep(0)  # the watch begins to wait
                until = time.monotonic() + 0.3
                while time.monotonic() < until:
                    pass
    blocked = log[0]
    assert (blocked["event"], blocked["log_level"]) == ("loop.blocked", "warning")
    assert blocked["ms"] > 100


async def who_asks(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for the pages: says who the server takes the visitor for."""
    request = Request(scope)
    await JSONResponse([request.client.host if request.client else "", request.url.scheme])(scope, receive, send)


@pytest.mark.parametrize(
    ("trusted", "seen"), [("127.0.0.1", ["203.0.113.7", "https"]), ("192.0.2.1", ["127.0.0.1", "http"])]
)
async def test_a_proxy_is_believed_where_the_environment_names_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, trusted: str, seen: list[str]
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    studio = Studio(settings, MemoryStorage(), Listener())
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    listening = bind_port(settings.model_copy(update={"port": 0}))
    serving = asyncio.create_task(serve_web(studio, who_asks, listening, told=told.set_result))
    try:
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        async with httpx2.AsyncClient(base_url=await told) as proxy:
            assert (await proxy.get("/", headers=headers)).json() == seen
    finally:
        studio.stopping.set()
        await serving
