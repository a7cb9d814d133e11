"""How a client is made. No other file makes one."""

import logging
from importlib.metadata import PackageNotFoundError, version

import httpx2

from soundforge.http._guard import GuardedTransport
from soundforge.http._services import HTTP_SERVICES, Service

# These two write whole addresses and headers, and with them tokens; our own line leaves both out.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)


def client(
    service: str | Service, *, follow_redirects: bool = False, transport: httpx2.AsyncBaseTransport | None = None
) -> httpx2.AsyncClient:
    """Make the client of a service; use it as an ``async with`` or close it.

    Every request, each step of a followed redirect too, goes to the hosts of that service alone, over
    https, to a public address. Failures are ours, not the library's: callers see ``Unavailable`` and
    ``Broken``.

    ``service`` is a name in ``HTTP_SERVICES``. ``transport`` takes the network's place in a test; the
    checks on host, body and time stay.

    Raises (each request):
        Unavailable: ``service_away``, ``service_slow``.
        Broken: ``host_not_allowed``, ``address_not_allowed``, ``answer_too_large``, ``answer_unreadable``.

    """
    chosen = HTTP_SERVICES[service] if isinstance(service, str) else service
    return httpx2.AsyncClient(
        transport=GuardedTransport(chosen, inner=transport),
        timeout=httpx2.Timeout(chosen.read_s, connect=chosen.connect_s),
        headers={"User-Agent": f"SoundForgeAlchemy/{_version()}", "Accept-Encoding": "identity"},
        follow_redirects=follow_redirects,
        max_redirects=chosen.redirects,
    )


def _version() -> str:
    try:
        return version("soundforge")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
