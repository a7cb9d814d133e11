"""A tiny web application for guards to stand before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from soundforge.web._security import clear_session_cookie, read_credentials, set_session_cookie


async def who(request: Request) -> Response:
    found = read_credentials(request)
    return JSONResponse([found.kind, found.text] if found else None)


async def log_in(request: Request) -> Response:
    answer = PlainTextResponse("in")
    set_session_cookie(request, answer, "token-of-session")
    return answer


async def log_out(request: Request) -> Response:
    answer = PlainTextResponse("out")
    clear_session_cookie(request, answer)
    return answer


async def own_cache(request: Request) -> Response:
    return PlainTextResponse("x", headers={"Cache-Control": "public, immutable", "X-Frame-Options": "ALLOW"})


METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
ROUTES = [
    Route("/", who, methods=METHODS),
    Route("/api/v1/tracks", who, methods=METHODS),
    Route("/health", who),
    Route("/login", log_in, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
    Route("/static/x.css", own_cache),
]


def studio(*middleware: Middleware) -> ASGIApp:
    return Starlette(routes=ROUTES, middleware=middleware)


@asynccontextmanager
async def visiting(app: ASGIApp, base: str = "http://studio.lan:8723") -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=base) as browser:
        yield browser


COOKIE = {"Cookie": "sfa_session=x"}
