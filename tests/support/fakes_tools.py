"""Tools that are installed in no time, for tests of those who ask for it."""

import asyncio
from pathlib import Path

from soundforge.tools import Tools, ToolState, get_tool
from soundforge.tools._environments import OnProgress


class FakeTools(Tools):
    """Says version 1 of whatever is asked for; ``waits`` for ``gate`` first. Environments are never there."""

    def __init__(self, folder: Path, *, waits: bool = False) -> None:
        super().__init__(folder)
        self.asked: list[tuple[str, bool]] = []
        self.gate = asyncio.Event()
        if not waits:
            self.gate.set()

    async def install(self, name: str, *, upgrade: bool = False, on_progress: OnProgress | None = None) -> ToolState:
        self.asked.append((name, upgrade))
        if on_progress:
            on_progress(50, "fetching")
        await self.gate.wait()
        tool = get_tool(name)
        return ToolState(tool, version="1", versions={tool.shows[0]: "1"}, is_current=True)
