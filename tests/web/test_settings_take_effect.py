"""Every setting does what its page says: changed as a person changes it, seen where it counts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from soundforge import accounts, app, jobs, library, pipeline
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.library import ZIP
from soundforge.pipeline import _spotify
from soundforge.tables import File, Job, Track
from tests.support.fake_spotify import FakeSpotify
from tests.support.house import House, open_house
from tests.support.workshop import Workshop, open_workshop, wav

COOKIE = ".youtube.com\tTRUE\t/\tTRUE\t0\ta\tb"


@dataclass
class Studio:
    """Pages and back rooms of one studio, and its owner."""

    house: House
    workshop: Workshop
    songs: int = 0

    async def change(self, name: str, value: object) -> None:
        """As its owner does."""
        answer = await self.house.visitors["owner"].put(f"/api/v1/settings/{name}", json={"value": value})
        assert answer.status_code == 200, answer.text

    async def forge(self) -> tuple[UUID, dict[str, Job]]:
        """Another song, the whole way."""
        self.songs += 1
        return await self.workshop.forge(wav(gain=1 / (1 + self.songs)))

    async def upload(self) -> Job:
        """Another song, by the page."""
        self.songs += 1
        content = wav(gain=1 / (1 + self.songs))
        answer = await self.house.visitors["owner"].post("/import/files", params={"name": "a.wav"}, content=content)
        async with reading() as session:
            return await jobs.get_job(session, self.workshop.owner_id, UUID(answer.json()["job_id"]))

    async def separate_all(self) -> Job:
        """All of the library at once, by the page."""
        answer = await self.house.visitors["owner"].post("/library/batch", data={"action": "separate", "all": "true"})
        assert answer.status_code == 200, answer.text
        async with reading() as session:
            return (await jobs.list_jobs(session, self.workshop.owner_id)).rows[0]

    async def purge(self) -> int:
        """What housekeeping takes away: how many files."""
        async with transaction() as session:
            job = await pipeline.request_purge(session, self.workshop.owner_id)
        return int((await self.workshop.ended(job)).result["files"])


@pytest.fixture
async def studio(database: Database, settings: Settings, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_workshop(settings, database) as workshop, open_house(settings, tmp_path) as house:
        yield Studio(house, workshop)


async def default_model(studio: Studio) -> None:
    assert (await studio.upload()).params["model"] == "auto"
    await studio.change("default_model", "dsp")
    assert (await studio.upload()).params["model"] == "dsp"
    await studio.forge()
    assert (await studio.separate_all()).params["model"] == "dsp"


async def quality(studio: Studio) -> None:
    await studio.forge()
    await studio.change("quality", "fine")
    await studio.forge()
    assert [options.shifts for options in studio.workshop.separator.options] == [1, 3]
    assert (await studio.separate_all()).params["options"]["shifts"] == 3


async def separate_new(studio: Studio) -> None:
    assert set((await studio.forge())[1]) == {"separation", "analysis"}
    await studio.change("separate_new", "off")
    assert set((await studio.forge())[1]) == {"analysis"}


async def analyse_new(studio: Studio) -> None:
    await studio.change("analyse_new", "off")
    assert set((await studio.forge())[1]) == {"separation"}


async def undo_days(studio: Studio) -> None:
    track_id, _ = await studio.forge()
    async with transaction() as session:
        await library.remove_track(session, studio.workshop.owner_id, track_id)
        two_days_ago = datetime.now(UTC) - timedelta(days=2)
        await session.execute(update(Track).where(Track.id == track_id).values(deleted_at=two_days_ago))
    assert await studio.purge() == 0
    await studio.change("undo_days", 1)
    assert await studio.purge() > 0
    async with reading() as session:
        assert list(await session.scalars(select(Track))) == []


async def library_columns(studio: Studio) -> None:
    await studio.forge()
    owner = studio.house.visitors["owner"]
    await studio.change("library_columns", "bpm")
    assert 'class="column-key' not in (await owner.get("/")).text
    await studio.change("library_columns", "bpm,key")
    assert 'class="column-key' in (await owner.get("/")).text


async def export_days(studio: Studio) -> None:
    track_id, made = await studio.forge()
    owner_id = studio.workshop.owner_id
    async with transaction() as session:
        job = await pipeline.request_export(session, owner_id, track_id, stems_job_id=made["separation"].id)
    await studio.workshop.ended(job)
    async with transaction() as session:
        three_days_ago = datetime.now(UTC) - timedelta(days=3)
        await session.execute(update(File).where(File.media_type == ZIP).values(created_at=three_days_ago))
    await studio.change("export_days", 10)
    assert await studio.purge() == 0
    await studio.change("export_days", 1)
    assert await studio.purge() == 1


async def allow_audio_download(studio: Studio) -> None:
    async def paste() -> int:
        owner = studio.house.visitors["owner"]
        return (await owner.post("/api/v1/imports/text", json={"text": "Ann - Sea"})).status_code

    await studio.change("allow_audio_download", "off")
    assert await paste() == 403
    await studio.change("allow_audio_download", "on")
    assert await paste() == 202


async def downloader_cookies(studio: Studio) -> None:
    await studio.change("downloader_cookies", COOKIE)
    assert COOKIE in await app._cookies()


async def asked(studio: Studio) -> FakeSpotify:
    """Spotify, as the next worker asks it."""
    await _spotify.open_api()
    return studio.workshop.spotify


async def spotify_client_id(studio: Studio) -> None:
    await studio.change("spotify_client_secret", "sesame")
    assert (await asked(studio)).credentials is None
    await studio.change("spotify_client_id", "mine")
    found = (await asked(studio)).credentials
    assert found is not None
    assert found.client_id == "mine"


async def spotify_client_secret(studio: Studio) -> None:
    await studio.change("spotify_client_id", "mine")
    await studio.change("spotify_client_secret", "sesame")
    found = (await asked(studio)).credentials
    assert found is not None
    assert found.client_secret == "sesame"


async def spotify_market(studio: Studio) -> None:
    await studio.change("spotify_market", "de")
    assert (await asked(studio)).market == "DE"


async def spotify_pages(studio: Studio) -> None:
    assert not (await asked(studio)).read_pages
    await studio.change("spotify_pages", "on")
    assert (await asked(studio)).read_pages


type Effect = Callable[[Studio], Awaitable[None]]
EFFECTS: Mapping[str, Effect] = {
    effect.__name__: effect
    for effect in (
        default_model,
        quality,
        separate_new,
        analyse_new,
        undo_days,
        library_columns,
        export_days,
        allow_audio_download,
        downloader_cookies,
        spotify_client_id,
        spotify_client_secret,
        spotify_market,
        spotify_pages,
    )
}


def test_every_setting_has_an_effect() -> None:
    assert set(EFFECTS) == set(accounts.SETTINGS)


@pytest.mark.parametrize("name", EFFECTS)
async def test_a_changed_setting_takes_effect(studio: Studio, name: str) -> None:
    await EFFECTS[name](studio)


async def test_what_may_be_empty_is_emptied_by_the_page(studio: Studio) -> None:
    owner: Any = studio.house.visitors["owner"]
    may_be_empty = [name for name, spec in accounts.SETTINGS.items() if spec.default == ""]
    for name, value in {"downloader_cookies": COOKIE, "spotify_market": "DE"}.items():
        await studio.change(name, value)
    for name in ("spotify_client_id", "spotify_client_secret"):
        await studio.change(name, "mine")
    for name in may_be_empty:
        assert (await owner.post(f"/settings/values/{name}", data={"value": ""})).status_code == 303
    async with reading() as session:
        assert [await accounts.get_setting(session, None, name) for name in may_be_empty] == [""] * len(may_be_empty)
    answer = await owner.post("/settings/values/undo_days", data={"value": ""})
    assert (answer.status_code, "This is not a whole number of days." in answer.text) == (422, True)


async def test_the_page_offers_every_choice_and_keeps_the_one_that_was_made(studio: Studio) -> None:
    owner: Any = studio.house.visitors["owner"]
    for name, spec in accounts.SETTINGS.items():
        for value, _text in spec.choices:
            answer = await owner.post(f"/settings/values/{name}", data={"value": value})
            assert answer.status_code == 303, answer.text
            assert f'<option value="{value}" selected>' in (await owner.get("/settings")).text
