"""Requests that ask the same at the same moment share one answer, and none gets one that was begun before it asked.

After a restart every open page asks for its rows and its jobs anew, all within a second or two.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, cast


class Together:
    """For each question at most one answer under way and one that follows; whoever comes meanwhile waits for that."""

    def __init__(self) -> None:
        """Nothing is asked."""
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._following: dict[Hashable, asyncio.Task[Any]] = {}

    async def share[T](self, question: Hashable, answer: Callable[[], Awaitable[T]]) -> T:
        """Give what ``answer``, or that of somebody who asks the same, gives; raises what it raises."""
        if question not in self._following:
            task = asyncio.create_task(self._run(question, answer), name="shared answer")
            self._following[question] = task
        return cast("T", await asyncio.shield(self._following[question]))  # who goes away takes it from nobody

    async def _run(self, question: Hashable, answer: Callable[[], Awaitable[Any]]) -> Any:
        if running := self._running.get(question):
            await asyncio.wait([running])
        self._running[question] = self._following.pop(question)  # who asks from here on comes too late for this one
        try:
            return await answer()
        finally:
            del self._running[question]
