"""The description of the API says what the API does: who may ask, what is refused how, and what bodies are."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from soundforge.config import Settings
from soundforge.events import Listener
from soundforge.web import Studio
from soundforge.web._app import make_routes
from tests.support.fakes_storage import MemoryStorage
from tests.support.house import House

METHODS = {"get", "put", "post", "patch", "delete"}
# What is not JSON, both ways.
BYTES_SENT = {
    ("get", "/api/v1/tracks/{track_id}/cover"): {"image/jpeg", "image/png"},
    ("get", "/api/v1/tracks/{track_id}/stems/{file_id}"): {"audio/flac"},
    ("get", "/api/v1/jobs/{job_id}/file"): {"application/zip", "audio/flac", "audio/wav"},
    ("get", "/api/v1/jobs/{job_id}/events"): {"text/event-stream"},
}
BYTES_RECEIVED = {("post", "/api/v1/imports"), ("patch", "/api/v1/uploads/{upload_id}")}


@pytest.fixture
def document(settings: Settings, recwarn: pytest.WarningsRecorder) -> dict[str, Any]:
    found = make_routes(Studio(settings, MemoryStorage(), Listener())).openapi()
    assert not [*recwarn], "no two operations have one name"
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for path, item in document["paths"].items():
        assert item.keys() <= METHODS
        yield from (((method, path), operation) for method, operation in item.items())


def test_every_call_asks_for_a_bearer_token(document: dict[str, Any]) -> None:
    ((name, scheme),) = document["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert {call: one.get("security") for call, one in operations(document)} == {
        call: [{name: []}] for call, _ in operations(document)
    }


def test_every_call_refuses_in_the_shape_of_our_errors(document: dict[str, Any]) -> None:
    expected = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for call, operation in operations(document):
        refused = {status: one["content"] for status, one in operation["responses"].items() if status[0] in "45"}
        assert refused.keys() >= {"401", "403", "404", "409", "422", "503"}, call
        assert all(content == expected for content in refused.values()), call
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_answer_and_every_body_has_its_type(document: dict[str, Any]) -> None:
    for call, operation in operations(document):
        ((status, good),) = [(status, one) for status, one in operation["responses"].items() if status[0] == "2"]
        usual = set() if status == "204" else {"application/json"}
        assert {*good.get("content", {})} == BYTES_SENT.get(call, usual), call
        if call in BYTES_RECEIVED:
            assert {*operation["requestBody"]["content"]} == {"application/octet-stream"}, call
        elif "requestBody" in operation:
            assert {*operation["requestBody"]["content"]} == {"application/json"}, call


async def test_what_is_refused_has_the_shape_that_is_described(house: House, document: dict[str, Any]) -> None:
    """401, 403, 404 and 422 of one call, held to the description."""
    described = document["components"]["schemas"]["Problem"]["properties"]["error"]
    song, visitors = await house.add_song(), house.visitors
    path = f"/api/v1/tracks/{song.track_id}"
    refused = {
        401: await visitors["anonymous"].patch(path, json={"title": "x"}),
        403: await visitors["reading token"].patch(path, json={"title": "x"}),
        404: await visitors["ann"].patch(f"/api/v1/tracks/{uuid4()}", json={"title": "x", "artist": "", "album": ""}),
        422: await visitors["ann"].patch(path, content=b"no json", headers={"Content-Type": "application/json"}),
    }
    for status, answer in refused.items():
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json().keys() == {"error"}
        assert {*described["required"]} <= answer.json()["error"].keys() <= described["properties"].keys()
