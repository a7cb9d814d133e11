"""The whole house as real processes: ``serve`` and ``work`` on an embedded PostgreSQL, to be killed and looked at.

The server works imports, exports, maintenance and analyses; the worker works separations and analyses. So a test
knows who has which job, and one queue is shared.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, pipeline
from soundforge.config import Settings
from soundforge.db import EmbeddedServer, open_database, transaction
from soundforge.errors import Broken
from soundforge.pipeline import Finding
from soundforge.storage import DiskStorage
from soundforge.tables import Job, migrate
from tests.support.accounts import set_password
from tests.support.audio import sweep, write_audio
from tests.support.db import fast_folder
from tests.support.leaks import keep_process
from tests.support.servers import until
from tests.support.zygote import Forked, Zygote

SCALE = 0.05
SERVER_QUEUES = "imports:2,exports:1,maintenance:1,analysis:1"
WORKER_QUEUES = "processing:2,analysis:1"
BOOT_S = 90.0  # a Python process on a busy machine, and the recovery of a killed database
OVER_S = 120.0  # until every job is finished
PASSWORD = "a long enough password"
_CHECKOUT = Path(__file__).resolve().parents[2]


class Process:
    """One command of ours as a process of its own; ``start`` may be called again after ``kill``."""

    def __init__(
        self, data: Path, name: str, *command: str, scale: float = SCALE, zygote: Zygote | None = None
    ) -> None:
        """Describe it; nothing runs yet. A ``zygote`` starts it faster."""
        self.name = name
        self.log = data / f"{name}.log"
        self.began_at = datetime.now(UTC)
        self._data, self._command, self._scale, self._zygote = data, list(command), scale, zygote
        self._popen: subprocess.Popen[bytes] | Forked | None = None
        self._node: str | None = None

    def start(self) -> None:
        """Start it, in a process group of its own."""
        self.began_at, self._node = datetime.now(UTC), None
        env = environment(self._data, self._scale)
        if self._zygote is not None:
            self._popen = self._zygote.start(self._command, cwd=self._data, env=env, log=self.log)
            return
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "soundforge", *self._command]
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
            self._popen = subprocess.Popen(command, **streams, cwd=self._data, env=env, start_new_session=True)
        keep_process(self._popen.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._popen is not None
        return self._popen.pid

    @property
    def runs(self) -> bool:
        """Whether it lives."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def node(self) -> str | None:
        """The slot whose lock file it holds, or None as long as it has none."""
        if not self.runs:
            return None
        with contextlib.suppress(psutil.Error):
            held = () if self._node else (Path(file.path) for file in psutil.Process(self.pid).open_files())
            self._node = next((lock.stem for lock in held if lock.parent == self._data / "work"), self._node)
        return self._node

    def kill(self) -> None:
        """kill -9."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait(20)

    def ask_to_end(self, number: int = signal.SIGTERM) -> None:
        """Ask it by a signal to end, as a service manager does."""
        assert self._popen is not None
        self._popen.send_signal(number)

    def terminate(self, within_s: float, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Ask it by a signal to end; return its exit status and how many seconds it took."""
        assert self._popen is not None
        began = time.monotonic()
        self.ask_to_end(number)
        return self._popen.wait(within_s), time.monotonic() - began

    def wait(self, within_s: float) -> int:
        """Wait for its end; return its exit status."""
        assert self._popen is not None
        return self._popen.wait(within_s)

    def text(self) -> str:
        """What it printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def environment(data: Path, scale: float = SCALE) -> dict[str, str]:
    """Build the environment of a command that works on ``data`` and knows nothing of the tests' own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SOUNDFORGE_", "DATABASE_URL"))}
    ours = {"SOUNDFORGE_DATA": str(data), "SOUNDFORGE_TIME_SCALE": str(scale), "SOUNDFORGE_PORT": "0"}
    return kept | ours | {"PYTHONPATH": f"{_CHECKOUT / 'src'}", "PYTHONUNBUFFERED": "1"}


