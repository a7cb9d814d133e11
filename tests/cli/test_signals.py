"""SIGTERM and SIGHUP end a command as Ctrl-C does."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from soundforge.cli._signals import ending_in_order

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    """No test leaves the process with other handlers than it found."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    left = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert set(left.values()) <= {signal.SIG_DFL, signal.SIG_IGN}


def tell(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_cancels_the_work_and_another_one_lets_it_clean_up(number: int) -> None:
    cleaned = []

    async def work() -> None:
        try:
            tell(number)
            await asyncio.Event().wait()
        finally:
            for another in SIGNALS:
                tell(another)
            await asyncio.sleep(0)
            cleaned.append("all")

    @contextmanager
    def server() -> Iterator[None]:
        try:
            yield
        finally:
            tell(number)
            cleaned.append("the server as well")

    with pytest.raises(SystemExit) as ended, ending_in_order() as ending, server():
        ending.run(work())
    assert ended.value.code == 128 + number
    assert cleaned == ["all", "the server as well"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_the_work_breaks_off_what_prepares_it(number: int) -> None:
    with pytest.raises(SystemExit) as ended, ending_in_order():
        tell(number)
    assert ended.value.code == 128 + number


def test_a_terminal_that_takes_no_more_words_changes_nothing_about_the_end() -> None:
    async def work() -> None:
        tell(signal.SIGHUP)
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("Input/output error")

    with pytest.raises(SystemExit) as ended, ending_in_order() as ending:
        ending.run(work())
    assert ended.value.code == 128 + signal.SIGHUP


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does

    async def work() -> str:
        tell(signal.SIGHUP)
        await asyncio.sleep(0)
        return "done"

    with ending_in_order() as ending:
        assert ending.run(work()) == "done"
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_loop_that_hears_signals_itself_leaves_the_command_hearing_them() -> None:
    async def work() -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)  # as the studio does
        tell(signal.SIGTERM)
        await stopping.wait()

    with ending_in_order() as ending:
        ending.run(work())
        tell(signal.SIGTERM)  # while the database is being stopped, say


def test_an_error_of_the_work_is_told_as_it_is() -> None:
    async def work() -> None:
        raise FileNotFoundError("no such song")

    with pytest.raises(FileNotFoundError, match="no such song"), ending_in_order() as ending:
        ending.run(work())
