"""Names that the studio answers to.

A page from elsewhere may let its own name lead to this machine (DNS rebinding); the browser then takes
the studio for that page's own server. The Host header gives it away: it carries the foreign name. An
address in its place cannot be such a name, so addresses are always fine.
"""

import ipaddress
import re
import socket
from collections.abc import Collection

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from soundforge.web._security_refusal import Explain, plainly

ANY = "*"
_HOST = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::[0-9]*)?")


def allowed_hosts(extra: str, listen_on: str = "") -> frozenset[str]:
    """Return the names to answer to: this machine's own, and those of the setting ``hosts``.

    ``extra`` is comma separated, e.g. ``"studio.example.org, studio.lan"``; ``*`` allows any.
    """
    own = socket.gethostname().lower()
    named = {name.strip().lower().rstrip(".") for name in f"{extra},{listen_on}".split(",")}
    return frozenset({"localhost", own, f"{own.split('.')[0]}.local", *named} - {""})


class TrustedHosts:
    """Refuses requests that came under a name that is not ours (421)."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], explain: Explain = plainly) -> None:
        """``hosts`` are lower-case names without a port; see :func:`allowed_hosts`."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on that came under a name of ours."""
        if scope["type"] != "http" or self._is_ours(scope):
            await self._app(scope, receive, send)
            return
        sentence = "The studio does not answer to this name; its administrator can add it to SOUNDFORGE_HOSTS."
        answer = self._explain(Request(scope), 421, "unknown_host", sentence, {})
        await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(said) != 1:
            return False
        name = _without_port(said[0])
        return ANY in self._hosts or name in self._hosts or name.endswith(".localhost") or _is_address(name)


def _without_port(host: str) -> str:
    found = _HOST.fullmatch(host)
    return found[1].lower().rstrip(".") if found else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
