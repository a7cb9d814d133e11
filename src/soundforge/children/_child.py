"""One child: start it, ask it, watch it, end it."""

import asyncio
import json
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import psutil

from soundforge.errors import SoundForgeError, Unavailable

from . import _faults, _pipes
from ._environment import child_environment, program_name
from ._group import Group, write_record
from ._limits import MB, Limits, folder_bytes

type OnProgress = Callable[[float, str], None]
type OnPart = Callable[[dict[str, Any]], None]

_TICK_S = 0.2  # how often limits are looked at
_EXIT_S = 1.0  # how long after its pipe closed a child may take to exit by itself


class Child:
    """A running child. Made by ``open_child``, which also ends it; may be asked many times, once at a time."""

    def __init__(
        self, process: subprocess.Popen[bytes], pipes: _pipes.Pipes, group: Group, folder: Path, limits: Limits
    ) -> None:
        """Take over a started process."""
        self.hello: dict[str, Any] = {}  # what it said of itself; filled by the first answer
        self.folder = folder
        self._process, self._pipes, self._group, self._limits = process, pipes, group, limits
        self._turn = asyncio.Lock()
        self._heard_at = time.monotonic()
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._group.id

    @property
    def rss_mb(self) -> int:
        """Memory of its whole group, in MB."""
        return self._group.rss_bytes() // MB

    @property
    def alive(self) -> bool:
        """Whether it can be asked again."""
        return self._ending is None and not self._exited()

    async def ask(
        self,
        request: dict[str, Any],
        on_progress: OnProgress | None = None,
        on_part: OnPart | None = None,
        *,
        limits: Limits | None = None,
    ) -> dict[str, Any]:
        """Send one request and wait for its result, within ``limits`` (else those of ``open_child``).

        Raises what the child's ``error`` message names (it can be asked again), or ends the child and raises
        ``engine_crashed``, ``engine_silent``, ``timed_out`` (Unavailable), ``engine_garbage``, ``out_of_memory`` or
        ``output_too_large`` (Broken); ``detail`` carries the end of what it printed. A cancelled request ends it too.
        """
        async with self._turn:
            if not self.alive:
                await self.end()
                sentence = f"The {self._group.program} program has ended."
                raise Unavailable(sentence, code="engine_crashed", detail=self._pipes.tail.text())
            try:
                work = self._converse(request, on_progress, on_part)
                answer = await _first(work, self._watch(limits or self._limits))
            except SoundForgeError as fault:
                await self.end()
                fault.detail = self._pipes.tail.text()
                raise
            except BaseException:  # cancelled, or a callback failed: in mid-work it is of no further use
                await self.end()
                raise
            if answer.pop("type") == "result":
                return answer
            error = _faults.refusal(self._group.program, answer)
            error.detail = self._pipes.tail.text()
            raise error

    async def end(self) -> None:
        """End the whole group and close the pipes; returns when nothing is left, also if cancelled meanwhile.

        What the kernel does not let go is not waited for: its record stays for the next start's sweep.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await _to_its_end(self._ending)

    async def _end(self) -> None:
        gone = await self._group.end()
        gone = await self._reaped() and gone  # only now may the kernel use the number again
        await self._pipes.close()
        if gone:
            self._group.record(self.folder).unlink(missing_ok=True)

    async def _reaped(self) -> bool:
        """Whether the kernel gives the process up; never waited for without end, for the whole studio would wait."""
        until = time.monotonic() + _EXIT_S
        while self._process.poll() is None:  # a leader whose threads still end is a zombie, but cannot be reaped yet
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.005)
        return True

    async def _converse(
        self, request: dict[str, Any], on_progress: OnProgress | None, on_part: OnPart | None
    ) -> dict[str, Any]:
        """Send the request, pass on what comes, return the message that closes it."""
        self._heard_at = time.monotonic()
        self._pipes.requests.write(json.dumps(request, allow_nan=False).encode() + b"\n")
        while True:
            try:
                message = await _pipes.read_message(self._pipes.answers, self._group.program)
            except asyncio.IncompleteReadError as end:
                await self._raise_ended(end.partial)
            self._heard_at = time.monotonic()
            if message.get("type") in ("result", "error"):
                return message
            self._pass_on(message, on_progress, on_part)

    def _pass_on(self, message: dict[str, Any], on_progress: OnProgress | None, on_part: OnPart | None) -> None:
        match message.pop("type", None):
            case "hello":
                self.hello = message
            case "progress":
                percent, stage = _faults.progress_of(self._group.program, message)
                if on_progress:
                    on_progress(percent, stage)
            case "part":
                if on_part:
                    on_part(message)
            case _:
                raise _faults.garbage(self._group.program, "sent a message of no known type")

    async def _watch(self, limits: Limits) -> NoReturn:
        """Look at clocks, memory and disk until one is over its limit, or the process is gone without its pipe."""
        started_at, exits_seen = time.monotonic(), 0
        while True:
            now = time.monotonic()
            if now - started_at > limits.total_s:
                raise _faults.timed_out(self._group.program, limits.total_s)
            if now - self._heard_at > limits.silence_s:
                raise _faults.silent(self._group.program, limits.silence_s)
            if limits.memory_mb and await asyncio.to_thread(self._group.rss_bytes) > limits.memory_mb * MB:
                raise _faults.out_of_memory(self._group.program, limits.memory_mb)
            if limits.output_mb and await asyncio.to_thread(folder_bytes, self.folder) > limits.output_mb * MB:
                raise _faults.output_too_large(self._group.program, limits.output_mb)
            exits_seen += self._exited()
            if exits_seen > 1:  # seen twice: what it said last has been read by now
                await self._raise_ended(b"")
            await asyncio.sleep(_TICK_S)

    async def _raise_ended(self, rest: bytes) -> NoReturn:
        until = time.monotonic() + _EXIT_S
        while not (by_itself := self._exited()) and time.monotonic() < until:  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0.005)
        await self.end()
        raise _faults.ended(self._group.program, self._process.returncode if by_itself else None, rest)

    def _exited(self) -> bool:
        """Whether the process ended; it stays a zombie until ``_end``, so that its number cannot mean another."""
        if self._process.returncode is not None:
            return True
        try:
            return bool(psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True


@asynccontextmanager
async def open_child(
    argv: Sequence[str], *, folder: Path, limits: Limits, env: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """Start ``argv`` in ``folder`` (made if need be), in a group of its own; its whole group is gone afterwards.

    The child's environment holds next to nothing of ours; ``env`` adds to it. Raises Broken ``engine_missing``,
    Unavailable ``engine_not_started`` and ``disk_full``.
    """
    token, program = secrets.token_hex(16), program_name(argv)
    with _on_disk(program):
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - one call
    environment = child_environment(folder, token, env or {})
    process, pipes = await _pipes.start(argv, folder=folder, environment=environment, program=program)
    child = Child(process, pipes, Group(process.pid, token, time.time(), program), folder, limits)
    try:
        with _on_disk(program):
            write_record(child._group, folder)  # noqa: SLF001 - the same concept, cut in two for reading
        yield child
    finally:
        await child.end()


@contextmanager
def _on_disk(program: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _faults.not_now(program, error) from error


async def call(
    argv: Sequence[str],
    request: dict[str, Any],
    *,
    folder: Path,
    limits: Limits,
    env: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
    on_part: OnPart | None = None,
) -> dict[str, Any]:
    """Start a child for one request; see ``open_child`` and ``Child.ask``."""
    async with open_child(argv, folder=folder, limits=limits, env=env) as child:
        return await child.ask(request, on_progress, on_part)


async def _first[T](work: Coroutine[Any, Any, T], guard: Coroutine[Any, Any, NoReturn]) -> T:
    """Wait for the work, or for the guard to raise; neither is left running."""
    tasks = asyncio.create_task(work), asyncio.create_task(guard)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return await tasks[0] if tasks[0].done() else await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # looked at: the other one's error has been raised


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """Wait for ``task`` even through cancellations, which are raised when it is done."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
