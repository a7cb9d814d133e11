"""Before somebody has a password, nobody gets in but through the one-time link.

So the first visitor from the network cannot make the studio theirs.
"""

from collections.abc import Awaitable, Callable, Collection

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

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
        if scope["type"] != "http" or self._is_open(scope["path"]) or await self._check():
            await self._app(scope, receive, send)
            return
        sentence = "This studio has no password yet: open the link that its first start printed."
        answer = self._explain(Request(scope), 403, "not_set_up", sentence, {})
        await answer(scope, receive, send)

    async def _check(self) -> bool:
        self._done = self._done or await self._is_set_up()
        return self._done

    def _is_open(self, path: str) -> bool:
        return any(path.startswith(one) if one.endswith("/") else path == one for one in self._open_paths)
