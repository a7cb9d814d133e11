"""Large files in parts: they go on where they broke off, belong to their owner, and leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import update
from starlette.types import Message, Receive, Scope, Send

from soundforge import jobs, library, pipeline
from soundforge.db import reading, transaction
from soundforge.pipeline import PART_BYTES
from soundforge.tables import PartialUpload
from soundforge.web import create_app
from tests.support.house import House, client
from tests.support.workshop import wav

SOUND = wav(1.0)


def incoming(house: House) -> list[Path]:
    folder = house.studio.settings.incoming_folder
    return sorted(folder.iterdir()) if folder.exists() else []


async def begin(house: House, size: int = len(SOUND), **more: Any) -> dict[str, Any]:
    asked = {"name": "Ann - Long.wav", "size_bytes": size, **more}
    answer = await house.visitors["ann"].post("/api/v1/uploads", json=asked)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/uploads/{answer.json()['id']}"
    found: dict[str, Any] = answer.json()
    return found


async def send(
    house: House, upload: dict[str, Any], offset: int, content: Any, *, name: str = "ann"
) -> httpx2.Response:
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
    return await house.visitors[name].patch(f"/api/v1/uploads/{upload['id']}", content=content, headers=headers)


async def offset_of(house: House, upload: dict[str, Any]) -> int:
    answer = await house.visitors["ann"].head(f"/api/v1/uploads/{upload['id']}")
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["upload-length"]) == ("no-store", str(upload["size_bytes"]))
    return int(answer.headers["upload-offset"])


async def all_jobs(house: House) -> list[Any]:
    async with reading() as session:
        return list((await jobs.list_jobs(session, house.users["ann"])).rows)


async def test_parts_become_the_file_and_the_last_one_asks_for_its_import(house: House) -> None:
    upload = await begin(house)
    half = len(SOUND) // 2
    first = await send(house, upload, 0, SOUND[:half])
    assert (first.status_code, first.json()) == (200, {"offset": half, "job": None})
    assert await offset_of(house, upload) == half
    last = await send(house, upload, half, SOUND[half:])
    assert last.json()["job"]["kind"] == "import"
    (file,) = incoming(house)
    assert (file.name, file.read_bytes()) == (upload["id"], SOUND)
    (job,) = await all_jobs(house)
    assert (job.params["upload"], job.params["name"], job.params["size_bytes"]) == (
        upload["id"],
        "Ann - Long.wav",
        len(SOUND),
    )
    again = await house.visitors["ann"].get(f"/api/v1/uploads/{upload['id']}")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "upload_not_found")


async def test_what_came_of_a_part_that_broke_off_is_not_sent_again(house: House) -> None:
    upload, app = await begin(house), create_app(house.studio)

    async def cable(scope: Scope, _receive: Receive, send: Send) -> None:
        first = {"type": "http.request", "body": SOUND[:1000], "more_body": True}
        messages = iter([first, {"type": "http.disconnect"}])

        async def receive() -> Message:
            return next(messages)

        await app(scope, receive, send)

    headers = {name: house.visitors["ann"].headers[name] for name in ("cookie", "sec-fetch-site")}
    broken = await client(cable, **headers, **{"Upload-Offset": "0"}).patch(f"/api/v1/uploads/{upload['id']}")
    assert broken.json()["error"]["code"] == "upload_broken"
    assert await offset_of(house, upload) == 1000
    done = await send(house, upload, 1000, SOUND[1000:])
    assert done.json()["job"] is not None
    assert incoming(house)[0].read_bytes() == SOUND


async def test_a_part_in_the_wrong_place_is_refused_with_the_right_one(house: House) -> None:
    upload = await begin(house)
    await send(house, upload, 0, SOUND[:100])
    for offset in (0, 50, 101, len(SOUND)):
        refused = await send(house, upload, offset, SOUND[offset:])
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "wrong_offset")
        assert refused.json()["error"]["fields"] == {"offset": "100"}
    assert await offset_of(house, upload) == 100


@pytest.mark.parametrize("size", [2 * PART_BYTES, 100], ids=["more than a part", "more than the file"])
async def test_a_part_that_is_too_large_leaves_what_was_there_before(house: House, size: int) -> None:
    upload = await begin(house, size)
    await send(house, upload, 0, SOUND[:50])

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * (1 << 20)

    refused = await send(house, upload, 50, endless())
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "part_too_large")
    assert await offset_of(house, upload) == 50


async def test_two_parts_at_once_are_never_mixed(house: House) -> None:
    upload = await begin(house)
    going, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield SOUND[:100]
        going.set()
        await go_on.wait()
        yield SOUND[100:]

    async with reading() as session:
        row = await library.get_upload(session, house.users["ann"], UUID(upload["id"]))
    async with pipeline.open_part(house.studio.settings, row) as part:
        task = asyncio.create_task(part.append(slow(), offset=0))
        await going.wait()
        busy = await send(house, upload, 0, SOUND)
        assert (busy.status_code, busy.json()["error"]["code"]) == (409, "upload_busy")
        go_on.set()
        await task
    assert await offset_of(house, upload) == len(SOUND)
    done = await send(house, upload, len(SOUND), b"")  # the answer of the last part had got lost
    assert done.json()["job"] is not None


async def test_what_is_no_audio_leaves_one_sentence_and_nothing_behind(house: House) -> None:
    paper = b"%PDF-1.7" + bytes(100)
    upload = await begin(house, len(paper))
    refused = await send(house, upload, 0, paper)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "not_audio")
    assert (incoming(house), await all_jobs(house)) == ([], [])
    assert (await house.visitors["ann"].get("/api/v1/uploads")).json() == []


@pytest.mark.parametrize(("size", "code"), [(1 << 40, "too_large"), (0, "malformed"), (-1, "malformed")])
async def test_what_could_never_be_received_is_not_begun(house: House, size: int, code: str) -> None:
    answer = await house.visitors["ann"].post("/api/v1/uploads", json={"name": "a.wav", "size_bytes": size})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert (incoming(house), (await house.visitors["ann"].get("/api/v1/uploads")).json()) == ([], [])


async def test_stopping_takes_away_what_came(house: House) -> None:
    upload = await begin(house)
    await send(house, upload, 0, SOUND[:100])
    assert len(incoming(house)) == 1
    stopped = await house.visitors["ann"].delete(f"/api/v1/uploads/{upload['id']}")
    assert (stopped.status_code, incoming(house)) == (204, [])
    assert (await send(house, upload, 100, SOUND[100:])).status_code == 404


async def test_what_is_left_alone_for_a_day_is_forgotten(house: House) -> None:
    late, fresh = await begin(house), await begin(house)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    async with transaction() as session:
        await session.execute(
            update(PartialUpload).where(PartialUpload.id == UUID(late["id"])).values(changed_at=long_ago)
        )
        await library.forget_uploads_before(session, datetime.now(UTC) - pipeline.KEEP_PARTS)
    left = (await house.visitors["ann"].get("/api/v1/uploads")).json()
    assert [one["id"] for one in left] == [fresh["id"]]
