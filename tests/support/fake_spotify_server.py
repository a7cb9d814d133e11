"""A Spotify that answers over HTTP: paging, tokens that run out, faults on demand. Real sockets, or none at all."""

import base64
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override
from urllib.parse import parse_qs, urlsplit

import httpx2

from soundforge.spotify import Places, places_on_loopback
from tests.support.fake_spotify import known_covers
from tests.support.fake_spotify_json import (
    album_json,
    embed_page,
    entry_json,
    playlist_json,
    simple_track_json,
    slice_json,
    track_json,
)
from tests.support.fake_spotify_world import PICTURE, World

MOST = 50


@dataclass(frozen=True)
class Asked:
    """A request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Told:
    """An answer. ``cut`` closes the connection instead; ``missing`` announces bytes that never come."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    missing: int = 0


@dataclass
class Fault:
    """What the next requests below a path meet instead of their answer."""

    path: str
    told: Told
    times: int = 1


def as_json(thing: object, status: int = 200) -> Told:
    return Told(status, json.dumps(thing).encode(), {"Content-Type": "application/json"})


def error(status: int, message: str, **more: str) -> Told:
    return as_json({"error": {"status": status, "message": message, **more}}, status)


class FakeSpotifyWire:
    """Spotify's side of the conversation. ``asked`` holds every request; ``faults`` come before any answer."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.expires_in_s = 3600
        self.refuses_every_token = False
        self._tokens: set[str] = set()
        self._given = 0
        self._lock = threading.RLock()

    def fail(self, path: str, told: Told, *, times: int = 1) -> None:
        self.faults.append(Fault(path, told, times))

    def expire_tokens(self) -> None:
        self._tokens.clear()

    @property
    def token_requests(self) -> int:
        return sum(asked.path == "/api/token" for asked in self.asked)

    @property
    def other_requests(self) -> int:
        return len(self.asked) - self.token_requests

    def answer(self, asked: Asked) -> Told:
        with self._lock:
            self.asked.append(asked)
            for fault in self.faults:
                if fault.times and asked.path.startswith(fault.path):
                    fault.times -= 1
                    return fault.told
            return self._route(asked)

    def _route(self, asked: Asked) -> Told:
        match asked.path.strip("/").split("/"):
            case ["api", "token"]:
                return self._token(asked)
            case ["embed", kind, identity]:
                page = embed_page(self.world, kind, identity).encode()
                return Told(200, page, {"Content-Type": "text/html; charset=utf-8"})
            case ["image" | "640", name]:
                known = {cover.id for cover in known_covers(self.world)}
                return Told(200, PICTURE, {"Content-Type": "image/jpeg"}) if name in known else Told(404)
            case ["v1", *rest]:
                return self._refusal(asked) or self._api(rest, asked)
        return Told(404, b"nothing here")

    def _token(self, asked: Asked) -> Told:
        wanted = f"{self.world.client_id}:{self.world.client_secret}".encode()
        if asked.headers.get("authorization") != f"Basic {base64.b64encode(wanted).decode()}":
            return as_json({"error": "invalid_client", "error_description": "Invalid client"}, 400)
        if asked.method != "POST" or asked.body != b"grant_type=client_credentials":
            return as_json({"error": "unsupported_grant_type"}, 400)
        self._given += 1
        token = f"token-{self._given}"
        self._tokens.add(token)
        return as_json({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in_s})

    def _refusal(self, asked: Asked) -> Told | None:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self.refuses_every_token or token not in self._tokens:
            return error(401, "The access token expired")
        if self.world.busy_s is not None:
            return Told(429, b"Too many requests", {"Retry-After": str(self.world.busy_s)})
        if not 1 <= int(asked.query.get("limit", "20")) <= MOST:
            return error(400, "Invalid limit")
        return None

    def _api(self, parts: list[str], asked: Asked) -> Told:
        if len(parts) < 2 or not re.fullmatch(r"[0-9A-Za-z]{22}", parts[1]):
            return error(400, "Invalid base62 id")
        offset, limit = int(asked.query.get("offset", "0")), int(asked.query.get("limit", "20"))
        if parts[0] == "playlists":
            return self._playlist(parts[1:], offset, limit, asked)
        match parts:
            case ["tracks", identity] if found := self.world.tracks.get(identity):
                return as_json(track_json(found))
            case ["albums", identity] if album := self.world.albums.get(identity):
                return as_json(album_json(album))
            case ["albums", identity, "tracks"] if album := self.world.albums.get(identity):
                return as_json(slice_json(album.rows, simple_track_json, offset, limit, "tracks"))
        return error(404, "Resource not found")

    def _playlist(self, parts: list[str], offset: int, limit: int, asked: Asked) -> Told:
        found = self.world.playlists.get(parts[0])
        if found is None or found.access == "hidden":
            return error(404, "Resource not found")
        if len(parts) == 1:
            return as_json(playlist_json(found))
        if found.access == "closed":
            return error(403, "Forbidden")
        episodes = "episode" in asked.query.get("additional_types", "")
        page = slice_json(found.rows, lambda row: entry_json(row, episodes=episodes), offset, limit, "items")
        if offset in found.gaps:
            page["items"] = []
        found.gave_a_page()
        return as_json(page)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body leave together, or the kernel waits for an acknowledgement between them
    wire: FakeSpotifyWire

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._tell(self.wire.answer(Asked(self.command, url.path, query, headers, body)))

    do_POST = do_GET  # noqa: N815 - the name that the library looks for

    def _tell(self, told: Told) -> None:
        if told.cut:
            self.close_connection = True
            return
        self.send_response(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(told.body) + told.missing))
        self.end_headers()
        self.wfile.write(told.body)
        self.close_connection = self.close_connection or told.missing > 0

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True  # the client broke off, as some tests want

    @override
    def finish(self) -> None:
        try:
            super().finish()
        except ConnectionError:
            self.connection.close()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving_spotify(wire: FakeSpotifyWire) -> Iterator[Places]:
    """Serve on a free port of loopback, in threads, so that a test of any kind may use it."""
    handler = type("Handler", (_Handler,), {"wire": wire})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield places_on_loopback(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def transport_to(wire: FakeSpotifyWire) -> httpx2.MockTransport:
    """Take the network's place: answers whatever host was asked."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        query = {name: str(request.url.params[name]) for name in request.url.params}
        asked = Asked(request.method, request.url.path, query, dict(request.headers), request.content)
        told = wire.answer(asked)
        if told.cut:
            raise httpx2.RemoteProtocolError("cut")
        return httpx2.Response(told.status, headers=told.headers, content=_in_pieces(told.body))

    return httpx2.MockTransport(answer)


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for place in range(0, len(body), 1 << 16):
        yield body[place : place + (1 << 16)]
