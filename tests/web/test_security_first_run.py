"""Before the first password, only the link leads in."""

from collections.abc import Callable

import pytest
from starlette.types import ASGIApp

from soundforge.errors import Unavailable
from soundforge.web._security import FirstRun
from tests.support.tiny_web import studio, visiting


@pytest.fixture
def first_run() -> tuple[ASGIApp, Callable[[], None], list[bool]]:
    state, asked = {"up": False}, []

    async def is_set_up() -> bool:
        asked.append(state["up"])
        return state["up"]

    app = FirstRun(studio(), is_set_up, ["/health", "/static/"])
    return app, lambda: state.update(up=True), asked


async def test_before_the_first_password_only_the_open_paths_answer(
    first_run: tuple[ASGIApp, Callable[[], None], list[bool]],
) -> None:
    app, finish, asked = first_run
    async with visiting(app) as visitor:
        paths = {path: (await visitor.get(path)).status_code for path in ("/health", "/static/x.css", "/", "/healthy")}
        assert paths == {"/health": 200, "/static/x.css": 200, "/": 403, "/healthy": 403}
        problem = (await visitor.post("/api/v1/tracks")).json()["error"]
        assert problem["code"] == "not_set_up"
        finish()
        assert (await visitor.get("/")).status_code == 200
        assert (await visitor.get("/")).status_code == 200
    assert asked.count(True) == 1


async def test_while_the_database_is_away_nobody_gets_in_and_the_cause_is_told() -> None:
    async def is_set_up() -> bool:
        raise Unavailable("The database is away.", code="database_away")

    async with visiting(FirstRun(studio(), is_set_up, ["/health"])) as visitor:
        answer = await visitor.get("/api/v1/tracks")
        assert (await visitor.get("/health")).status_code == 200
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")
