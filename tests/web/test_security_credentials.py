"""What a request shows: one thing, and never one as the other."""

import pytest

from soundforge.errors import Forbidden
from soundforge.web._security import check_scope, needed_scope
from tests.support.tiny_web import studio, visiting


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, None),
        ({"Cookie": "sfa_session=abc"}, ["session", "abc"]),
        ({"Cookie": "sfa_session=sfa_token"}, ["session", "sfa_token"]),
        ({"Cookie": "__Host-sfa_session=abc"}, None),
        ({"Cookie": "other=abc"}, None),
        ({"Cookie": "sfa_session="}, None),
        ({"Cookie": f"sfa_session={'x' * 201}"}, None),
        ({"Authorization": "Bearer sfa_abc"}, ["token", "sfa_abc"]),
        ({"Authorization": "bearer  sfa_abc"}, ["token", "sfa_abc"]),
        ({"Authorization": "Bearer sfa_abc", "Cookie": "sfa_session=abc"}, ["token", "sfa_abc"]),
        ({"Authorization": "Bearer ", "Cookie": "sfa_session=abc"}, None),
        ({"Authorization": "Basic abc", "Cookie": "sfa_session=abc"}, ["session", "abc"]),
        ({"Authorization": "sfa_abc"}, None),
    ],
)
async def test_a_request_shows_one_thing_and_a_token_counts_first(headers: dict[str, str], found: object) -> None:
    async with visiting(studio()) as browser:
        assert (await browser.get("/", headers=headers)).json() == found
        assert (await browser.get("/?token=sfa_abc&sfa_session=abc")).json() is None


async def test_the_cookie_of_a_session_is_for_this_host_and_no_script() -> None:
    async with visiting(studio()) as browser:
        plain = (await browser.post("/login")).headers["set-cookie"]
        assert (await browser.get("/")).json() == ["session", "token-of-session"]
        await browser.post("/logout")
        assert (await browser.get("/")).json() is None
    async with visiting(studio(), "https://studio.example.org") as browser:
        secure = (await browser.post("/login")).headers["set-cookie"]
        assert (await browser.get("/")).json() == ["session", "token-of-session"]
        assert (await browser.get("/", headers={"Cookie": "sfa_session=planted"})).json() is None
    assert plain.startswith("sfa_session=token-of-session; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax")
    assert "Secure" not in plain
    assert secure.startswith("__Host-sfa_session=token-of-session;")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {*secure.split("; ")}
    assert "Domain" not in plain + secure


@pytest.mark.parametrize(
    ("method", "scope"), [("GET", "read"), ("HEAD", "read"), ("POST", "write"), ("DELETE", "write")]
)
def test_a_method_tells_the_scope_it_needs(method: str, scope: str) -> None:
    assert needed_scope(method) == scope


@pytest.mark.parametrize(
    ("scopes", "needed", "fine"),
    [
        (["read"], "read", True),
        (["read"], "write", False),
        (["write"], "read", True),
        (["write"], "admin", False),
        (["admin"], "write", True),
        (["admin"], "admin", True),
        ([], "read", False),
        (["root"], "read", False),
    ],
)
def test_a_scope_includes_the_lesser_ones(scopes: list[str], needed: str, *, fine: bool) -> None:
    if fine:
        check_scope(scopes, needed)
        return
    with pytest.raises(Forbidden) as refused:
        check_scope(scopes, needed)
    assert refused.value.code == "scope_missing"
