from uuid import uuid4

import pytest

from soundforge import errors
from soundforge.config import Settings
from soundforge.db import Database, open_database
from soundforge.events import Listener
from soundforge.web import Studio, create_app
from soundforge.web._errors import STATUS, status_of
from tests.support.fakes_storage import MemoryStorage
from tests.support.house import House, client

PAGE = {"Accept": "text/html"}
HTMX = {"Accept": "text/html", "HX-Request": "true"}


def test_every_family_has_a_status() -> None:
    families = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert {status_of(family("x")) for family in families} == {400, 403, 404, 409, 422, 500, 503}
    assert set(families) <= set(STATUS)


async def test_an_error_is_json_for_programs_a_page_for_people_and_a_fragment_for_htmx(house: House) -> None:
    ann, missing = house.visitors["ann"], uuid4()
    answer = await ann.get(f"/api/v1/tracks/{missing}", headers=PAGE)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"error": {"code": "track_not_found", "message": "There is no such track in your library."}}
    page = await ann.get(f"/tracks/{missing}", headers=PAGE)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<html" in page.text
    assert "There is no such track in your library." in page.text
    fragment = await ann.get(f"/tracks/{missing}", headers=HTMX)
    assert fragment.status_code == 404
    assert "<html" not in fragment.text
    assert "There is no such track in your library." in fragment.text


async def test_whoever_is_not_logged_in_is_led_to_the_login(house: House) -> None:
    anonymous = house.visitors["anonymous"]
    page = await anonymous.get("/", headers=PAGE)
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    part = await anonymous.get("/library/rows", headers=HTMX)
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login")
    assert (await anonymous.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/login", 405),
        ("GET", "/api/v1/tracks/no-uuid", 422),
        ("GET", "/api/v1/tracks?after=nonsense", 422),
        ("GET", "/api/v1/tracks?sort=owner_id", 422),
        ("GET", "/api/v1/tracks?limit=0", 422),
        ("GET", "/api/v1/tracks?q=%00", 200),
        ("GET", "/?q=%00%FF&sort=title", 200),
        ("GET", "/?dir=up", 422),
        ("GET", "/jobs/rows?after=x", 422),
        ("GET", "/events/no-such-view", 404),
        ("GET", "/events/%2e%2e", 404),
        ("GET", "/static/../../../etc/passwd", 404),
    ],
)
async def test_odd_requests_are_answered_and_never_a_bug(house: House, method: str, path: str, status: int) -> None:
    answer = await house.visitors["ann"].request(method, path)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/tracks/{}", b'{"title": "\\ud800"}'),
        ("/api/v1/tracks/{}", b'{"title": "\\u0000"}'),
        ("/api/v1/tracks/{}", b"not json"),
        ("/api/v1/tracks/{}", b'{"title": ""}'),
        ("/api/v1/tracks/{}", b"[]"),
    ],
)
async def test_odd_words_are_refused_and_never_a_bug(house: House, path: str, body: bytes) -> None:
    song = await house.add_song()
    headers = {"Content-Type": "application/json"}
    answer = await house.visitors["ann"].patch(path.format(song.track_id), content=body, headers=headers)
    assert answer.status_code == 422, answer.text


async def test_text_that_the_database_cannot_keep_is_refused(house: House) -> None:
    answer = await house.visitors["anonymous"].post("/login", data={"name": "a\0b", "password": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_text")


async def test_every_answer_carries_the_security_headers_also_an_error(house: House) -> None:
    for path in ("/login", "/nothing", "/api/v1/me"):
        answer = await house.visitors["anonymous"].get(path)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


async def test_another_site_may_change_nothing_and_another_name_opens_nothing(house: House) -> None:
    song = await house.add_song()
    ann = house.visitors["ann"]
    foreign = await ann.post(f"/tracks/{song.track_id}/delete", headers={"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "cross_site")
    rebound = await ann.get("/", headers={"Host": "evil.example"})
    assert rebound.status_code == 421
    assert (await ann.get(f"/api/v1/tracks/{song.track_id}")).status_code == 200


async def test_before_the_first_password_only_link_health_and_files_are_open(
    database: Database, settings: Settings
) -> None:
    visitor = client(create_app(Studio(settings, MemoryStorage(), Listener())))
    refused = {path: (await visitor.get(path)).status_code for path in ("/", "/login", "/api/v1/me", "/metrics")}
    assert set(refused.values()) == {403}
    assert (await visitor.get("/link/nonsense")).status_code == 404
    assert (await visitor.get("/health")).status_code in (200, 503)


async def test_health_says_503_when_the_database_is_away(settings: Settings) -> None:
    async with open_database("postgresql://nobody@127.0.0.1:1/nothing"):
        visitor = client(create_app(Studio(settings, MemoryStorage(), Listener())))
        health = await visitor.get("/health")
        assert (health.status_code, health.json()["checks"]["database"]["good"]) == (503, False)
        other = await visitor.get("/api/v1/tracks")
        assert (other.status_code, other.json()["error"]["code"]) == (503, "database_away")


async def test_health_says_503_and_why_when_storage_is_away(house: House) -> None:
    anonymous = house.visitors["anonymous"]
    assert (await anonymous.get("/health")).json()["checks"]["storage"]["good"]
    house.storage.is_away = True
    visitor = client(
        create_app(Studio(house.studio.settings, house.storage, house.studio.listener))
    )  # that has no last answer
    health = await visitor.get("/health")
    assert (health.status_code, health.json()["good"]) == (503, False)
    assert health.json()["checks"]["storage"] == {"good": False, "what": "The storage does not answer."}
    assert health.json()["checks"]["database"]["good"]
    assert "space" not in health.json()["checks"]  # nobody can know


async def test_the_page_instance_tells_that_storage_is_away(house: House) -> None:
    house.storage.is_away = True
    answer = await house.visitors["owner"].get("/admin", headers=PAGE)
    assert answer.status_code == 200
    assert "storage: The storage does not answer." in answer.text


async def test_health_can_be_asked_for_its_status_alone(house: House) -> None:
    anonymous = house.visitors["anonymous"]
    whole, head = await anonymous.get("/health"), await anonymous.head("/health")
    assert (head.status_code, head.content) == (whole.status_code, b"")
