"""Where a program behind the gate can go, and where it cannot. Names lead where a test says; the far side is ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soundforge.http import Gate, open_gate

SITES = frozenset({"youtube.com", "bandcamp.com"})
PUBLIC = "142.250.74.46"


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


class Street:
    """The gate, and what lies behind it."""

    def __init__(self, path: Path, gate: Gate, tried: list[str]) -> None:
        self.path, self.gate, self.tried = path, gate, tried

    async def ask(self, request: str) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        try:
            writer.write(request.encode("latin-1"))
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    async def connect(self, host: str, port: int | str = 443) -> bytes:
        return await self.ask(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\n")


@asynccontextmanager
async def street(
    folder: Path, resolve: Callable[[str, int], Awaitable[list[str]]] | None = None
) -> AsyncIterator[Street]:
    tried: list[str] = []

    async def public(_host: str, _port: int) -> list[str]:
        return [PUBLIC]

    async with echo() as port:

        async def connect(address: str, _port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            tried.append(address)
            return await asyncio.open_connection("127.0.0.1", port)

        path = folder / "gate"
        async with open_gate(path, SITES, resolve=resolve or public, connect=connect) as gate:
            yield Street(path, gate, tried)
    assert not path.exists()


@pytest.mark.parametrize("host", ["youtube.com", "www.youtube.com", "WWW.YouTube.com", "ann.bandcamp.com"])
async def test_a_site_on_the_list_is_reached_at_the_address_that_was_checked(tmp_path: Path, host: str) -> None:
    async with street(tmp_path) as way:
        assert (await way.connect(host)).startswith(b"HTTP/1.1 200")
        assert (way.tried, way.gate.refused) == ([PUBLIC], [])


async def test_bytes_go_both_ways_until_both_have_ended(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4000
    async with street(tmp_path) as way:
        reader, writer = await asyncio.open_unix_connection(str(way.path))
        writer.write(b"CONNECT youtube.com:443 HTTP/1.1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(body)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 10) == body
        writer.close()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "youtube.com.evil.example",
        "notyoutube.com",
        "youtube.com.",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00:ec2::254]",
        "localhost",
        "metadata.google.internal",
        "youtube.com@127.0.0.1",
        "127.0.0.1#.youtube.com",
        "127.0.0.1/.youtube.com",
        "127.0.0.1%00.youtube.com",
        "-.youtube.com",
        ".youtube.com",
        "a..youtube.com",
        "youtube.com:443@evil.example",
        "yout\u00fcbe.com",
        "",
    ],
)
async def test_no_other_host_is_reached_however_it_is_written(tmp_path: Path, host: str) -> None:
    async with street(tmp_path) as way:
        assert (await way.connect(host)).startswith(b"HTTP/1.1 403")
        assert way.tried == []
        assert way.gate.refused


@pytest.mark.parametrize("port", [80, 22, 5432, 8443, 0, 99999, "443x", "+443", " 443", ""])
async def test_no_other_port_is_open(tmp_path: Path, port: int | str) -> None:
    async with street(tmp_path) as way:
        assert (await way.connect("youtube.com", port)).startswith(b"HTTP/1.1 403")
        assert way.tried == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["0.0.0.0"],
        ["10.0.0.1"],
        ["172.16.0.1"],
        ["192.168.1.1"],
        ["100.64.0.1"],
        ["169.254.169.254"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["::1"],
        ["::"],
        ["fe80::1"],
        ["fc00::1"],
        ["fd00:ec2::254"],
        ["::ffff:127.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["2001:0:7f00:1::"],
        [PUBLIC, "127.0.0.1"],
    ],
    ids=",".join,
)
async def test_a_listed_name_that_leads_into_a_private_network_is_refused(tmp_path: Path, addresses: list[str]) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return addresses

    async with street(tmp_path, resolve) as way:
        assert (await way.connect("youtube.com")).startswith(b"HTTP/1.1 403")
        assert way.tried == []


@pytest.mark.parametrize("fault", [OSError("no such name"), None])
async def test_a_name_without_an_address_is_away_and_not_forbidden(tmp_path: Path, fault: OSError | None) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        if fault:
            raise fault
        return []

    async with street(tmp_path, resolve) as way:
        assert (await way.connect("youtube.com")).startswith(b"HTTP/1.1 502")


async def test_a_name_is_looked_up_once_and_cannot_lead_elsewhere_the_second_time(tmp_path: Path) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    async def rebound(_host: str, _port: int) -> list[str]:
        return next(answers)

    async with street(tmp_path, rebound) as way:
        assert (await way.connect("youtube.com")).startswith(b"HTTP/1.1 200")
        assert (await way.connect("youtube.com")).startswith(b"HTTP/1.1 403")
        assert way.tried == [PUBLIC]


async def test_closing_with_an_open_tunnel_ends_it_and_logs_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with street(tmp_path) as way:
        reader, writer = await asyncio.open_unix_connection(str(way.path))
        writer.write(b"CONNECT youtube.com:443 HTTP/1.1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await asyncio.sleep(0)  # whoever made the tunnel's task looks at its end now
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize(
    "request_",
    [
        "GET https://www.youtube.com/ HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n",
        "GET http://127.0.0.1:8000/ HTTP/1.1\r\n\r\n",
        "GET file:///etc/passwd HTTP/1.1\r\n\r\n",
        "CONNECT youtube.com:443\r\n\r\n",
        "connect youtube.com:443 HTTP/1.1\r\n\r\n",
        "CONNECT  youtube.com:443 HTTP/1.1\r\n\r\n",
        "\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50\r\n\r\n",
        "\x16\x03\x01\x02\x00\r\n\r\n",
    ],
)
async def test_anything_but_a_tunnel_is_refused(tmp_path: Path, request_: str) -> None:
    async with street(tmp_path) as way:
        assert (await way.ask(request_)).startswith(b"HTTP/1.1 403")
        assert way.tried == []


async def test_an_endless_head_is_cut_off(tmp_path: Path) -> None:
    async with street(tmp_path) as way:
        assert await way.ask("CONNECT youtube.com:443 HTTP/1.1\r\nX: " + "x" * 100_000) == b""
        assert way.tried == []


async def test_a_gate_may_lie_deep_in_the_file_system(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    async def public(_host: str, _port: int) -> list[str]:
        return [PUBLIC]

    async with open_gate(deep / "gate", SITES, resolve=public):
        assert (deep / "gate").is_socket()
    assert not (deep / "gate").exists()
