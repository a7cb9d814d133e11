"""A process that has imported the studio already and forks itself for each command: a start costs nothing then.

On a machine with two cores half of a kill test's time would be Python importing the same packages again and again.
What is forked is a process like any other: its own group, environment, folder and log; ``make soak`` starts the
program itself instead. Requests are JSON lines on standard input; each is answered with a pid.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.leaks import keep_process

_CHECKOUT = Path(__file__).resolve().parents[2]


class Forked:
    """A process that was forked; the zygote reaps it, so its exit status is not known."""

    def __init__(self, pid: int) -> None:
        """Know it by its pid."""
        self.pid = pid
        self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """None while it lives, like Popen's."""
        return None if self._process.is_running() else 0

    def kill(self) -> None:
        """kill -9; one that is gone is fine."""
        if self.poll() is None:
            self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        self._process.wait(timeout)
        return 0

    def send_signal(self, number: int) -> None:
        """Signal it."""
        self._process.send_signal(number)


class Zygote:
    """The living zygote, as the tests see it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Speak with ``process``."""
        self._process = process

    def start(self, command: list[str], *, cwd: Path, env: dict[str, str], log: Path) -> Forked:
        """Fork a command of ours."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"command": command, "cwd": str(cwd), "env": env, "log": str(log)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()))


@contextmanager
def open_zygote() -> Iterator[Zygote]:
    """Start the zygote; whatever it forked is its starters' to end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.zygote"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_CHECKOUT,
        env=os.environ | {"PYTHONPATH": f"{_CHECKOUT / 'src'}:{_CHECKOUT}", "OPENBLAS_NUM_THREADS": "1"},
    )
    keep_process(process.pid)
    with process:
        yield Zygote(process)


def main() -> None:
    """Fork for each request until standard input ends."""
    from soundforge.app import serve  # noqa: F401, PLC0415 - this is what the imports are for
    from soundforge.cli import main as command  # noqa: PLC0415 - here alone

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(request)
            command(request["command"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _become(request: dict[str, object]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(str(request["cwd"]))
    os.environ.clear()
    os.environ.update(dict(request["env"]))  # type: ignore[call-overload] # as Zygote.start wrote it
    log = os.open(str(request["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for there, here in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(there, here)


if __name__ == "__main__":
    main()
