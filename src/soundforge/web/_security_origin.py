"""No other site may act in a visitor's name (CSRF).

A browser says where a request comes from: in ``Sec-Fetch-Site``, and over plain http, where that is
missing, in ``Origin``. Requests with a bearer token are exempt: a foreign page cannot add one.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from soundforge.web._security_credentials import has_bearer_token
from soundforge.web._security_refusal import Explain, plainly

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OURS: Final = frozenset({"same-origin", "none"})  # none: typed, a bookmark
_PORTS: Final = {"http": ":80", "https": ":443"}


class SameOrigin:
    """Refuses requests that change something and come from another site (403)."""

    def __init__(self, app: ASGIApp, explain: Explain = plainly) -> None:
        """Wrap the application."""
        self._app = app
        self._explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on that is safe, ours, or no browser's."""
        if scope["type"] != "http" or scope["method"] in _SAFE or _is_fine(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        sentence = "This request came from another site and was refused."
        answer = self._explain(Request(scope), 403, "cross_site", sentence, {})
        await answer(scope, receive, send)


def _is_fine(headers: Headers) -> bool:
    if has_bearer_token(headers):
        return True
    if site := headers.get("sec-fetch-site"):
        return site in _OURS
    if origin := headers.get("origin"):
        return _is_own(origin, headers.get("host", ""))
    return "cookie" not in headers  # no browser: every browser of today names an origin here


def _is_own(origin: str, host: str) -> bool:
    """Compare host and port; the scheme may differ where a proxy in front speaks https."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    port = _PORTS.get(parts.scheme)
    return port is not None and parts.netloc.removesuffix(port) == host.lower().removesuffix(port) != ""
