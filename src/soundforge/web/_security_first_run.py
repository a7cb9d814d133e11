"""Before somebody has a password, nobody gets in but through the one-time link.

So the first visitor from the network cannot make the studio theirs.
"""

from collections.abc import Awaitable, Callable, Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from soundforge.errors import Unavailable
from soundforge.web._security_refusal import Explain, plainly


class FirstRun:
    """Refuses everything but a few open paths until the studio is set up (403)."""

    def __init__(
        self,
        app: ASGIApp,
        is_set_up: Callable[[], Awaitable[bool]],
        open_paths: Collection[str],
        explain: Explain = plainly,
    ) -> None:
        """``open_paths`` are whole paths (``/health``), or folders where they end in ``/``."""
        self._app = app
        self._is_set_up = is_set_up
        self._open_paths = tuple(open_paths)
        self._explain = explain
        self._done = False  # a studio that is set up stays so: asked no more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as soon as the studio is set up."""
        refusal = None
        if scope["type"] == "http" and not self._is_open(scope["path"]):
            refusal = await self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        try:
            self._done = self._done or await self._is_set_up()
        except Unavailable as error:  # the application's error handlers are further in
            return self._explain(request, 503, error.code, error.sentence, {})
        if self._done:
            return None
        sentence = "This studio has no password yet: open the link that its first start printed."
        return self._explain(request, 403, "not_set_up", sentence, {})

    def _is_open(self, path: str) -> bool:
        return any(path.startswith(one) if one.endswith("/") else path == one for one in self._open_paths)
