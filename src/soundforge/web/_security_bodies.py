"""No request fills the memory: its body is small, or its route receives it piece by piece.

The framework reads a whole body before it asks who sends it, so the limit stands in front of it.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundforge.web._security_refusal import Explain, plainly

LARGEST_BODY = 1 << 20  # bytes
LARGEST_PASTE = 6 << 20  # bytes: 2 MB of text, each byte of which a form may write as three


class BodyLimit:
    """Refuses bodies of more than 1 MB (413), of a paste 6 MB; routes that receive files limit them themselves."""

    def __init__(
        self,
        app: ASGIApp,
        uploads: Collection[tuple[str, str]],
        pastes: Collection[tuple[str, str]] = (),
        explain: Explain = plainly,
    ) -> None:
        """``uploads`` are the exempt routes, as method and path: ``("POST", "/import/files")``; a star ends one."""
        self._app = app
        self._uploads = frozenset(uploads)
        self._pastes = frozenset(pastes)
        self._explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that ends before it is too large."""
        if scope["type"] != "http" or self._is_upload(scope):
            await self._app(scope, receive, send)
            return
        most = LARGEST_PASTE if (scope["method"], scope["path"]) in self._pastes else LARGEST_BODY
        body = _Body(receive, send, most)
        if not _says_too_large(scope, most):
            try:
                await self._app(scope, body.receive, body.send)
            except Exception:
                if not body.is_refused:
                    raise
            if not body.is_refused:
                return
        await self._refuse(scope, receive, send, most)

    def _is_upload(self, scope: Scope) -> bool:
        sent = (scope["method"], scope["path"])
        return any(fnmatchcase(sent[1], path) for method, path in self._uploads if method == sent[0])

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        sentence = f"This request is larger than the {most >> 20} MB that are allowed here."
        answer = self._explain(Request(scope), 413, "request_too_large", sentence, {})
        answer.headers["Connection"] = "close"  # the rest of it is not read
        await answer(scope, receive, send)


class _Body:
    """Counts a body as it comes in; once it is too large the application is told that the sender has gone."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive, self._send, self._most = receive, send, most
        self._size = 0
        self._answered = False
        self._is_over = False

    @property
    def is_refused(self) -> bool:
        """Whether it was too large, and nothing has been answered yet."""
        return self._is_over and not self._answered

    async def receive(self) -> Message:
        message: Message = {"type": "http.disconnect"} if self._is_over else await self._receive()
        self._size += len(message.get("body", b""))
        self._is_over = self._size > self._most
        return {"type": "http.disconnect"} if self._is_over else message

    async def send(self, message: Message) -> None:
        if self.is_refused:  # what the application makes of the missing rest is not the answer
            return
        self._answered = True
        await self._send(message)


def _says_too_large(scope: Scope, most: int) -> bool:
    said = [value for name, value in scope["headers"] if name == b"content-length"]
    digits = len(str(most))
    return any(not value.isdigit() or len(value) > digits or int(value) > most for value in said)
