"""Time for tests: waiting takes none, and is written down."""

import asyncio


class QuickClock:
    """A clock that jumps to where somebody waits for."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        self.waits.append(seconds)
        await asyncio.sleep(0)  # whoever is to be woken earlier goes first
        self.time = max(self.time, until)

    @property
    def long_waits(self) -> list[float]:
        """What was waited for beyond the pace of five a second."""
        return [seconds for seconds in self.waits if seconds >= 1]
