"""The web application: routes, files of ours, and what stands around them."""

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from soundforge import __version__, accounts
from soundforge.config import Settings
from soundforge.db import reading
from soundforge.web import api, pages
from soundforge.web._errors import add_error_handlers, explain
from soundforge.web._openapi import REFUSALS, TOKEN, DescribedApp
from soundforge.web._render import STATIC, compile_templates, static_version
from soundforge.web._security import BodyLimit, FirstRun, SameOrigin, SecurityHeaders, TrustedHosts, allowed_hosts
from soundforge.web._studio import Studio

# They ask who sends before they read, and limit what they read themselves.
UPLOADS = (("POST", "/import/files"), ("POST", "/api/v1/imports"), ("PATCH", "/api/v1/uploads/*"))
PASTES = tuple(("POST", f"{path}/{step}") for path in ("/import", "/api/v1/imports") for step in ("preview", "text"))
OPEN_BEFORE_SET_UP = ("/health", "/link/", "/static/")


class _KeptFiles(StaticFiles):
    """Files whose address has their version in it: a browser need never ask again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer with a file."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def create_app(studio: Studio) -> ASGIApp:
    """Make the application, ready to draw its first page; whoever serves it owns the studio.

    The security headers go around everything, also the answer to an error nobody expected.
    """
    compile_templates()
    return SecurityHeaders(make_routes(studio))


def make_routes(studio: Studio) -> FastAPI:
    """Make the application without its outermost wrapping."""
    app = DescribedApp(
        title="Sound Forge Alchemy",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.studio = studio
    app.mount(f"/static/{static_version()}", _KeptFiles(directory=STATIC), name="static")
    app.router.routes.extend(_routes())
    add_error_handlers(app)
    _protect(app, studio.settings)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Every page and call, its parameters worked out: FastAPI would do that while the first who asks waits."""
    all_of_them = FastAPI(openapi_url=None)
    for router in pages.routers:
        all_of_them.include_router(router)
    for router in api.routers:
        all_of_them.include_router(router, dependencies=[TOKEN], responses=REFUSALS)
    nowhere = {"type": "http", "method": "GET", "path": "/nowhere/at/all", "root_path": "", "headers": []}
    for route in all_of_them.router.routes:
        route.matches(nowhere)
    return all_of_them.router.routes


def _protect(app: FastAPI, settings: Settings) -> None:
    """Put the guards around the application; the last one added is the outermost."""
    app.add_middleware(BodyLimit, uploads=UPLOADS, pastes=PASTES, explain=explain)
    app.add_middleware(SameOrigin, explain=explain)
    app.add_middleware(FirstRun, is_set_up=_is_set_up, open_paths=OPEN_BEFORE_SET_UP, explain=explain)
    app.add_middleware(TrustedHosts, hosts=allowed_hosts(settings.hosts, settings.host), explain=explain)


async def _is_set_up() -> bool:
    async with reading() as session:
        return await accounts.is_set_up(session)
