from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import reading
from soundforge.web import create_app
from tests.support.house import House, client
from tests.support.workshop import wav


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_upload_mb": 1})


def received(house: House) -> list[Path]:
    folder = house.studio.settings.incoming_folder
    return list(folder.iterdir()) if folder.exists() else []


async def asked_for(house: House) -> int:
    async with reading() as session:
        return len((await jobs.list_jobs(session, None)).rows)


async def endless(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield b"x" * (1 << 20)


@pytest.mark.parametrize("path", ["/import/files", "/api/v1/imports"])
async def test_a_file_is_received_whole_under_a_name_of_ours(house: House, path: str) -> None:
    shown = "x" * 300 + "“é”.wav"
    answer = await house.visitors["ann"].post(
        path, params={"name": f"../../{shown[:301]}\u202e\0{shown[301:]}"}, content=wav()
    )
    assert answer.status_code == 202, answer.text
    (file,) = received(house)
    assert file.read_bytes() == wav()
    async with reading() as session:
        (job,) = (await jobs.list_jobs(session, house.users["ann"])).rows
    assert (job.params["upload"], job.params["size_bytes"]) == (file.name, len(wav()))
    assert job.params["name"] == shown[-300:]


REFUSED = {
    "empty": (b"", "empty_file", 422),
    "a document": (b"%PDF-1.7 and more", "not_audio", 422),
    "too large by its own word": (b"x" * ((1 << 20) + 1), "too_large", 422),
    "too large, and silent about it": (endless(3), "too_large", 422),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_refused_leaves_one_sentence_and_nothing_behind(house: House, what: str) -> None:
    content, code, status = REFUSED[what]
    answer = await house.visitors["ann"].post("/api/v1/imports", params={"name": "a"}, content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (received(house), await asked_for(house)) == ([], 0)


async def test_a_file_that_breaks_off_leaves_nothing_behind(house: House) -> None:
    app = create_app(house.studio)

    async def cable(scope: Scope, _receive: Receive, send: Send) -> None:
        messages = iter([{"type": "http.request", "body": b"RIFF", "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Message:
            return next(messages)

        await app(scope, receive, send)

    headers = {name: house.visitors["ann"].headers[name] for name in ("cookie", "sec-fetch-site")}
    answer = await client(cable, **headers).post("/api/v1/imports", params={"name": "a"}, content=b"RIFF and more")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "upload_broken")
    assert (received(house), await asked_for(house)) == ([], 0)


async def test_a_disk_that_cannot_be_written_says_so(house: House) -> None:
    house.studio.settings.data.mkdir(parents=True, exist_ok=True)
    house.studio.settings.incoming_folder.write_text("a file where a folder should be")
    answer = await house.visitors["ann"].post("/api/v1/imports", params={"name": "a"}, content=wav())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "disk_full")
    assert await asked_for(house) == 0


async def test_a_name_must_be_given(house: House) -> None:
    answer = await house.visitors["ann"].post("/api/v1/imports", content=wav())
    assert (answer.status_code, received(house)) == (422, [])


LIST = b"Track Name,Artist Name(s)\nSea,Ann\n"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("song.csv", wav(), None),
        ("list.csv", LIST, "list"),
        ("list.csv", b"\xef\xbb\xbf" + LIST, "list"),
        ("list.txt", LIST, "list"),
        ("song.wav", wav(), None),
    ],
)
async def test_a_list_is_known_by_what_it_holds(house: House, name: str, content: bytes, what: str | None) -> None:
    answer = await house.visitors["ann"].post("/import/files", params={"name": name}, content=content)
    assert answer.status_code == 202, answer.text
    async with reading() as session:
        (job,) = (await jobs.list_jobs(session, house.users["ann"])).rows
    assert job.params.get("what") == what
