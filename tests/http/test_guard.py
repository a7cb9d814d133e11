"""What may leave, where it may go, and how much may come back. No network: the transport is a function."""

import logging
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
import structlog

from soundforge.errors import Broken, Unavailable
from soundforge.http import HTTP_SERVICES, GuardedTransport, Service, client, is_public

HOSTS = frozenset({"api.example.com", "cdn.example.com"})
SERVICE = Service("test", HOSTS, domains=frozenset({"files.example.net"}), body_bytes=1000, total_s=0.2)


def answering(answer: httpx2.Response | Callable[[httpx2.Request], httpx2.Response]) -> httpx2.MockTransport:
    return httpx2.MockTransport(answer if callable(answer) else lambda _: answer)


def ask(url: str, answer: httpx2.Response | None = None, **options: bool) -> httpx2.AsyncClient:
    return client(SERVICE, transport=answering(answer or httpx2.Response(200, text="fine")), **options)


@pytest.mark.parametrize("service", HTTP_SERVICES.values(), ids=lambda service: service.name)
async def test_a_service_that_is_away_is_called_as_people_call_it(service: Service) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    async with client(service, transport=answering(refuse)) as http:
        with pytest.raises(Unavailable) as away:
            await http.get(f"https://{min(service.hosts)}/")
    assert away.value.sentence == f"{service.title[0].upper()}{service.title[1:]} cannot be reached."


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://evil.example/",
        "https://api.example.com.evil.example/",
        "https://api.example.com@evil.example/",
        "https://user:password@api.example.com/",
        "https://example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://api.example.com./",
        "https://files.example.net/",
        "https://evilfiles.example.net/",
        "ftp://api.example.com/",
    ],
)
async def test_nobody_else_is_asked(url: str) -> None:
    async with client(SERVICE, transport=answering(httpx2.Response(200))) as http:
        with pytest.raises(Broken) as refused:
            await http.get(url)
    assert refused.value.code == "host_not_allowed"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "https://API.example.com:443/v1",
        "https://cdn.example.com/",
        "https://eu.files.example.net/x",
    ],
)
async def test_the_hosts_of_the_service_are_asked(url: str) -> None:
    async with client(SERVICE, transport=answering(httpx2.Response(200, text="fine"))) as http:
        assert (await http.get(url)).text == "fine"


def test_every_service_has_its_name_and_closed_hosts() -> None:
    for name, service in HTTP_SERVICES.items():
        assert service.name == name
        assert service.hosts
        assert not service.inside
        assert all("*" not in host and host == host.lower() for host in service.hosts | service.domains)


async def test_a_redirect_is_not_followed_unless_asked() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"location": "https://cdn.example.com/there"})

    async with client(SERVICE, transport=answering(answer)) as http:
        assert (await http.get("https://api.example.com/")).status_code == 302


