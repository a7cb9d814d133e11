import asyncio

from soundforge.errors import Unavailable
from soundforge.web._together import Together


class Answers:
    """Counts how often it is asked; answers when told to."""

    def __init__(self) -> None:
        self.began = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.began += 1
        number = self.began
        await self.may_end.wait()
        return number


async def test_who_asks_at_once_shares_and_who_asks_later_gets_a_later_answer() -> None:
    together, answers = Together(), Answers()
    first = [asyncio.create_task(together.share("rows", answers)) for _ in range(100)]
    while not answers.began:
        await asyncio.sleep(0)
    second = [asyncio.create_task(together.share("rows", answers)) for _ in range(100)]
    await asyncio.sleep(0)
    answers.may_end.set()
    assert await asyncio.gather(*first) == [1] * 100
    assert await asyncio.gather(*second) == [2] * 100
    assert await together.share("rows", answers) == 3


async def test_other_questions_wait_for_nobody() -> None:
    together, slow, quick = Together(), Answers(), Answers()
    waiting = asyncio.create_task(together.share("rows", slow))
    quick.may_end.set()
    assert await together.share("jobs", quick) == 1
    slow.may_end.set()
    assert await waiting == 1


async def test_one_who_goes_away_takes_the_answer_from_nobody() -> None:
    together, answers = Together(), Answers()
    goes, stays = [asyncio.create_task(together.share("rows", answers)) for _ in range(2)]
    while not answers.began:
        await asyncio.sleep(0)
    goes.cancel()
    answers.may_end.set()
    assert await stays == 1
    assert goes.cancelled()


async def test_a_failure_is_everybodys_and_ends_with_them() -> None:
    together = Together()

    async def fails() -> int:
        raise Unavailable("The database is away.", code="database_away")

    told = await asyncio.gather(*(together.share("rows", fails) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable] * 3
    answers = Answers()
    answers.may_end.set()
    assert await together.share("rows", answers) == 1
