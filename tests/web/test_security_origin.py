"""No other site acts in a visitor's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.web._security import SameOrigin
from tests.support.tiny_web import COOKIE, studio, visiting


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://studio.lan:8723"}, 403),
        ({"Sec-Fetch-Site": "something-new"}, 403),
        ({"Origin": "http://studio.lan:8723"}, 200),
        ({"Origin": "HTTP://STUDIO.LAN:8723"}, 200),
        ({"Origin": "http://studio.lan"}, 403),
        ({"Origin": "http://studio.lan:8724"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://studio.lan:8723.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "file://"}, 403),
        ({"Origin": "http://["}, 403),
        ({}, 403),
        ({"Authorization": "Bearer sfa_x"}, 200),
        ({"Authorization": "Bearer sfa_x", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Authorization": "Basic dXNlcjpwYXNz", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Authorization": "Basic dXNlcjpwYXNz", "Origin": "http://evil.example"}, 403),
        ({"Authorization": "Bearer", "Origin": "http://evil.example"}, 403),
    ],
)
async def test_only_our_own_pages_act_by_cookie(headers: dict[str, str], status: int) -> None:
    async with visiting(SameOrigin(studio())) as browser:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await browser.request(method, "/", headers={**COOKIE, **headers})
            assert answer.status_code == status, method
        for method in ("GET", "HEAD", "OPTIONS"):
            assert (await browser.request(method, "/", headers={**COOKIE, **headers})).status_code == 200


async def test_a_foreign_page_cannot_log_a_visitor_in_either() -> None:
    async with visiting(SameOrigin(studio())) as browser:
        assert (await browser.post("/login", headers={"Origin": "http://evil.example"})).status_code == 403
        assert (await browser.post("/login")).status_code == 200  # no cookie, no origin: no browser


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://studio.example.org", "studio.example.org", 200),
        ("https://studio.example.org", "studio.example.org:443", 200),
        ("https://studio.example.org:443", "studio.example.org", 200),
        ("https://studio.example.org", "studio.example.org:80", 403),
        ("http://[::1]:8723", "[::1]:8723", 200),
        ("http://", "", 403),
    ],
)
async def test_behind_a_proxy_that_speaks_https_host_and_port_are_compared(origin: str, host: str, status: int) -> None:
    async with visiting(SameOrigin(studio())) as browser:
        answer = await browser.post("/", headers={**COOKIE, "Origin": origin, "Host": host})
    assert answer.status_code == status


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
async def test_whatever_another_origin_says_it_is_refused(text: str) -> None:
    if text.lower() in ("http://studio.lan:8723", "https://studio.lan:8723"):
        return
    async with visiting(SameOrigin(studio())) as browser:
        assert (await browser.post("/", headers={**COOKIE, "Origin": text or "null"})).status_code == 403
