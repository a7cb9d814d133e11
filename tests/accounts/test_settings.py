"""Settings: whose value counts, what is locked, and that a secret lies sealed."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from soundforge import accounts
from soundforge.accounts import SETTINGS, SettingSpec
from soundforge.config import Settings
from soundforge.db import reading, transaction
from soundforge.errors import Broken, Conflict, Invalid, NotFound
from soundforge.tables import Setting
from tests.support.accounts import make_user

pytestmark = pytest.mark.usefixtures("database")

SECRET = SettingSpec("api_secret", "Secret", "Opens a door.", "", str, "instance", secret=True)
WITH_SECRET = {**SETTINGS, "api_secret": SECRET}


@pytest.fixture
async def ann() -> UUID:
    async with transaction() as session:
        return (await make_user(session)).id


async def value(user_id: UUID | None, name: str) -> object:
    async with reading() as session:
        return await accounts.get_setting(session, user_id, name)


async def change(user_id: UUID | None, name: str, new: object) -> object:
    async with transaction() as session:
        return await accounts.change_setting(session, user_id, name, new)


async def test_ones_own_value_counts_before_everybodys_before_the_default(ann: UUID) -> None:
    assert await value(ann, "default_model") == "auto"
    await change(None, "default_model", "htdemucs")
    assert await value(ann, "default_model") == "htdemucs"
    await change(ann, "default_model", "dsp")
    await change(ann, "default_model", "htdemucs_ft")
    assert await value(ann, "default_model") == "htdemucs_ft"
    assert await value(None, "default_model") == "htdemucs"
    async with transaction() as session:
        await accounts.reset_setting(session, ann, "default_model")
    assert await value(ann, "default_model") == "htdemucs"


async def test_a_setting_of_the_instance_is_the_same_for_all_whoever_set_it(ann: UUID) -> None:
    assert await change(ann, "undo_days", " 30 ") == 30
    assert await value(None, "undo_days") == await value(ann, "undo_days") == 30
    async with reading() as session:
        (row,) = await session.scalars(select(Setting))
    assert row.user_id is None


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("undo_days", "-1"),
        ("undo_days", "soon"),
        ("undo_days", 1.5),
        ("undo_days", True),
        ("undo_days", 91),
        ("default_model", ""),
        ("default_model", "../x"),
        ("default_model", 5),
        ("default_model", None),
    ],
)
async def test_a_value_that_makes_no_sense_is_refused_with_a_sentence(ann: UUID, name: str, new: object) -> None:
    with pytest.raises(Invalid) as refused:
        await change(ann, name, new)
    assert refused.value.code == "bad_value"
    assert refused.value.fields == {name: refused.value.sentence}


async def test_an_unknown_setting_is_not_found(ann: UUID) -> None:
    with pytest.raises(NotFound):
        await value(ann, "theme")
    with pytest.raises(NotFound):
        await change(ann, "theme", "dark")


async def test_the_environment_wins_and_shows_as_locked(
    ann: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDFORGE_UNDO_DAYS", "60")
    locked = accounts.locked_by(Settings(_env_file=None, data=tmp_path))
    assert locked == {"undo_days": 60}
    await change(None, "undo_days", 30)
    with accounts.open_settings(locked):
        assert await value(ann, "undo_days") == 60
        with pytest.raises(Conflict) as refused:
            await change(ann, "undo_days", 1)
        assert refused.value.code == "setting_locked"
        async with reading() as session:
            shown = {one.spec.name: (one.value, one.locked) for one in await accounts.list_settings(session, ann)}
        assert (shown["default_model"], shown["undo_days"]) == (("auto", False), (60, True))
    assert await value(ann, "undo_days") == 30


async def test_a_value_of_the_environment_that_cannot_be_is_told(ann: UUID) -> None:
    with accounts.open_settings({"undo_days": 10**9}), pytest.raises(Broken) as broken:
        await value(ann, "undo_days")
    assert broken.value.code == "bad_environment"


async def test_a_list_says_where_each_value_comes_from(ann: UUID) -> None:
    await change(ann, "default_model", "dsp")
    await change(None, "undo_days", 5)
    async with reading() as session:
        shown = await accounts.list_settings(session, ann)
    sources = {one.spec.name: one.source for one in shown}
    assert list(sources) == list(SETTINGS)
    assert (sources.pop("default_model"), sources.pop("undo_days")) == ("user", "instance")
    assert set(sources.values()) == {"default"}


async def test_the_secret_of_spotify_is_kept_sealed_and_never_listed(ann: UUID, tmp_path: Path) -> None:
    with accounts.open_settings({}, accounts.open_keyring(tmp_path / "secret.key")):
        await change(None, "spotify_client_secret", "a-secret")
        assert await value(ann, "spotify_client_secret") == "a-secret"
        async with reading() as session:
            shown = {one.spec.name: (one.value, one.source) for one in await accounts.list_settings(session, ann)}
            (row,) = await session.scalars(select(Setting).where(Setting.name == "spotify_client_secret"))
    assert shown["spotify_client_secret"] == (None, "instance")
    assert "a-secret" not in str(row.value)


def test_the_environment_gives_spotify_and_the_switch_by_their_own_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET", "a-secret")
    monkeypatch.setenv("ALLOW_AUDIO_DOWNLOAD", "true")
    locked = accounts.locked_by(Settings(_env_file=None, data=tmp_path))
    assert locked == {"spotify_client_secret": "a-secret", "allow_audio_download": True}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("allow_audio_download", "perhaps"),
        ("spotify_client_id", "an id with spaces"),
        ("spotify_client_secret", "line\nbreak"),
        ("spotify_market", "Germany"),
        ("spotify_pages", 7),
    ],
)
async def test_what_a_source_cannot_be_set_to_is_refused(ann: UUID, name: str, wrong: object) -> None:
    with pytest.raises(Invalid) as refused:
        await change(None, name, wrong)
    assert (refused.value.code, refused.value.fields) == ("bad_value", {name: refused.value.sentence})


async def test_a_secret_lies_sealed_and_is_never_listed(tmp_path: Path) -> None:
    keyring = accounts.open_keyring(tmp_path / "secret.key")
    with accounts.open_settings({}, keyring):
        async with transaction() as session:
            await accounts.change_setting(session, None, "api_secret", "hush", catalogue=WITH_SECRET)
        async with reading() as session:
            stored = (await session.scalars(select(Setting))).one().value
            assert "hush" not in str(stored)
            assert await accounts.get_setting(session, None, "api_secret", catalogue=WITH_SECRET) == "hush"
    async with reading() as session:
        listed = (await accounts.list_settings(session, None, catalogue=WITH_SECRET))[-1]
        assert (listed.value, listed.source) == (None, "instance")
        with pytest.raises(Broken) as broken:
            await accounts.get_setting(session, None, "api_secret", catalogue=WITH_SECRET)
    assert broken.value.code == "no_key"


async def test_every_setting_says_its_effect_and_takes_its_own_default() -> None:
    for name, spec in SETTINGS.items():
        assert name == spec.name
        assert re.fullmatch(r"[A-Z].+\.", spec.effect)
        assert spec.read(spec.default) == spec.default
        assert spec.secret == name.endswith(("_secret", "_cookies"))


async def test_a_setting_is_changed_many_times_on_one_connection(ann: UUID) -> None:
    async with transaction() as session:
        for number in range(15):  # the driver prepares a statement at its sixth time, the server plans it at the 11th
            await accounts.change_setting(session, ann, "default_model", f"model{number}")
            await accounts.change_setting(session, None, "undo_days", number)
    assert (await value(ann, "default_model"), await value(None, "undo_days")) == ("model14", 14)


COOKIE = ".youtube.com\tTRUE\t/\tTRUE\t1999999999\tSID\tsecret-value"
OTHERS = ".bank.example\tTRUE\t/\tTRUE\t1999999999\tSID\tanother-value"


def test_of_a_browsers_cookies_only_those_of_the_sites_are_kept() -> None:
    read = SETTINGS["downloader_cookies"].read
    kept = read(f"# Netscape HTTP Cookie File\r\n{COOKIE}\r\n#HttpOnly_{COOKIE}\n{OTHERS}\n\n")
    assert kept == f"# Netscape HTTP Cookie File\n{COOKIE}\n#HttpOnly_{COOKIE}\n"
    assert read(kept) == kept
    assert read("") == ""


@pytest.mark.parametrize(
    "text", ["hello", "SID=secret; HSID=x", "# only a comment", OTHERS, "x" * 300_000, COOKIE[:20]]
)
def test_what_is_no_file_of_cookies_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        SETTINGS["downloader_cookies"].read(text)
