"""The client against a real server on this machine: sockets, slowness, sizes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from soundforge.errors import Broken, Unavailable
from soundforge.http import Service, client

HERE = Service("house", frozenset({"localhost"}), body_bytes=100_000, read_s=5, total_s=5, inside=True)
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@asynccontextmanager
async def serving(answer: bytes, *, then_wait: bool = False) -> AsyncIterator[str]:
    """Answer every request with the same bytes, then close or say nothing more."""
    asked: list[bytes] = []
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
            if then_wait:
                await done.wait()
        except ConnectionError:
            pass  # the client broke off, as some tests want
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"
        done.set()


async def test_an_answer_comes_through() -> None:
    async with serving(HEAD + b"Content-Length: 2\r\n\r\nhi") as url, client(HERE) as http:
        assert (await http.get(f"{url}/")).text == "hi"


async def test_a_public_service_is_never_looked_for_on_this_machine() -> None:
    outside = replace(HERE, inside=False)
    async with client(outside) as http:
        with pytest.raises(Broken) as refused:
            await http.get("https://localhost/")
    assert refused.value.code == "address_not_allowed"


async def test_an_endless_answer_is_broken_off() -> None:
    async with serving(HEAD + b"\r\n" + b"x" * 300_000, then_wait=True) as url, client(HERE) as http:
        with pytest.raises(Broken) as refused:
            await http.get(f"{url}/")
    assert refused.value.code == "answer_too_large"


@pytest.mark.parametrize("sent", [b"", HEAD + b"Content-Length: 9\r\n\r\nhalf"], ids=["silent", "half"])
async def test_a_server_that_falls_silent_is_given_up(sent: bytes) -> None:
    async with serving(sent, then_wait=True) as url, client(replace(HERE, total_s=0.3)) as http:
        with pytest.raises(Unavailable) as slow:
            await http.get(f"{url}/")
    assert slow.value.code == "service_slow"


async def test_a_server_that_hangs_up_half_way_is_away() -> None:
    async with serving(HEAD + b"Content-Length: 9\r\n\r\nhalf") as url, client(HERE) as http:
        with pytest.raises(Unavailable) as away:
            await http.get(f"{url}/")
    assert away.value.code == "service_away"


async def test_a_closed_port_is_away() -> None:
    async with serving(b"") as url:
        pass
    async with client(HERE) as http:
        with pytest.raises(Unavailable) as away:
            await http.get(f"{url}/")
    assert away.value.code == "service_away"
