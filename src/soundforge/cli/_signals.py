"""SIGTERM, and SIGHUP of a terminal that is closed, end a command as Ctrl-C does: in order, leaving nothing behind."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_HEARD = (signal.SIGTERM, signal.SIGHUP)


class _Told(BaseException):
    """The process was told to end; like KeyboardInterrupt it is no ``Exception``, so that nobody takes it for one."""


class Ending:
    """Hears the signals of one command. Only the first counts: a second would cut short what the first began."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self.number = 0
        self._task: asyncio.Task[Any] | None = None

    def listen(self) -> None:
        """Hear what is not ignored: under ``nohup`` a terminal that is closed ends nothing."""
        for number in _HEARD:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._hear)

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` in an event loop to its end, or until a signal cancels it."""
        try:
            return asyncio.run(self._hearing(work))
        finally:
            self.listen()  # a loop that had handlers of its own leaves none

    async def _hearing[T](self, work: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        return await work

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        """Cancel what runs; before it runs, break off what prepares it; after it, all ends anyway."""
        if self.number:
            return
        self.number = number
        if self._task is None:
            raise _Told
        if not self._task.done():
            self._task.cancel()
            self._task.get_loop().call_soon_threadsafe(lambda: None)  # it may be asleep


@contextmanager
def ending_in_order() -> Iterator[Ending]:
    """Let SIGTERM and SIGHUP end the block in order; the process then exits with 128 + the signal, as in a shell."""
    before = {number: signal.getsignal(number) for number in _HEARD}
    ending = Ending()
    ending.listen()
    try:
        yield ending
    except (_Told, asyncio.CancelledError, OSError) as error:  # OSError: a terminal that is closed takes no more words
        if not ending.number:
            raise
        raise SystemExit(128 + ending.number) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
