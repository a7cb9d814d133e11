"""What a request shows: a session's cookie or a program's bearer token, and never one as the other."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from soundforge import accounts
from soundforge.errors import Forbidden

_COOKIE: Final = "sfa_session"
_SECURE_COOKIE: Final = f"__Host-{_COOKIE}"  # browsers let only https set it, for this one host
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST = 200


class NotLoggedIn(Forbidden):
    """Nobody, or nobody any more: logging in may help (401)."""

    code = "not_logged_in"


@dataclass(frozen=True)
class Credentials:
    """What was shown, not yet looked up: find a session by a cookie's text, a token by a bearer's."""

    kind: Literal["session", "token"]
    text: str


def read_credentials(request: HTTPConnection) -> Credentials | None:
    """Return what a request shows. A bearer token counts alone: a cookie beside it is not looked at.

    A token in a cookie or in the address is no credential.
    """
    if has_bearer_token(request.headers):
        return _credentials("token", request.headers["authorization"].partition(" ")[2].strip())
    return _credentials("session", request.cookies.get(_cookie_name(request), ""))


def has_bearer_token(headers: Headers) -> bool:
    """Whether a request shows a token. Other schemes do not count: a browser may add ``Basic`` by itself."""
    return headers.get("authorization", "")[:7].lower() == "bearer "


def set_session_cookie(request: HTTPConnection, response: Response, token: str) -> None:
    """Give the browser its session; over https under the name that no other host can set."""
    response.set_cookie(
        _cookie_name(request),
        token,
        max_age=int(accounts.SESSION_LASTS.total_seconds()),
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(request: HTTPConnection, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(_cookie_name(request), path="/", secure=_is_secure(request), httponly=True, samesite="lax")


def needed_scope(method: str) -> str:
    """Return the scope that a token needs for a request of this method."""
    return "read" if method in _READS else "write"


def check_scope(scopes: Collection[str], needed: str) -> None:
    """Refuse a token that may not do this.

    Raises:
        Forbidden: ``scope_missing``.

    """
    if not accounts.has_scope(scopes, needed):
        raise Forbidden(f"This token lacks the scope “{needed}”.", code="scope_missing")


def _credentials(kind: Literal["session", "token"], text: str) -> Credentials | None:
    return Credentials(kind, text) if 0 < len(text) <= _LONGEST else None


def _cookie_name(request: HTTPConnection) -> str:
    return _SECURE_COOKIE if _is_secure(request) else _COOKIE


def _is_secure(request: HTTPConnection) -> bool:
    return request.url.scheme == "https"
