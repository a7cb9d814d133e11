"""A child's three pipes on the event loop: requests down, messages up, chatter kept to a tail."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _faults
from ._environment import PIPE

MAX_LINE = 1 << 20  # bytes; documents longer than this travel as files
_TAIL = 8192  # bytes of chatter kept


class Tail(asyncio.Protocol):
    """Keeps the last bytes that a child printed."""

    def __init__(self) -> None:
        """Start empty."""
        self._bytes = bytearray()
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Take more, forget the oldest."""
        self._bytes += data
        del self._bytes[:-_TAIL]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note that nothing more will come."""
        self.closed.set()

    def text(self) -> str:
        """Return what was kept, as text."""
        return self._bytes.decode("utf-8", "replace").strip()


@dataclass(frozen=True)
class Pipes:
    """The open pipes of one child."""

    requests: asyncio.WriteTransport
    answers: asyncio.StreamReader
    tail: Tail
    _transports: tuple[asyncio.BaseTransport, ...]

    async def close(self) -> None:
        """Close all; whatever the group printed last is in the tail first."""
        if not self.requests.is_closing():  # it closes itself when it sees the other end gone
            self.requests.abort()
        with suppress(TimeoutError):  # a process outside the group may hold the pipe
            await asyncio.wait_for(self.tail.closed.wait(), 0.5)
        for transport in self._transports:
            transport.close()
        await asyncio.sleep(0)  # transports close their files in the next turn of the loop


async def start(
    argv: Sequence[str], *, folder: Path, environment: dict[str, str], program: str
) -> tuple[subprocess.Popen[bytes], Pipes]:
    """Start the program as leader of a new group, in ``folder``, and connect its pipes.

    Raises Broken ``engine_missing``, Unavailable ``engine_not_started`` and ``disk_full``.
    """
    answers, answers_end, chatter, chatter_end = _open_pipes(program)
    try:
        process = subprocess.Popen(  # noqa: ASYNC220 - vfork, milliseconds; asyncio would reap it behind our back
            list(argv),
            stdin=subprocess.PIPE,
            stdout=chatter_end,
            stderr=chatter_end,
            pass_fds=(answers_end,),
            cwd=folder,
            env={**environment, PIPE: str(answers_end)},
            start_new_session=True,
        )
    except OSError as error:
        os.close(answers)
        os.close(chatter)
        raise _faults.not_started(program, error) from error
    finally:
        os.close(answers_end)
        os.close(chatter_end)
    try:
        return process, await _connect(process, answers, chatter)
    except BaseException:  # cancelled before anybody else knew of it
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _open_pipes(program: str) -> tuple[int, int, int, int]:
    ends: list[int] = []
    try:
        for _ in range(2):
            ends += os.pipe()
    except OSError as error:
        for end in ends:
            os.close(end)
        raise _faults.not_now(program, error) from error
    answers, answers_end, chatter, chatter_end = ends
    return answers, answers_end, chatter, chatter_end


async def _connect(process: subprocess.Popen[bytes], answers: int, chatter: int) -> Pipes:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE)
    up, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(answers, "rb", 0))
    noise, tail = await loop.connect_read_pipe(Tail, os.fdopen(chatter, "rb", 0))
    down, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
    return Pipes(down, reader, tail, (up, noise))


async def read_message(reader: asyncio.StreamReader, program: str) -> dict[str, Any]:
    """Read one message. Raises ``asyncio.IncompleteReadError`` at the end, ``engine_garbage`` for anything else."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise _faults.garbage(program, "sent a line that is too long") from error
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _faults.garbage(program, "sent something that is not JSON") from error
    if not isinstance(message, dict):
        raise _faults.garbage(program, "sent something that is no message")
    return message


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
