"""How a middleware says no: it stands outside the application's error handlers."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

type Explain = Callable[[Request, int, str, str, dict[str, str]], Response]


def plainly(request: Request, status: int, code: str, sentence: str, _fields: dict[str, str]) -> Response:
    """Explain without any template: JSON for programs, one line of text for the rest."""
    if request.url.path.startswith("/api/"):
        problem = {"error": {"code": code, "message": sentence}}
        return JSONResponse(problem, status, media_type="application/problem+json")
    return PlainTextResponse(f"{sentence}\n", status)
