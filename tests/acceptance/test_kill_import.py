"""kill -9 of the process that imports a playlist, at its pages and at its end: started again, it ends the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select, text

from soundforge import accounts, jobs, pipeline
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.spotify import Skip
from soundforge.tables import TERMINAL, Job, Kind, Playlist, PlaylistTrack, Track, User
from tests.support.fake_spotify_server import FakeSpotifyWire, serving_spotify
from tests.support.fake_spotify_world import World
from tests.support.gates import install_gates, open_gate
from tests.support.worker import run_worker

pytestmark = pytest.mark.timeout(300)

STEP_S = 60.0  # until a step comes, on a busy machine
PAGES = [f"page {offset}" for offset in (*range(50, 512, 50), 0)]  # where the next one begins; the last of eleven: 0
STEPS = [*PAGES, "before commit", "before ack"]
# Of a row that was completed when its worker died, the rescue cancels Oban's job: it is over as well.
_LIVE = "SELECT count(*) FROM oban_jobs WHERE args->>'job_id' = :job AND state NOT IN ('completed', 'cancelled')"
DISTINCT = 484  # songs among 512 entries


@dataclass
class Bench:
    """An import to be killed, and the Spotify that it reads."""

    database: Database
    settings: Settings
    owner: User
    wire: FakeSpotifyWire
    port: str

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[asyncio.subprocess.Process]:
        async with run_worker(
            self.database.dsn, self.settings, self.port, module="tests.support.paste_worker"
        ) as process:
            yield process

    async def paste(self, *steps: str) -> Job:
        """Ask for the import of the list of 512, its steps armed in the same transaction."""
        link = f"https://open.spotify.com/playlist/{self.wire.world.large.id}"
        async with transaction() as session:
            job = await pipeline.request_paste(session, self.owner.id, pipeline.recognise(link))
            for step in steps:
                armed = {"step": step, "job": str(job.id)}
                await session.execute(text("INSERT INTO kill_armed VALUES (:step, :job)"), armed)
        return job

    async def killed_at(self, step: str, *, aborts: bool) -> None:
        """Work until the step, kill; what the dead process had sent to be committed comes to nothing, or through."""
        with open_gate(self.database.dsn) as gate:
            async with self.worker() as process:
                async with asyncio.timeout(STEP_S):
                    while not gate.waiting():
                        assert process.returncode is None, "it ended by itself"
                        await asyncio.sleep(0.01)
                process.kill()
                await process.wait()
            gate.open(abort=aborts)

    async def ended(self, job: Job) -> Job:
        """Work until the import is over and Oban knows it."""
        async with self.worker(), asyncio.timeout(STEP_S):
            while True:
                async with reading() as session:
                    row = await jobs.get_job(session, self.owner.id, job.id)
                    if row.status in TERMINAL and not await session.scalar(text(_LIVE), {"job": str(job.id)}):
                        return row
                await asyncio.sleep(0.02)


@pytest.fixture
async def bench(database: Database, settings: Settings) -> AsyncIterator[Bench]:
    world = World()
    wire = FakeSpotifyWire(world)
    install_gates(database.dsn)
    keyring = accounts.open_keyring(settings.data / "secret.key")
    with accounts.open_settings({}, keyring), serving_spotify(wire) as places:
        async with transaction() as session:
            owner = await accounts.ensure_owner(session)
            for name, value in (("client_id", world.client_id), ("client_secret", world.client_secret)):
                await accounts.change_setting(session, None, f"spotify_{name}", value)
            await accounts.change_setting(session, None, "allow_audio_download", "on")
        yield Bench(database, settings, owner, wire, places.api.split(":")[2].partition("/")[0])


async def check_as_unkilled(bench: Bench, job: Job) -> None:
    """What an import that nobody killed comes to: counts, order, one download for each song, one list."""
    assert (job.status, job.error) == ("completed", None)
    assert job.result == {"tracks": DISTINCT, "known": 12, "skipped": 16, "problems": []}
    assert await entries() == [row if isinstance(row, Skip) else row.id for row in bench.wire.world.large.rows]
    assert (await count(Track), await count(Job, Job.kind == Kind.DOWNLOAD)) == (DISTINCT, DISTINCT)
    assert await count(Job, Job.kind == Kind.DOWNLOAD, Job.parent_id != job.id) == 0
    async with reading() as session:
        (playlist,) = await session.scalars(select(Playlist))
    assert (playlist.total, playlist.notice, bool(playlist.read_at)) == (512, None, True)


async def entries() -> list[str | Skip]:
    async with reading() as session:
        named: dict[Any, Any] = {
            row.id: row.spotify_id for row in await session.execute(select(Track.id, Track.spotify_id))
        }
        rows = await session.scalars(
            select(PlaylistTrack).where(PlaylistTrack.gone_at.is_(None)).order_by(PlaylistTrack.position)
        )
        return [named[row.track_id] if row.track_id else Skip(str(row.skip)) for row in rows]


async def count(what: Any, *where: Any) -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(what).where(*where)) or 0


async def kill_once(bench: Bench, step: str, *, aborts: bool) -> None:
    job = await bench.paste(step)
    await bench.killed_at(step, aborts=aborts)
    row = await bench.ended(job)
    await check_as_unkilled(bench, row)
    is_done = step == "before ack" or (step == "before commit" and not aborts)  # when its process died
    assert row.run == (1 if is_done else 2)
    assert bench.wire.other_requests <= 13 + 3  # a page that was read and not written, and the list's head again


@pytest.mark.parametrize(("step", "aborts"), [("page 50", True), ("page 0", False)])
async def test_an_import_that_is_killed_ends_like_one_that_is_not(bench: Bench, step: str, *, aborts: bool) -> None:
    """Before its first commit, and behind its last page."""
    await kill_once(bench, step, aborts=aborts)


@pytest.mark.soak
@pytest.mark.parametrize("aborts", [True, False], ids=["lost", "written"])
@pytest.mark.parametrize("step", STEPS)
async def test_an_import_ends_the_same_wherever_it_is_killed(bench: Bench, step: str, *, aborts: bool) -> None:
    await kill_once(bench, step, aborts=aborts)


@pytest.mark.soak
async def test_an_import_that_is_killed_at_every_page_ends_the_same(bench: Bench) -> None:
    job = await bench.paste(PAGES[0])
    async with transaction() as session:  # a job has three attempts, and this one dies twelve times
        await session.execute(text("UPDATE oban_jobs SET max_attempts = 99"))
    for step, after in pairwise([*PAGES, "before ack"]):
        await bench.killed_at(step, aborts=False)
        async with transaction() as session:
            armed = {"step": after, "job": str(job.id)}
            await session.execute(text("INSERT INTO kill_armed VALUES (:step, :job)"), armed)
    await bench.killed_at("before ack", aborts=True)
    await check_as_unkilled(bench, await bench.ended(job))
