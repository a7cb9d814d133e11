"""Workers of this process on fakes: the real queue, the real bodies, engines that need no time."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import soundfile
from sqlalchemy import text as sql

from soundforge import accounts, jobs, pipeline
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.errors import Unavailable
from soundforge.pipeline import PcmCache, Ports
from soundforge.storage import Stored
from soundforge.tables import TERMINAL, Job, Kind
from soundforge.tools import Tools
from tests.support.audio import sweep
from tests.support.fake_spotify import FakeSpotify
from tests.support.fake_spotify_world import World
from tests.support.fakes_analyzer import FakeAnalyzer
from tests.support.fakes_decoder import FakeDecoder
from tests.support.fakes_downloader import FakeDownloader
from tests.support.fakes_listener import FakeListener
from tests.support.fakes_separator import FakeSeparator
from tests.support.fakes_storage import MemoryStorage
from tests.support.jobs import DEADLINE_S, Wire, open_wire

SETTLED_S = 5.0
_ONE_TRY = (
    "CREATE FUNCTION one_try() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.max_attempts := 1; RETURN NEW; END'",
    """CREATE TRIGGER one_try BEFORE INSERT ON oban_jobs FOR EACH ROW WHEN (NEW.queue = '{queue}')
    EXECUTE FUNCTION one_try()""",
)
QUEUES = "imports:2,processing:2,analysis:2,exports:1,maintenance:1"


def wav(seconds: float = 0.2, *, rate: int = 8000, gain: float = 1.0) -> bytes:
    """The bytes of a small WAV file; another ``gain`` makes another song."""
    file = io.BytesIO()
    soundfile.write(file, sweep(seconds, rate=rate) * gain, rate, format="WAV")
    return file.getvalue()


async def in_chunks(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """Bytes as a request's body brings them."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


class FaultyStorage(MemoryStorage):
    """Storage that fails the n-th ``put`` from now on, once."""

    def __init__(self, room_bytes: int = 1 << 30) -> None:
        super().__init__(room_bytes)
        self.puts_until_fault: int | None = None

    async def put(self, path: Path, key: str) -> Stored:
        if self.puts_until_fault is not None:
            self.puts_until_fault -= 1
            if self.puts_until_fault < 0:
                self.puts_until_fault = None
                raise Unavailable("The disk is full.", code="disk_full")
        return await super().put(path, key)


