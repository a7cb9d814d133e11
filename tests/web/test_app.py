import fastapi.routing
import pytest

from soundforge.web import create_app
from soundforge.web._app import _routes
from tests.support.house import House, client


async def test_the_first_who_asks_does_not_wait_for_parameters_to_be_worked_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(**_asked: object) -> None:
        raise AssertionError("a route is worked out while somebody waits")

    _routes.cache_clear()
    app = create_app(house.studio)
    monkeypatch.setattr(fastapi.routing, "get_dependant", too_late)
    async with client(app) as visitor:
        for path in ("/login", "/api/v1/me"):
            assert (await visitor.get(path)).status_code in (200, 401)
