"""A hub of models on loopback: sends on to where files lie, knows ranges, and misbehaves as a test wants."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

_RESOLVE = re.compile(r"/([\w-]+/[\w-]+)/resolve/([\w-]+)/([\w.-]+)")
_SLOW_PIECE = 1000


@dataclass
class FakeHub:
    """What the hub holds, and how it fails. ``asked`` keeps what it was asked for, as ``"GET /path bytes=5-"``."""

    files: dict[str, bytes] = field(default_factory=dict)  # by "owner/repo/name"
    asked: list[str] = field(default_factory=list)
    cut_at: list[int] = field(default_factory=list)  # one download each: that many bytes, then the line is dead
    status: int = 0  # the hub's answer to everything
    file_status: list[int] = field(default_factory=list)  # of the files' place, one download each
    foreign: str = ""  # the other host that it sends on to
    tag: str | None = None  # what it says of the checksum
    wrong: bytes | None = None  # what it sends instead, whatever it said
    knows_ranges: bool = True
    tells_linked: bool = True
    gate: threading.Event | None = None  # closed: after the first piece it waits here
    address: str = ""

    def path_of(self, path: str) -> str:
        """Return the key of the file that a path means, "" for none."""
        found = _RESOLVE.fullmatch(path)
        key = f"{found[1]}/{found[3]}" if found else path.removeprefix("/cdn/")
        return key if key in self.files else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_HEAD(self) -> None:
        self.hub.asked.append(f"HEAD {self.path}")
        key = self.hub.path_of(self.path)
        if self.hub.status or not key:
            self._answer(self.hub.status or 404, {"Content-Length": "0"})
            return
        content = self.hub.files[key]
        if self.path.startswith("/cdn/"):
            self._answer(200, {"Content-Length": str(len(content))})
            return
        tag = hashlib.sha256(content).hexdigest() if self.hub.tag is None else self.hub.tag
        linked = {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{tag}"'} if self.hub.tells_linked else {}
        self._answer(302, {**linked, "Location": f"{self.hub.foreign}/cdn/{key}", "Content-Length": "0"})

    def do_GET(self) -> None:
        span = self.headers.get("Range", "")
        self.hub.asked.append(f"GET {self.path} {span}".strip())
        content = self.hub.files[self.hub.path_of(self.path)] if self.hub.wrong is None else self.hub.wrong
        begin = int(span.removeprefix("bytes=").rstrip("-") or 0) if self.hub.knows_ranges else 0
        status = self.hub.file_status.pop(0) if self.hub.file_status else 206 if begin else 200
        if status not in (200, 206):
            self._answer(status, {"Content-Length": "0"})
            return
        headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if status == 206 else {}
        self._answer(status, {**headers, "Content-Length": str(len(content) - begin)})
        self._send(content[begin:])

    def _send(self, content: bytes) -> None:
        if self.hub.cut_at:
            content = content[: self.hub.cut_at.pop(0)]
            self.close_connection = True
        if self.hub.gate is not None:
            self.wfile.write(content[:_SLOW_PIECE])
            self.wfile.flush()
            self.hub.gate.wait(30)
            content = content[_SLOW_PIECE:]
        self.wfile.write(content)

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

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
def serving_hub(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve on a free port of loopback, in threads."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        if hub.gate is not None:
            hub.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
