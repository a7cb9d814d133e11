"""No request fills the memory."""

from collections.abc import AsyncIterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from soundforge.web import create_app
from soundforge.web._security_bodies import LARGEST_BODY, LARGEST_PASTE
from tests.support.house import House, client

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PIECE = b"x" * (64 << 10)
MANY = 400  # pieces, 25 MB


class Cable:
    """Stands before the application and counts what it reads of a body."""

    def __init__(self, house: House) -> None:
        self._app = create_app(house.studio)
        self.read_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted() -> Message:
            message = await receive()
            self.read_bytes += len(message.get("body", b""))
            return message

        await self._app(scope, counted, send)


async def endless() -> AsyncIterator[bytes]:
    for _ in range(MANY):
        yield PIECE


ROUTES = [
    ("POST", "/api/v1/tracks/6f3b1c1e-1b7c-4b0e-8a0d-0d6c3f0f5a11/separations", JSON),
    ("PATCH", "/api/v1/tracks/6f3b1c1e-1b7c-4b0e-8a0d-0d6c3f0f5a11", JSON),
    ("PUT", "/api/v1/settings/default_model", JSON),
    ("POST", "/login", FORM),
    ("POST", "/link/nonsense", FORM),
]


@pytest.mark.parametrize(("method", "path", "headers"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
async def test_an_endless_body_is_refused_after_a_megabyte(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    cable = Cable(house)
    answer = await client(cable, **headers).request(method, path, content=endless())
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.json()["error"]["code"] == "request_too_large"
    assert answer.headers["x-frame-options"] == "DENY"
    assert cable.read_bytes <= LARGEST_BODY + len(PIECE)


async def test_a_body_that_says_that_it_is_too_large_is_not_read_at_all(house: House) -> None:
    cable = Cable(house)
    answer = await client(cable, **JSON).post("/api/v1/tokens", content=b"x" * (LARGEST_BODY + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    page = await client(cable, Accept="text/html", **FORM).post("/login", content=b"x" * (LARGEST_BODY + 1))
    assert (page.status_code, "larger than the 1 MB" in page.text) == (413, True)
    assert cable.read_bytes == 0


async def test_a_body_of_a_megabyte_is_read(house: House) -> None:
    content = b'{"title": "' + b"x" * (LARGEST_BODY - 13) + b'"}'
    assert len(content) == LARGEST_BODY
    song = await house.add_song()
    answer = await house.visitors["ann"].patch(f"/api/v1/tracks/{song.track_id}", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")


HEAD = "Track Name,Artist Name(s),Album Name\n"
LINES = HEAD + "".join(f"Song {number},Somebody,{'x' * 1580}\n" for number in range(1240))


@pytest.mark.parametrize("path", ["/import/preview", "/import/text", "/api/v1/imports/preview", "/api/v1/imports/text"])
async def test_a_paste_may_have_two_megabytes_and_a_longer_one_is_told_so(house: House, path: str) -> None:
    ann, form = house.visitors["ann"], "api" not in path
    assert 1_900_000 < len(LINES) < 2_000_000
    body = {"data" if form else "json": {"text": LINES}}
    assert (answer := await ann.post(path, **body)).status_code in (200, 202), answer.text[:300]
    longer = await ann.post(path, **{"data" if form else "json": {"text": LINES + "x" * 200_000}})
    assert "The list is longer than 2000 songs." in longer.text
    cable = Cable(house)
    headers = {"Cookie": ann.headers["cookie"], "Sec-Fetch-Site": "same-origin"}
    endless_one = await client(cable, **headers, **(FORM if form else JSON)).post(path, content=endless())
    assert endless_one.status_code == 413
    assert cable.read_bytes <= LARGEST_PASTE + len(PIECE)


@pytest.mark.parametrize("path", ["/import/files", "/api/v1/imports"])
async def test_an_upload_asks_who_sends_before_it_reads(house: House, path: str) -> None:
    cable = Cable(house)
    answer = await client(cable).post(path, params={"name": "a.wav"}, content=endless())
    assert (answer.status_code, cable.read_bytes) == (401, 0)
    folder = house.studio.settings.incoming_folder
    assert not folder.exists() or not list(folder.iterdir())
