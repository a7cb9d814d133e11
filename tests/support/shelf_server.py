"""The pretended sites as a server with TLS on loopback: pages, a search, sound, and every fate of the shelf."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.shelf_music import music_answer
from tests.support.sound_shelf import PLACES, SHELF, Place, sound

NAMES = ("*.youtube.com", "*.googlevideo.com", "soundcloud.com", "*.sndcdn.com", "*.bandcamp.com", "*.bcbits.com")
SOUND_HOST = "rr1---sn-shelf.googlevideo.com"
PLUGIN = Path(__file__).with_name("shelf_plugin")


class ShelfServer:
    """A running server; ``asked`` holds host and path of every request."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.asked = folder / "ca.pem", list[str]()
        self.kind = "m4a"  # what the places' sound is encoded as
        self.sound_host = SOUND_HOST
        key = folder / "key.pem"
        _write_certificate(self.ca, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        owner = self

        class Handler(_Handler):
            shelf = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    shelf: ShelfServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host, url = self.headers.get("Host", ""), urlsplit(self.path)
        self.shelf.asked.append(f"{host}{url.path}")
        if host == self.shelf.sound_host:
            self._sound(Path(url.path).stem)
        elif url.path == "/shelf/search":
            found = _places(parse_qs(url.query)["q"][0])
            self._json({"found": [_page(place, self.shelf) for place in found]})
        elif "/shelf/" in url.path:
            self._page(url.path.rpartition("/")[2])
        else:
            self._json({})

    def do_POST(self) -> None:
        """YouTube Music's search."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.shelf.asked.append(f"{self.headers.get('Host')}{urlsplit(self.path).path}")
        found = _places(str(body.get("query")))
        self._json(music_answer(tuple(place for place in found if place.is_music)))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _page(self, video: str) -> None:
        place = PLACES.get(video)
        if place is None:
            self.send_error(404)
        elif place.fate == "rate_limited":
            self.send_error(429)
        else:
            self._json(_page(place, self.shelf))

    def _sound(self, video: str) -> None:
        place = PLACES[video]
        if place.fate == "source_forbidden":
            self.send_error(403)
            return
        body = b"<html>no sound</html>" * 500
        if place.fate != "source_not_audio":
            body = sound(self.shelf.kind, place.sound_s)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if place.fate == "network" else body)
        self.close_connection = place.fate == "network"

    def _json(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def shelf_server() -> Iterator[ShelfServer]:
    """Serve the shelf while the block lasts."""
    with TemporaryDirectory() as folder, ShelfServer(Path(folder)) as server:
        yield server


def _places(query: str) -> tuple[Place, ...]:
    return next((places for title, places in SHELF.items() if title.lower() in query.lower()), ())


def _page(place: Place, server: ShelfServer) -> dict[str, Any]:
    kind = server.kind
    codec = {"m4a": "mp4a.40.2"}.get(kind, kind)
    url = f"https://{server.sound_host}/{place.id}.{kind}"
    return {
        "id": place.id,
        "fate": place.fate,
        "title": place.candidate.title,
        "channel": place.candidate.channel,
        "duration_s": place.candidate.duration_s,
        "formats": [{"url": url, "ext": kind, "codec": codec}],
    }


def _write_certificate(certificate: Path, key_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shelf")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key_path.write_bytes(secret)
