"""Headers of every answer."""

from starlette.middleware import Middleware

from soundforge.web._security import COMPILER_POLICY, CONTENT_SECURITY_POLICY, HEADERS, SecurityHeaders, TrustedHosts
from tests.support.tiny_web import studio, visiting


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


async def test_only_the_script_that_compiles_the_stretcher_may_compile_and_it_may_nothing_else() -> None:
    app = SecurityHeaders(studio())
    async with visiting(app) as browser:
        compiler = (await browser.get("/static/v1/js/stretch-compiler.js")).headers["content-security-policy"]
        others = [
            (await browser.get(path)).headers["content-security-policy"]
            for path in ("/", "/js/stretch-compiler.js", "/static/v1/js/stretch-compiler.js/x", "/static/x.css")
        ]
    assert compiler == COMPILER_POLICY
    assert compiler.count("unsafe") == 1
    assert compiler.startswith("default-src 'none'; script-src 'wasm-unsafe-eval';")
    assert others == [CONTENT_SECURITY_POLICY] * 4
