"""Folders for embedded servers, applications that use one, and strangers, all owned by fixtures."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from soundforge.db import EmbeddedServer
from soundforge.db._programs import find_account

_APPLICATION = """
import signal
import sys
from pathlib import Path
from soundforge import logs
from soundforge.config import Settings
from soundforge.db import open_server
logs.set_up()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, as these tests may be, ignores it
with open_server(Settings(_env_file=None, data=Path(sys.argv[1]), database_url=None)) as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@contextmanager
def reachable_folder(name: str = "sf db") -> Iterator[Path]:
    """Give a temporary folder that the server's account may pass even when the tests run as root."""
    top = Path(tempfile.mkdtemp(prefix=f"{name} "))
    try:
        top.chmod(0o711)
        yield top
    finally:
        shutil.rmtree(top)


def kill_postmaster(server: EmbeddedServer) -> int:
    """kill -9 the server's first process, as the kernel does when memory runs out; return its pid."""
    pid = postmaster_pid(server)
    os.kill(pid, signal.SIGKILL)
    return pid


def postmaster_pid(server: EmbeddedServer) -> int:
    """Return the pid that ``postmaster.pid`` names."""
    return int((server.cluster / "postmaster.pid").read_text().splitlines()[0])


def until(condition: Callable[[], bool], *, within_s: float = 10, every_s: float = 0.01) -> float:
    """Wait for a condition, looking ``every_s``; return how many seconds it took, or fail after ``within_s``."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, f"not within {within_s} s"
        time.sleep(every_s)
    return time.monotonic() - began


class Application:
    """Another process of ours that has the server of ``data`` open."""

    def __init__(self, data: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _APPLICATION, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.dsn = ""

    def wait_until_open(self) -> str:
        """Return the URL that it prints once its server answers."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        assert ready, "the application did not open its server"
        self.dsn = self.process.stdout.readline().strip()
        return self.dsn

    def leave(self) -> None:
        """Let it end in order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(20) == 0

    def interrupt(self) -> None:
        """Send Ctrl-C to its whole process group, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(20)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(20)

    def close(self) -> None:
        """Leave nothing of it behind."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def stranger() -> Iterator[psutil.Process]:
    """Run a living process that is no PostgreSQL, of the account that PostgreSQL runs under."""
    account = find_account()
    process = subprocess.Popen(["sleep", "600"], user=account.uid if account else None)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()
