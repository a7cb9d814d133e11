"""Error families → HTTP status, as a page, a fragment or problem+json. The only place that decides statuses."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from soundforge import logs
from soundforge.errors import (
    Broken,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Rejected,
    SoundForgeError,
    Unavailable,
)
from soundforge.web._render import page
from soundforge.web._security import NotLoggedIn, TooManyAttempts

_log = logs.get(__name__)

STATUS: dict[type[SoundForgeError], int] = {
    NotLoggedIn: 401,
    TooManyAttempts: 429,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Forbidden: 403,
    Rejected: 400,
    Unavailable: 503,
    Broken: 500,
    SoundForgeError: 500,
}


def status_of(error: SoundForgeError) -> int:
    """The status of the nearest family."""
    return next(STATUS[family] for family in type(error).__mro__ if family in STATUS)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in the same three shapes."""
    app.add_exception_handler(SoundForgeError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def _ours(request: Request, error: Exception) -> Response:
    known = error if isinstance(error, SoundForgeError) else SoundForgeError(str(error))
    if isinstance(known, NotLoggedIn) and wants_page(request):
        return _to_login(request)
    if isinstance(known, Broken | Unavailable):
        _log.warning("web.failed", path=request.url.path, code=known.code, error=known.sentence, detail=known.detail)
    answer = explain(request, status_of(known), known.code, known.sentence, known.fields)
    if known.retry_after_s:
        answer.headers["Retry-After"] = str(round(known.retry_after_s))
    return answer


async def _malformed(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = {str(item["loc"][-1]): str(item["msg"]) for item in found}
    return explain(request, 422, "malformed", "This request is not complete or not well formed.", fields)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentences = {404: "There is nothing at this address.", 405: "This address does not take such a request."}
    answer = explain(request, status, "http_error", sentences.get(status, "This request was refused."), {})
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


async def _bug(request: Request, error: Exception) -> Response:
    _log.error("web.bug", path=request.url.path, error=repr(error), exc_info=error)
    return explain(request, 500, "bug", "Something went wrong on our side. The log says what.", {})


def explain(request: Request, status: int, code: str, sentence: str, fields: dict[str, str]) -> Response:
    """One error in the shape that the caller reads: JSON for programs, a toast for htmx, a page for people."""
    if not wants_page(request):
        problem = {"code": code, "message": sentence, **({"fields": fields} if fields else {})}
        return JSONResponse({"error": problem}, status, media_type="application/problem+json")
    if request.headers.get("hx-request") == "true":
        answer = page(request, "pages/_failed.html", status, sentence=sentence, code=code)
        answer.headers["HX-Push-Url"] = "false"  # the page stays, so its address does
        return answer
    return page(request, "pages/error.html", status, sentence=sentence, code=code, status_code=status)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, and not a program."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _to_login(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse("/login", 303)
