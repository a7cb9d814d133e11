"""How long the library takes to search 100,000 songs: `make bench-search`. Best of four, in milliseconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import text

from soundforge import accounts, library
from soundforge.db import open_database, reading, transaction
from tests.support.db import run_test_server
from tests.support.factories import add_many_songs

SONGS = 100_000
WORDS = ("s", "so", "98", "z", "qx", "son", "song 98765", "")


async def main(dsn: str) -> None:
    """Fill a library and search it."""
    async with open_database(dsn):
        async with transaction() as session:
            owner_id = (await accounts.ensure_owner(session)).id
            await add_many_songs(session, owner_id, SONGS)
            await session.execute(text("ANALYZE tracks"))  # as PostgreSQL does by itself, a minute later
        print(f"{'words':14}{'found':>8}{'page, by title':>16}{'page, newest':>14}{'count':>8}")
        for words in WORDS:
            await show(owner_id, words)


async def show(owner_id: UUID, words: str) -> None:
    """Print what one search costs."""
    by_title, newest = library.Query(search=words, sort="title", descending=False), library.Query(search=words)
    async with reading() as session:
        found = await library.count_tracks(session, owner_id, words)
        titles_ms = await best(lambda: library.list_tracks(session, owner_id, by_title))
        newest_ms = await best(lambda: library.list_tracks(session, owner_id, newest))
        count_ms = await best(lambda: library.count_tracks(session, owner_id, words))
    print(f"{words!r:14}{found:8}{titles_ms:16.0f}{newest_ms:14.0f}{count_ms:8.0f}")


async def best(ask: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of the quickest of four."""
    times = []
    for _ in range(4):
        began = time.perf_counter()
        await ask()
        times.append(1000 * (time.perf_counter() - began))
    return min(times)


if __name__ == "__main__":
    with run_test_server() as server:
        asyncio.run(main(server.create_database()))
