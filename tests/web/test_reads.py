"""What one event makes pages ask: asked once, whoever hears of it, and never answered by what was before it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.db import Database
from soundforge.errors import NotFound, Unavailable
from soundforge.events import TrackChanged
from soundforge.web._reads import Reads, Same

SOMEBODY, SOMETHING = uuid4(), uuid4()


def event() -> TrackChanged:
    return TrackChanged(SOMEBODY, SOMETHING, ("title",))


def counting(asked: list[int], fail: Exception | None = None) -> Callable[[AsyncSession], Awaitable[int]]:
    async def ask(_session: AsyncSession) -> int:
        asked.append(len(asked))
        await asyncio.sleep(0)
        if fail and len(asked) == 1:
            raise fail
        return len(asked)

    return ask


async def test_two_hundred_who_ask_at_once_take_one_answer(database: Database) -> None:
    reads, told, asked = Reads(), event(), list[int]()
    answers = await asyncio.gather(*(reads.once(told, "row", counting(asked)) for _ in range(200)))
    assert (asked, set(answers)) == ([0], {1})
    assert await reads.once(told, "job", counting(asked)) == 2


async def test_events_that_say_the_same_are_asked_about_each(database: Database) -> None:
    reads, asked = Reads(), list[int]()
    assert [await reads.once(event(), "row", counting(asked)) for _ in range(3)] == [1, 2, 3]


async def test_whoever_waits_asks_when_the_first_one_failed(database: Database) -> None:
    reads, told, asked = Reads(), event(), list[int]()
    away = Unavailable("The database is away.", code="database_away")
    answers = await asyncio.gather(
        *(reads.once(told, "row", counting(asked, away)) for _ in range(5)), return_exceptions=True
    )
    assert answers == [away, 2, 2, 2, 2]


async def test_all_are_told_that_it_is_gone_by_one_question(database: Database) -> None:
    reads, told, asked = Reads(), event(), list[int]()
    gone = NotFound("There is no such track.", code="track_not_found")
    answers = await asyncio.gather(
        *(reads.once(told, "row", counting(asked, gone)) for _ in range(5)), return_exceptions=True
    )
    assert (answers, asked) == ([gone] * 5, [0])


async def test_the_oldest_answers_are_let_go(database: Database) -> None:
    reads, first, asked = Reads(most=2), event(), list[int]()
    for told in (first, event(), event(), first):
        await reads.once(told, "row", counting(asked))
    assert len(asked) == 4


async def test_what_is_drawn_belongs_to_the_very_values(database: Database) -> None:
    reads, told = Reads(), event()
    one, other = ["a"], ["a"]
    drawn = [
        reads.drawn(told, Same(value), partial(bytes, str(n), "ascii")) for n, value in enumerate((one, other, one))
    ]
    assert drawn == [b"0", b"1", b"0"]
