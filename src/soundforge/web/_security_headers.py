"""Headers of every answer: nothing foreign runs in our pages, and nobody frames them."""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)

# The one exception: the worker that compiles the mixer's stretcher (docs/adr/0015). It may compile WebAssembly and
# fetch from us, and nothing else; the pages themselves keep the policy above, and no worker inherits theirs.
COMPILER_PATH: Final = re.compile(r"/static/[0-9a-z]+/js/stretch-compiler\.js")
COMPILER_POLICY: Final = "default-src 'none'; script-src 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# What an answer may decide for itself; without a word from it, no shared cache keeps what is private.
_DEFAULTS: Final = {"Cache-Control": "private, no-cache"}


class SecurityHeaders:
    """Sets ``HEADERS`` on every answer, whatever it says itself."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the whole application, so that refusals and errors carry the headers too."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if COMPILER_PATH.fullmatch(scope["path"]):
                    headers["Content-Security-Policy"] = COMPILER_POLICY
                for name, value in _DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
