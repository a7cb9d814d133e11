"""Advisory locks that a process holds by name, on a connection of its own that heals itself."""

import psycopg

from soundforge import db, logs

_log = logs.get(__name__)


class Locks:
    """Locks that live as long as their connection, so as long as this process and the server do."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._connection: psycopg.AsyncConnection | None = None
        self._held: set[str] = set()

    async def take(self, name: str) -> bool:
        """Make sure that we hold ``name``: False when somebody else does.

        Raises ``psycopg.OperationalError`` or ``Unavailable`` while the database is away; then every
        lock is lost, and ``take`` takes each anew.
        """
        connection = await self._living()
        if name in self._held:
            return True
        found = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_full(name)])
        row = await found.fetchone()
        if row is not None and row[0]:
            self._held.add(name)
        return name in self._held

    async def release(self, name: str) -> None:
        """Give ``name`` to others."""
        if name in self._held and self._connection is not None:
            self._held.discard(name)
            await self._connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_full(name)])

    async def close(self) -> None:
        """Release everything."""
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            await connection.close()

    async def _living(self) -> psycopg.AsyncConnection:
        if self._connection is not None:
            try:
                await self._connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                _log.warning("jobs.locks_lost", names=sorted(self._held), error=str(error).strip())
                await self.close()
        if self._connection is None:
            self._connection = await db.connect()
        return self._connection


def _full(name: str) -> str:
    return f"soundforge:{name}"
