"""An admin downloads a separation model on the page of settings, from a hub on this machine, and watches it come."""

import os
import threading
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser

from soundforge import accounts
from soundforge.db import open_database, transaction
from tests.browser.conftest import cookie_of
from tests.support.accounts import set_password
from tests.support.browser import run_studio, visit
from tests.support.fake_hub import FakeHub, serving_hub

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

FILES = ("e51eebcc", "a1d90b5c", "5d2d6c55", "cfa93e08")
SHOTS = os.environ.get("SOUNDFORGE_SHOTS")


async def test_a_model_comes_before_ones_eyes_and_goes_again(
    browser: Browser, fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = FakeHub({f"adefossez/Demucs-mdx_extra/{name}.safetensors": bytes(50_000) for name in FILES})
    hub.gate = threading.Event()
    with serving_hub(hub):
        monkeypatch.setenv("SOUNDFORGE_MODEL_HUB", hub.address)
        async with run_studio(fresh_dsn, tmp_path) as studio:
            async with open_database(fresh_dsn):
                async with transaction() as session:
                    owner = await accounts.ensure_owner(session)
                    await set_password(session, owner, str(uuid4()))
                cookie = await cookie_of(owner)
            async with visit(browser, studio, cookie) as visiting:
                page = await visiting.live("settings")
                model = page.locator("#model-mdx_extra")
                await model.get_by_role("button", name="Download").click()
                await model.locator("progress").wait_for()
                if SHOTS:
                    await page.locator("#models").screenshot(path=f"{SHOTS}/models.png")
                hub.gate.set()
                await model.get_by_role("button", name="Remove").wait_for()
                assert "no engine" in await model.inner_text(), "its files are here, and nothing that runs it"
                await model.get_by_role("button", name="Remove").click()
                await model.get_by_role("button", name="Download").wait_for()
