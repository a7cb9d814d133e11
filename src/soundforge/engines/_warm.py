"""Engines that stay loaded between requests where no node keeps them: it has a place of its own for them."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from soundforge.children import open_warm


@asynccontextmanager
async def open_engines() -> AsyncIterator[None]:
    """Let engines of this process stay loaded for following requests; all have ended afterwards."""
    async with open_warm(Path(tempfile.gettempdir()) / f"soundforge-warm-{uuid4().hex}"):
        yield