@dataclass
class Workshop:
    """A studio's back rooms, with handles on the fakes."""

    settings: Settings
    storage: FaultyStorage
    owner_id: UUID
    wire: Wire
    decoder: FakeDecoder
    separator: FakeSeparator
    analyzer: FakeAnalyzer
    spotify: FakeSpotify
    downloader: FakeDownloader

    async def receive(self, content: bytes, name: str = "Ann - Song.wav", **options: Any) -> Job:
        """Take bytes in and ask for their import."""
        async with pipeline.open_upload(self.settings, name, in_chunks(content)) as upload, transaction() as session:
            return await pipeline.request_import(session, self.owner_id, upload, options=options)

    async def set(self, name: str, value: str) -> None:
        """Change a setting of the instance."""
        async with transaction() as session:
            await accounts.change_setting(session, None, name, value)

    async def allow(self, world: World | None = None) -> None:
        """Let audio be fetched, and this studio's app ask the Spotify of ``world``."""
        await self.set("allow_audio_download", "on")
        if world:
            await self.set("spotify_client_id", world.client_id)
            await self.set("spotify_client_secret", world.client_secret)

    async def let_jobs_try_once(self, queue: str) -> None:
        """Make the first attempt of jobs that are asked for from now on their last: nobody waits for two more."""
        async with transaction() as session:
            for statement in _ONE_TRY:
                await session.execute(sql(statement.format(queue=queue)))

    async def paste(self, text: str) -> Job:
        """Ask for the import of a paste."""
        async with transaction() as session:
            return await pipeline.request_paste(session, self.owner_id, pipeline.recognise(text))

    async def paste_anyway(self, text: str) -> Job:
        """The same, as if it had been asked for while that was allowed."""
        async with transaction() as session:
            orders = pipeline.recognise(text).orders
            params = {"what": "paste", "name": text, "lines": orders}
            return await jobs.add_job(session, kind=Kind.IMPORT, owner_id=self.owner_id, unique_key=text, params=params)

    async def seen(self, job: Job, is_so: Callable[[Job], bool]) -> Job:
        """Wait until a job's row is as a test wants it, and give it."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                heard = len(self.wire.heard)
                async with reading() as session:
                    row = await jobs.get_job(session, self.owner_id, job.id)
                if is_so(row):
                    return row
                await self.wire.until_event(lambda _event, heard=heard: len(self.wire.heard) > heard)

    async def ended(self, job: Job) -> Job:
        """Wait until a job has ended for good, and give its row."""
        return await self.seen(job, lambda row: row.status in TERMINAL)

    async def children_of(self, job: Job) -> dict[str, Job]:
        """Wait for the jobs that an import started; give them by kind."""
        async with reading() as session:
            page = await jobs.list_jobs(session, self.owner_id)
        return {row.kind: await self.ended(row) for row in page.rows if row.parent_id == job.id}

    async def forge(self, content: bytes | None = None, name: str = "Ann - Song.wav") -> tuple[UUID, dict[str, Job]]:
        """Take one song the whole way; gives the track's id, and separation and analysis."""
        job = await self.ended(await self.receive(wav() if content is None else content, name))
        assert job.status == "completed", job.error
        return UUID(job.result["track_id"]), await self.children_of(job)

    async def retry(self, job: Job) -> Job:
        """Try a failed job again."""
        async with transaction() as session:
            return await jobs.retry_job(session, self.owner_id, job.id)

    def received(self) -> list[Path]:
        """What lies in ``incoming/``."""
        folder = self.settings.incoming_folder
        return sorted(folder.iterdir()) if folder.exists() else []

    async def left_over(self) -> list[str]:
        """Where rows, objects, jobs, processes and work folders do not agree, once what ended is cleaned up."""
        deadline = time.monotonic() + SETTLED_S
        while True:  # a run's folder goes and Oban hears of its end a moment after the row has it
            findings = [finding.sentence for finding in await pipeline.verify(self.settings, self.storage)]
            folders = [str(path) for path in self.settings.work_folder.glob("*/*") if path.is_dir()]
            left = [*findings, *(path for path in folders if not path.endswith("/pcm"))]
            if not left or time.monotonic() > deadline:
                return left
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_workshop(
    settings: Settings, database: Database, *, downloads: int = 1, **ports: Any
) -> AsyncIterator[Workshop]:
    """Work every queue of ``database``, so many downloads at once, with fakes or with the ``ports`` of a test."""
    queues = f"{QUEUES},download:{downloads}" if downloads else QUEUES
    working = settings.model_copy(update={"queues": queues})
    fakes: dict[str, Any] = {
        "storage": FaultyStorage(),
        "decoder": FakeDecoder(),
        "separators": {"fake": FakeSeparator()},
        "analyzer": FakeAnalyzer(),
        "tools": Tools(settings.tools_folder),
        "pcm": PcmCache(),
        "hear_stems": FakeListener(),
        "spotify": FakeSpotify(World(), None),
        "downloader": FakeDownloader(),
        **ports,
    }
    keyring = accounts.open_keyring(settings.data / "secret.key")
    async with transaction() as session:
        owner_id = (await accounts.ensure_owner(session)).id

    async def sweep(prefix: str) -> None:
        await pipeline.sweep_prefix(fakes["storage"], prefix)

    with pipeline.bind(Ports(settings=working, **fakes)), accounts.open_settings({}, keyring):
        opening = jobs.open_node(working, database.dsn, on_sweep=sweep, lacking=await pipeline.lacking())
        async with open_wire(database.dsn) as wire, opening as node, pipeline.open_readiness(node):
            separator = next(iter(fakes["separators"].values()))
            engines = (fakes["decoder"], separator, fakes["analyzer"])
            yield Workshop(working, fakes["storage"], owner_id, wire, *engines, fakes["spotify"], fakes["downloader"])
