"""What holds for every visitor, whatever they ask for: credentials, disabled accounts, settings of everybody."""

import httpx2
import pytest

from soundforge import accounts
from soundforge.db import transaction
from tests.support.house import House


async def test_a_token_in_a_cookie_or_an_address_is_none(house: House) -> None:
    token = house.visitors["reading token"].headers["authorization"].removeprefix("Bearer ")
    anonymous = house.visitors["anonymous"]
    assert (await anonymous.get("/api/v1/me", headers={"Cookie": f"sfa_session={token}"})).status_code == 401
    assert (await anonymous.get(f"/api/v1/me?token={token}")).status_code == 401


async def test_whoever_is_disabled_or_revoked_is_out_at_once(house: House) -> None:
    async with transaction() as session:
        tokens = await accounts.list_tokens(session, house.users["ann"])
        for token in tokens:
            await accounts.revoke_token(session, house.users["ann"], token.id)
        await accounts.disable_user(session, house.users["ben"])
    assert (await house.visitors["reading token"].get("/api/v1/me")).status_code == 401
    assert (await house.visitors["ben"].get("/api/v1/me")).status_code == 401
    assert (await house.visitors["ann"].get("/api/v1/me")).status_code == 200


async def test_a_setting_of_everybody_takes_an_admin(house: House) -> None:
    instance = next(name for name, spec in accounts.SETTINGS.items() if spec.scope == "instance")

    async def put(visitor: str) -> httpx2.Response:
        return await house.visitors[visitor].put(f"/api/v1/settings/{instance}", json={"value": 60})

    statuses = {
        visitor: (await put(visitor)).status_code for visitor in ("ann", "writing token", "eve", "admin's token")
    }
    assert statuses == {"ann": 403, "writing token": 403, "eve": 200, "admin's token": 200}


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"])
async def test_figures_are_not_for_whom_a_proxy_on_this_machine_speaks(house: House, header: str) -> None:
    anonymous = house.visitors["anonymous"]
    assert (await anonymous.get("/metrics")).status_code == 200
    assert (await anonymous.get("/metrics", headers={header: "127.0.0.1"})).status_code == 401


async def test_the_name_of_a_model_is_short(house: House) -> None:
    song = await house.add_song()
    path = f"/tracks/{song.track_id}/separate"
    answer = await house.visitors["ann"].post(path, data={"model": "x" * 61})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")
