"""What stands between a request and the studio, on a tiny application."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from soundforge.errors import Forbidden, Unavailable
from soundforge.web._security import (
    CONTENT_SECURITY_POLICY,
    HEADERS,
    AttemptLimit,
    FirstRun,
    SameOrigin,
    SecurityHeaders,
    TooManyAttempts,
    TrustedHosts,
    allowed_hosts,
    check_scope,
    clear_session_cookie,
    client_key,
    needed_scope,
    read_credentials,
    set_session_cookie,
)


async def who(request: Request) -> Response:
    found = read_credentials(request)
    return JSONResponse([found.kind, found.text] if found else None)


async def log_in(request: Request) -> Response:
    answer = PlainTextResponse("in")
    set_session_cookie(request, answer, "token-of-session")
    return answer


async def log_out(request: Request) -> Response:
    answer = PlainTextResponse("out")
    clear_session_cookie(request, answer)
    return answer


async def own_cache(request: Request) -> Response:
    return PlainTextResponse("x", headers={"Cache-Control": "public, immutable", "X-Frame-Options": "ALLOW"})


METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
ROUTES = [
    Route("/", who, methods=METHODS),
    Route("/api/v1/tracks", who, methods=METHODS),
    Route("/health", who),
    Route("/login", log_in, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
    Route("/static/x.css", own_cache),
]


def studio(*middleware: Middleware) -> ASGIApp:
    return Starlette(routes=ROUTES, middleware=middleware)


@asynccontextmanager
async def visiting(app: ASGIApp, base: str = "http://studio.lan:8723") -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=base) as browser:
        yield browser


# Headers


async def test_every_answer_carries_the_headers_also_a_refusal_and_an_error() -> None:
    app = SecurityHeaders(studio(Middleware(TrustedHosts, hosts={"studio.lan"})))
    async with visiting(app) as browser:
        answers = [
            await browser.get("/"),
            await browser.get("/nothing"),
            await browser.get("/", headers={"Host": "evil"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 421]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "private, no-cache"


async def test_an_answer_decides_on_its_cache_but_not_on_its_safety() -> None:
    async with visiting(SecurityHeaders(studio())) as browser:
        answer = await browser.get("/static/x.css")
    assert answer.headers["cache-control"] == "public, immutable"
    assert answer.headers.get_list("x-frame-options") == ["DENY"]


def test_the_policy_lets_nothing_foreign_and_nothing_inline_run() -> None:
    directives = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert directives["script-src"] == directives["style-src"] == directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["object-src"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


# Hosts


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


# Other sites

COOKIE = {"Cookie": "sfa_session=x"}


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


# Credentials


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


# Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_sixth_attempt_in_a_minute_waits_and_others_do_not() -> None:
    clock = Clock()
    limit = AttemptLimit(5, 60, clock=clock)
    for _ in range(5):
        limit.take("eve")
        clock.now += 1
    with pytest.raises(TooManyAttempts) as refused:
        limit.take("eve")
    assert refused.value.code == "too_many_attempts"
    assert refused.value.retry_after_s == 55
    limit.take("ann")
    clock.now += 55
    limit.take("eve")
    with pytest.raises(TooManyAttempts):
        limit.take("eve")


def test_refused_attempts_do_not_lengthen_the_wait_and_success_ends_it() -> None:
    clock = Clock()
    limit = AttemptLimit(1, 60, clock=clock)
    limit.take("ann")
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            limit.take("ann")
    limit.forget("ann")
    limit.take("ann")


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    limit = AttemptLimit(5)
    for number in range(25_000):
        limit.take(str(number))
    assert len(limit._taken) <= 10_001
    limit.take("24999")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("testclient", "testclient"),
    ],
)
def test_one_customer_counts_as_one(address: str, key: str) -> None:
    assert client_key(Request({"type": "http", "headers": [], "client": (address, 1234)})) == key


# The first run


@pytest.fixture
def first_run() -> tuple[ASGIApp, Callable[[], None], list[bool]]:
    state, asked = {"up": False}, []

    async def is_set_up() -> bool:
        asked.append(state["up"])
        return state["up"]

    app = FirstRun(studio(), is_set_up, ["/health", "/static/"])
    return app, lambda: state.update(up=True), asked


async def test_before_the_first_password_only_the_open_paths_answer(
    first_run: tuple[ASGIApp, Callable[[], None], list[bool]],
) -> None:
    app, finish, asked = first_run
    async with visiting(app) as visitor:
        paths = {path: (await visitor.get(path)).status_code for path in ("/health", "/static/x.css", "/", "/healthy")}
        assert paths == {"/health": 200, "/static/x.css": 200, "/": 403, "/healthy": 403}
        problem = (await visitor.post("/api/v1/tracks")).json()["error"]
        assert problem["code"] == "not_set_up"
        finish()
        assert (await visitor.get("/")).status_code == 200
        assert (await visitor.get("/")).status_code == 200
    assert asked.count(True) == 1


async def test_while_the_database_is_away_nobody_gets_in_and_the_cause_is_told() -> None:
    async def is_set_up() -> bool:
        raise Unavailable("The database is away.", code="database_away")

    async with visiting(FirstRun(studio(), is_set_up, ["/health"])) as visitor:
        answer = await visitor.get("/api/v1/tracks")
        assert (await visitor.get("/health")).status_code == 200
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")
