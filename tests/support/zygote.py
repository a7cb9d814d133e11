"""A process that has imported the studio already and forks itself for each command: a start costs nothing then.

On a machine with two cores half of a kill test's time would be Python importing the same packages again and again.
What is forked is a process like any other: its own group, environment, folder and log; ``make soak`` starts the
program itself instead. Requests are JSON lines on standard input, each answered by one: a pid, or how a process ended.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.leaks import keep_process
from tests.support.servers import until

_CHECKOUT = Path(__file__).resolve().parents[2]


class Forked:
    """A process that was forked: like a Popen, as far as the tests need one."""

    def __init__(self, zygote: "Zygote", pid: int) -> None:
        """Know it by its pid, which nobody else gets as long as the zygote has not been asked for its end."""
        self.pid = pid
        self._zygote = zygote
        self._status: int | None = None

    def poll(self) -> int | None:
        """None while it lives, then its exit status; minus the signal that killed it."""
        if self._status is None:
            self._status = self._zygote.ask({"poll": self.pid})
        return self._status

    def send_signal(self, number: int) -> None:
        """Signal it; one that is gone is fine."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """Wait for its end, at most so many seconds; return its exit status."""
        until(lambda: self.poll() is not None, within_s=timeout, every_s=0.02)
        assert self._status is not None
        return self._status


class Zygote:
    """The living zygote, as the tests see it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Speak with ``process``."""
        self._process = process

    def start(self, command: list[str], *, cwd: Path, env: dict[str, str], log: Path) -> Forked:
        """Fork a command of ours."""
        request = {"command": command, "cwd": str(cwd), "env": env, "log": str(log)}
        return Forked(self, self.ask(request))

    def ask(self, request: Mapping[str, object]) -> Any:
        """Ask it; the answer to a command is its pid, and to ``poll`` an exit status or None."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


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
    import soundforge.web  # noqa: F401, PLC0415 - this is what the imports are for
    from soundforge.cli import main as command  # noqa: PLC0415 - here alone

    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            answer = _exit_status(request["poll"])
        elif (answer := os.fork()) == 0:
            _become(request)
            command(request["command"])
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _exit_status(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(request: dict[str, object]) -> None:
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
