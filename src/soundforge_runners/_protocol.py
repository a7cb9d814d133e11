"""How a runner talks with the studio: JSON lines, standard library only.

The studio writes one request per line to our standard input and holds that pipe open as long as it lives. We answer on
a private pipe whose descriptor is named in ``SOUNDFORGE_PIPE``::

    {"type": "hello", "program": "decode", "version": "1"}
    {"type": "progress", "percent": 12.5, "stage": "decoding"}
    {"type": "part", "stage": "peaks", "document": {...}}
    {"type": "result", ...}                       or
    {"type": "error", "code": "not_audio", "sentence": "This is no audio file.", "family": "rejected"}

Whatever libraries print lands on standard error. When the studio is gone (end of file on standard input) a watcher
thread kills our whole process group, so that nothing outlives it. Without ``SOUNDFORGE_PIPE``, by hand in a terminal,
answers go to standard output and end of file means "no more requests".
"""

import errno
import json
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeAlias

PIPE = "SOUNDFORGE_PIPE"
MAX_LINE = 1 << 20  # bytes; the studio takes a longer line for garbage
REPEAT_S = 5.0  # an unchanged percentage is repeated this often, as a sign of life

Message: TypeAlias = dict[str, Any]


class Refused(Exception):
    """The request cannot be done, and we know why: becomes an ``error`` message; the runner lives on."""

    def __init__(self, code: str, sentence: str, *, family: str = "rejected") -> None:
        """Name the cause: ``family`` is ``rejected`` (the input), ``unavailable`` (try later) or ``broken``."""
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.family = family


class Channel:
    """The way back to the studio. Any thread may use it."""

    def __init__(self, fd: int) -> None:
        """Write to the descriptor ``fd``."""
        self._fd = fd
        self._lock = threading.Lock()
        self._last: tuple[int, str] = (-1, "")
        self._last_at = 0.0

    def progress(self, percent: float, stage: str = "") -> None:
        """Say how far the work is, 0 to 100. Cheap: only changes and a sign of life every few seconds are sent."""
        now = time.monotonic()
        state = (int(percent), stage)
        if state == self._last and now - self._last_at < REPEAT_S:
            return
        self._last, self._last_at = state, now
        self.send({"type": "progress", "percent": round(min(max(percent, 0.0), 100.0), 1), "stage": stage})

    def part(self, stage: str, document: Message, path: str | None = None, *, version: str = "") -> None:
        """Hand over a finished stage before the whole is done: its document, and the file it wrote, if any."""
        message: Message = {"type": "part", "stage": stage, "document": document, "version": version}
        self.send(message if path is None else {**message, "path": path})

    def send(self, message: Message) -> None:
        """Send one message. Raises ValueError for what JSON cannot carry (NaN) or a line over ``MAX_LINE`` bytes."""
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        if len(line) > MAX_LINE:
            raise ValueError(f"a message of {len(line)} bytes is over the limit of {MAX_LINE}")
        with self._lock:
            while line:
                line = line[os.write(self._fd, line) :]


def serve(
    program: str,
    handle: Callable[[Message, Channel], Message],
    *,
    version: str = "1",
    facts: Message | None = None,
) -> None:
    """Answer requests with ``handle(request, channel)`` until the studio ends us.

    The result goes back with its cost (``cpu_s``, ``wall_s``, ``peak_rss_mb``) added. ``Refused``, lack of memory and
    a full disk become error messages and the next request is taken; anything else is a bug: it is reported, its
    traceback goes to standard error, and we exit with status 1, for our state is unknown. ``facts`` join the hello.
    """
    supervised = PIPE in os.environ
    if supervised:
        os.nice(5)  # the page comes first
    control, channel = _take_descriptors()
    requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    threading.Thread(target=_watch, args=(control, requests, supervised), daemon=True).start()
    channel.send({"type": "hello", "program": program, "version": version, **(facts or {})})
    while (request := requests.get()) is not None:
        if not _answer(request, handle, channel):
            sys.exit(1)


def _take_descriptors() -> tuple[int, Channel]:
    """Move control and answers to descriptors that no grandchild inherits; leave 0 empty and 1 as 2."""
    control = os.dup(0)  # dup makes it non-inheritable
    answers = int(os.environ.pop(PIPE)) if PIPE in os.environ else os.dup(1)
    os.set_inheritable(answers, False)  # noqa: FBT003 - the standard library takes it by position
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return control, Channel(answers)


def _watch(control: int, requests: "queue.SimpleQueue[Message | None]", supervised: bool) -> None:  # noqa: FBT001 - a thread's argument
    """Read requests; at end of file the studio is gone: nothing of us may stay."""
    with os.fdopen(control, encoding="utf-8") as lines:
        for line in lines:
            requests.put(json.loads(line))
    if supervised:
        _end_group()
    requests.put(None)


def _end_group() -> None:
    if os.getpgrp() == os.getpid():  # ours alone; never shoot at a group that we merely live in
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _answer(request: Message, handle: Callable[[Message, Channel], Message], channel: Channel) -> bool:
    """Do one request; False when we should not go on."""
    wall, cpu = time.monotonic(), _cpu_s()
    try:
        result = handle(request, channel)
        cost = {"cpu_s": round(_cpu_s() - cpu, 3), "wall_s": round(time.monotonic() - wall, 3)}
        channel.send({**result, "type": "result", "cost": {**cost, "peak_rss_mb": _peak_rss_mb()}})
    except BrokenPipeError:
        _end_group()
    except Exception as error:  # noqa: BLE001 - the border of the program: every fault becomes a message
        refusal = _refusal(error)
        channel.send({"type": "error", "code": refusal.code, "sentence": refusal.sentence, "family": refusal.family})
        return refusal.code != "engine_failed"
    return True


def lacks_memory(error: Exception) -> bool:
    """Whether a library of ours lacked memory: torch and OpenVINO tell it in words alone, each in others."""
    words = ("out of memory", "can't alloc", "cannot alloc", "bad_alloc")
    said = str(error).lower()
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(word in said for word in words))


def _refusal(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    traceback.print_exception(error)
    if lacks_memory(error):
        return Refused("out_of_memory", "There was not enough memory for this.", family="broken")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused("disk_full", "The disk is full.", family="unavailable")
    return Refused("engine_failed", f"The program failed: {type(error).__name__}.", family="broken")


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_rss_mb() -> int:
    """Our own peak. Linux hands ``ru_maxrss`` on from the process that started us, so there /proc says it better."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    with open("/proc/self/status") as status:  # noqa: PTH123 - before any import that is not needed
        high = next((line for line in status if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(high.split()[1]) >> 10