async def test_a_followed_redirect_stays_with_the_service() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "cdn.example.com":
            return httpx2.Response(200, text="there")
        return httpx2.Response(302, headers={"location": str(request.url.params["to"])})

    async with client(SERVICE, transport=answering(answer), follow_redirects=True) as http:
        assert (await http.get("https://api.example.com/?to=https://cdn.example.com/")).text == "there"
        with pytest.raises(Broken) as refused:
            await http.get("https://api.example.com/?to=https://169.254.169.254/")
    assert refused.value.code == "host_not_allowed"


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 100


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx2.Response(200, content=chunks(11)),
        lambda _: httpx2.Response(200, headers={"content-length": "1001"}, content=chunks(1)),
    ],
    ids=["counted", "announced"],
)
async def test_an_answer_that_is_too_large_is_broken_off(answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
    async with client(SERVICE, transport=answering(answer)) as http:
        with pytest.raises(Broken) as refused:
            await http.get("https://api.example.com/")
    assert refused.value.code == "answer_too_large"


async def test_an_answer_at_the_limit_is_read() -> None:
    async with client(SERVICE, transport=answering(lambda _: httpx2.Response(200, content=chunks(10)))) as http:
        assert len((await http.get("https://api.example.com/")).content) == 1000


async def test_a_packed_answer_is_refused_and_not_asked_for() -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx2.Response(200, headers={"content-encoding": "gzip"}, content=chunks(1))

    async with client(SERVICE, transport=answering(answer)) as http:
        with pytest.raises(Broken) as refused:
            await http.get("https://api.example.com/")
    assert (refused.value.code, asked) == ("answer_unreadable", ["identity"])


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx2.ConnectError("refused"), "service_away"),
        (httpx2.RemoteProtocolError("half an answer"), "service_away"),
        (httpx2.ReadTimeout("slow"), "service_slow"),
    ],
)
async def test_a_failure_is_told_in_our_words(failure: httpx2.TransportError, code: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise failure

    async with client(SERVICE, transport=answering(answer)) as http:
        with pytest.raises(Unavailable) as told:
            await http.get("https://api.example.com/")
    assert told.value.code == code
    assert told.value.sentence.startswith("Test ")


async def test_we_say_who_we_are() -> None:
    said = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        said.append(request.headers["user-agent"])
        return httpx2.Response(200)

    async with client(SERVICE, transport=answering(answer)) as http:
        await http.get("https://api.example.com/")
    assert said[0].startswith("SoundForgeAlchemy/")


async def test_no_secret_reaches_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        async with client(SERVICE, transport=answering(httpx2.Response(200, text="hush-body"))) as http:
            await http.post(
                "https://api.example.com/token?code=hush-query",
                headers={"Authorization": "Bearer hush-header"},
                data={"secret": "hush-form"},
            )
    assert [line["path"] for line in lines] == ["/token"]
    assert "hush" not in f"{lines}{caplog.text}"


class Resolver:
    """Answers each question for a name with the next of its answers, like a name server that lies later."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = [*answers]

    async def __call__(self, host: str, port: int) -> list[str]:
        return self.answers.pop(0)


def resolving(resolver: Resolver, seen: list[tuple[str, str, str]], refuse: str = "") -> httpx2.AsyncClient:
    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.url.host, request.headers["host"], request.extensions["sni_hostname"]))
        if request.url.host == refuse:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200)

    return httpx2.AsyncClient(transport=GuardedTransport(SERVICE, inner=answering(answer), resolve=resolver))


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    seen: list[tuple[str, str, str]] = []
    async with resolving(Resolver(["93.184.215.14"], ["127.0.0.1"]), seen) as http:
        await http.get("https://api.example.com/")
        with pytest.raises(Broken) as refused:
            await http.get("https://api.example.com/")
    assert refused.value.code == "address_not_allowed"
    assert seen == [("93.184.215.14", "api.example.com", "api.example.com")]


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    seen: list[tuple[str, str, str]] = []
    async with resolving(Resolver(["93.184.215.14", "10.0.0.1"]), seen) as http:
        with pytest.raises(Broken):
            await http.get("https://api.example.com/")
    assert seen == []


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    seen: list[tuple[str, str, str]] = []
    async with resolving(Resolver(["2606:4700::1", "93.184.215.14"]), seen, refuse="2606:4700::1") as http:
        assert (await http.get("https://api.example.com/")).status_code == 200
    assert [host for host, _, _ in seen] == ["2606:4700::1", "93.184.215.14"]


async def test_a_name_without_an_address_is_worth_another_try() -> None:
    async with resolving(Resolver([]), []) as http:
        with pytest.raises(Unavailable) as away:
            await http.get("https://api.example.com/")
    assert away.value.code == "service_away"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("192.0.0.192", "192.88.99.1", "fec0::1", "3fff::1", "64:ff9b:1::a00:1"),
        *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "fe80::1%eth0", "not an address"),
    ],
)
def test_addresses_of_this_machine_and_house_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "172.32.0.1"]
)
def test_addresses_out_there_are_public(address: str) -> None:
    assert is_public(address)
