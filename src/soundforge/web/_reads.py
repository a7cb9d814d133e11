"""What feeds ask the database about an event, and what they say of it: once for all pages that are to hear of it.

Two hundred open pages hear of each job that begins. What they are told depends on the event, on whose page it is and
on what it shows; so the first one asks and draws, and the others take the same answer. An answer belongs to one event,
which was heard before it was asked for: what changes later has an event of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.db import reading
from soundforge.errors import NotFound
from soundforge.events import Batch, Event

MOST = 4000  # answers that are kept: those about the latest events


class Same:
    """A value in a question: the very same one and no other, whatever it holds."""

    def __init__(self, value: object) -> None:
        """Mean ``value``."""
        self._value = value

    def __eq__(self, other: object) -> bool:
        """Whether the other means the same object."""
        return isinstance(other, Same) and other._value is self._value

    def __hash__(self) -> int:
        """By the object."""
        return id(self._value)


class Reads:
    """Answers by event and question. Events are told apart as objects: two that say the same are two."""

    def __init__(self, *, most: int = MOST) -> None:
        """Know nothing."""
        self._most = most
        self._answers: dict[tuple[int, Hashable], tuple[object, Any]] = {}  # holds its event: no other gets its number
        self._asking: dict[tuple[int, Hashable], asyncio.Event] = {}

    async def once[T](self, event: Event, what: Hashable, ask: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Give the answer to ``what`` about ``event``; ``ask`` runs where nobody asked yet. Raises ``NotFound``."""
        key = (id(event), what)
        while key not in self._answers:
            if others := self._asking.get(key):
                await others.wait()  # they may fail: then it is our turn
            else:
                await self._ask(key, event, ask)
        answer = self._answers[key][1]
        if isinstance(answer, NotFound):
            raise answer
        return cast("T", answer)

    def drawn[T](self, about: Event | Batch, what: Hashable, draw: Callable[[], T]) -> T:
        """The same for what is drawn, of an event or of all of a batch, which waits for nothing."""
        key = (id(about), what)
        if key not in self._answers:
            self._keep(key, about, draw())
        return cast("T", self._answers[key][1])

    async def _ask(
        self, key: tuple[int, Hashable], event: Event, ask: Callable[[AsyncSession], Awaitable[Any]]
    ) -> None:
        done = self._asking[key] = asyncio.Event()
        try:
            async with reading() as session:
                answer = await ask(session)
            self._keep(key, event, answer)
        except NotFound as error:  # it is gone again; the event that says so is on its way
            self._keep(key, event, error)
        finally:
            del self._asking[key]
            done.set()

    def _keep(self, key: tuple[int, Hashable], about: object, answer: Any) -> None:
        self._answers[key] = (about, answer)
        if len(self._answers) > self._most:
            del self._answers[next(iter(self._answers))]
