"""Names that the studio answers to."""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from soundforge.web._security import TrustedHosts, allowed_hosts
from tests.support.tiny_web import studio, visiting


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("studio.lan", 200),
        ("STUDIO.lan:8723", 200),
        ("studio.lan.", 200),
        ("localhost:8723", 200),
        ("studio.localhost", 200),
        ("127.0.0.1:8723", 200),
        ("192.168.1.20", 200),
        ("[::1]:8723", 200),
        ("evil.example", 421),
        ("studio.lan.evil.example", 421),
        ("evil.example:8723", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("2130706433", 421),
        ("[::1].evil.example", 421),
        ("studio.lan:8723:1", 421),
        ("", 421),
        ("*", 421),
    ],
)
async def test_the_studio_answers_to_its_own_names_and_to_addresses(host: str, status: int) -> None:
    app = TrustedHosts(studio(), allowed_hosts("studio.lan"))
    async with visiting(app) as browser:
        assert (await browser.get("/", headers={"Host": host})).status_code == status


async def test_two_host_headers_are_refused() -> None:
    app = TrustedHosts(studio(), allowed_hosts("studio.lan"))
    async with visiting(app) as browser:
        request = browser.build_request("GET", "/", headers=[("Host", "studio.lan"), ("Host", "studio.lan")])
        assert (await browser.send(request)).status_code == 421


async def test_a_star_allows_any_name() -> None:
    async with visiting(TrustedHosts(studio(), allowed_hosts("*"))) as browser:
        assert (await browser.get("/", headers={"Host": "evil.example"})).status_code == 200


def test_the_names_come_from_the_setting_the_address_and_this_machine() -> None:
    names = allowed_hosts(" Studio.Example.org , other,", "music.lan")
    assert {"studio.example.org", "other", "music.lan", "localhost"} <= names
    assert "" not in names
    assert "*" not in names


async def test_a_refusal_is_json_for_programs_and_a_sentence_for_people() -> None:
    async with visiting(TrustedHosts(studio(), {"x"})) as browser:
        problem = await browser.get("/api/v1/tracks")
        text = await browser.get("/")
    assert problem.json()["error"]["code"] == "unknown_host"
    assert text.text.startswith("The studio does not answer to this name")
    assert "studio.lan" not in text.text


async def test_the_application_may_explain_in_its_own_way() -> None:
    def explain(request: Request, status: int, code: str, sentence: str, fields: dict[str, str]) -> Response:
        return PlainTextResponse(f"{code} at {request.url.path}", status)

    async with visiting(TrustedHosts(studio(), {"x"}, explain)) as browser:
        assert (await browser.get("/health")).text == "unknown_host at /health"