class Studio:
    """The house, its data and what is going on in it."""

    def __init__(self, data: Path, *, scale: float = SCALE, zygote: Zygote | None = None) -> None:
        """Lay it out in ``data``; nothing runs yet."""
        self.data = data
        self.settings = Settings(_env_file=None, data=data, time_scale=scale, queues="none", database_url=None)
        self.storage = DiskStorage(self.settings.storage_folder)
        self.postgres = EmbeddedServer(data / "postgres")
        self._zygote = zygote
        self.server = self.process("server", "serve", "--queues", SERVER_QUEUES)
        self.worker = self.process("worker", "work", "--queues", WORKER_QUEUES)
        self.songs = 0
        self._connection: psycopg.Connection | None = None

    @property
    def processes(self) -> tuple[Process, Process]:
        """Server and worker."""
        return self.server, self.worker

    @property
    def dsn(self) -> str:
        """URL of the database."""
        return self.postgres.url()

    def process(self, name: str, *words: str) -> Process:
        """Describe one of our commands as a process of this house; ``name`` is that of its log."""
        return Process(self.data, name, *words, scale=self.settings.time_scale, zygote=self._zygote)

    def prepare(self) -> None:
        """Make the database, with an owner who is set up: no demo song, nothing but what a test asks for."""
        dsn = self.postgres.start()
        for setting in ("fsync", "full_page_writes"):  # no power fails here; what a killed server promised still counts
            self.ask(f"ALTER SYSTEM SET {setting} = off")
        self.ask("SELECT pg_reload_conf()")
        asyncio.run(migrate(dsn))

        async def set_up(session: AsyncSession, owner_id: UUID) -> None:
            owner = await accounts.ensure_owner(session)
            await set_password(session, owner, PASSWORD)

        self.do(set_up)

    def start(self, *processes: Process) -> None:
        """Start these (else both) and wait until they work their queues; from then on the server is theirs."""
        for process in processes or self.processes:
            process.start()
        for process in processes or self.processes:
            self.wait_for(process)
        self.postgres.stop()

    def wait_for(self, process: Process) -> None:
        """Wait until a started process works its queues."""
        until(lambda: self.serve(process) or not process.runs, within_s=BOOT_S, every_s=0.1)
        assert process.runs, f"{process.name} ended:\n{process.text()[-3000:]}"

    def serve(self, *processes: Process) -> bool:
        """Whether the database answers and these work their queues."""
        return self.ask("SELECT 1") is not None and all(map(self._serves, processes))

    def scaled(self, seconds: float) -> float:
        """Give seconds by the house's clocks in real ones."""
        return seconds * self.settings.time_scale

    def _serves(self, process: Process) -> bool:
        question = "SELECT count(*) FROM oban_producers WHERE node = %s AND started_at >= %s"
        since = process.began_at.replace(tzinfo=None)
        rows = self.ask(question, process.node, since) if process.node else None
        return bool(rows and rows[0][0])

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]] | None:
        """Ask the database; None while it is away."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self.dsn, autocommit=True, connect_timeout=5)
            answer = self._connection.execute(question.encode(), values)
            return answer.fetchall() if answer.description else []
        except (psycopg.OperationalError, Broken):  # Broken: it has no password yet
            self._connection = None
            return None

    def do[T](self, body: Callable[[AsyncSession, UUID], Awaitable[T]]) -> T:
        """Run ``body`` in a transaction of this process, as the owner."""

        async def run() -> T:
            async with open_database(self.dsn, pool_size=1), transaction() as session:
                return await body(session, (await accounts.ensure_owner(session)).id)

        return asyncio.run(run())

    def receive(self, seconds: float = 1.0, name: str | None = None) -> pipeline.Upload:
        """Put a new song where received bytes wait; no two are alike."""
        self.songs += 1
        self.settings.incoming_folder.mkdir(exist_ok=True)
        upload_id = uuid4()
        sound = sweep(seconds) * (1 - self.songs / 1000)
        path = write_audio(self.settings.incoming_folder / f"{upload_id}.part", sound, kind="wav")
        path.rename(path.with_suffix(""))
        return pipeline.Upload(upload_id, name or f"song {self.songs}.wav", path.with_suffix("").stat().st_size)

    def request_import(self, seconds: float = 1.0) -> Job:
        """Import a new song."""
        upload = self.receive(seconds)
        return self.do(lambda session, owner_id: pipeline.request_import(session, owner_id, upload))

    def active(self) -> list[tuple[Any, ...]] | None:
        """Give the jobs that are not over: id, kind, status; None while the database is away."""
        return self.ask("SELECT id, kind, status FROM jobs WHERE status NOT IN ('completed', 'failed')")

    def wait_until_over(self, within_s: float) -> float:
        """Wait until every job is terminal; return how long it took."""
        try:
            return until(lambda: self.active() == [], within_s=within_s, every_s=0.05)
        except AssertionError as late:
            raise AssertionError(f"not over: {self.active()}\n{self._tails()}") from late

    def _tails(self) -> str:
        return "\n".join(f"--- {process.name}\n{process.text()[-2000:]}" for process in self.processes)

    def verify(self) -> list[Finding]:
        """``db verify``, in this process."""

        async def run() -> list[Finding]:
            async with open_database(self.dsn, pool_size=1):
                return await pipeline.verify(self.settings, self.storage)

        return asyncio.run(run())

    def command(self, *words: str, within_s: float = 120) -> tuple[int, str]:
        """Run one of our commands to its end; return its exit status and what it said."""
        process = self.process(f"command-{uuid4().hex[:8]}", *words)
        process.start()
        return process.wait(within_s), process.text()

    def children(self) -> list[psutil.Process]:
        """Every living process that works in our data folder as a child of server or worker."""
        home = str(self.settings.work_folder)
        return [process for process in psutil.process_iter() if _home(process).startswith(home)]

    def left_over(self) -> list[str]:
        """What should not be there when no job is active: run folders, received bytes, processes.

        Decoded audio and warm engines are a node's own: they may be there as long as it lives.
        """
        work = self.settings.work_folder
        own = [work / process.node / kept for process in self.processes if process.node for kept in ("pcm", "warm")]
        working = [path for path in work.glob("*/*/*") if path.parent not in own]
        received = list(self.settings.incoming_folder.glob("*"))
        processes = [process for process in self.children() if not _works_below(process, own)]
        names = [f"{process.pid} {' '.join(process.cmdline())}" for process in processes]
        return [*(str(path.relative_to(self.data)) for path in (*working, *received)), *names]

    def close(self) -> None:
        """End everything, the database as well, and leave nothing."""
        if self._connection is not None:
            self._connection.close()
        for process in self.processes:
            process.kill()
        for child in self.children():
            child.kill()
        self.postgres.start()  # an orderly end gives back the shared memory that killed ones have left
        self.postgres.stop()
        shutil.rmtree(self.data)


def _home(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("HOME", "")) if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.Error:
        return ""


def _works_below(process: psutil.Process, folders: list[Path]) -> bool:
    return any(Path(_home(process)).is_relative_to(folder) for folder in folders)


@contextmanager
def open_studio(*, scale: float = SCALE, zygote: Zygote | None = None) -> Iterator[Studio]:
    """Give a studio of its own in a short folder that PostgreSQL's account can pass, also as root."""
    data = fast_folder() / f"sf-{uuid4().hex[:8]}"
    data.mkdir()
    data.chmod(0o711)
    studio = Studio(data, scale=scale, zygote=zygote)
    try:
        studio.prepare()
        yield studio
    finally:
        studio.close()
