"""Transactions on the one database that this process has open.

``transaction()`` and ``reading()`` appear at the edges only (web handlers, CLI commands, workers,
the rescue task); everything below them takes the session. A server that went away shows as
``Unavailable`` here, and the pool heals by itself when it is back.
"""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from soundforge.errors import Invalid, Unavailable

_CONNECT_LIMIT_S = 5
_POOL_WAIT_S = 15.0
_AGAIN_S = 0.1
_AWAY_STATES = ("08", "53300", "57P01", "57P02", "57P03", "57P04", "57P05")  # lost, full up, going down or idle
_NO_TEXT = (None, "22021", "22P05")  # NUL: refused by the driver, by the server, in JSON


@dataclass(frozen=True)
class Database:
    """An open database: its libpq URL and the pool of connections to it."""

    dsn: str
    engine: AsyncEngine


@dataclass
class _Scope:
    """One transaction of ours; ``open`` falls when it ends, whichever task looks later."""

    open: bool = True


class _Bound:
    """The one database of this process."""

    database: Database | None = None


_scope: ContextVar[_Scope | None] = ContextVar("soundforge_transaction", default=None)


@asynccontextmanager
async def open_database(dsn: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """Open the database of ``dsn`` (a libpq URL or conninfo) for this whole process, until the block ends.

    Connects lazily; at most ``pool_size`` connections, plus as many again in a rush.
    """
    if _Bound.database is not None:
        raise RuntimeError("A process opens one database at a time.")
    engine = create_async_engine(
        "postgresql+psycopg://",
        # a plan for any words takes a search twice the time of one for these
        async_creator=lambda: _log_in(dsn, prepare_threshold=None),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_WAIT_S,
        pool_pre_ping=True,
        hide_parameters=True,  # they are people's words and tokens, and errors are logged
    )
    _Bound.database = Database(dsn, engine)
    try:
        yield _Bound.database
    finally:
        _Bound.database = None
        await engine.dispose()


@asynccontextmanager
async def transaction() -> AsyncIterator[AsyncSession]:
    """Give a session whose work commits whole at the end of the block, or rolls back whole on any error.

    Raises Unavailable: ``database_away``, ``database_busy``, ``database_full``; Invalid: ``bad_text``.
    """
    with _entered(), _translated():
        async with AsyncSession(_database().engine, expire_on_commit=False) as session, session.begin():
            yield session


@asynccontextmanager
async def reading() -> AsyncIterator[AsyncSession]:
    """Give a session that sees one snapshot of the database and may not write.

    Raises Unavailable: ``database_away``, ``database_busy``.
    """
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _entered(), _translated():
        async with AsyncSession(_database().engine, expire_on_commit=False) as session, session.begin():
            await session.connection(execution_options=options)
            yield session


def in_transaction() -> bool:
    """Tell whether the caller runs inside ``transaction()`` or ``reading()``; the outside world must wait there."""
    scope = _scope.get()
    return scope is not None and scope.open


async def connect() -> psycopg.AsyncConnection:
    """Open a connection of its own outside the pool, in autocommit: for LISTEN and advisory locks.

    The caller closes it. Raises Unavailable (``database_away``).
    """
    with _translated():
        return await _log_in(_database().dsn, autocommit=True)


async def wait_until_back(limit_s: float) -> None:
    """Return as soon as the database takes connections again; at once where it never left.

    Raises Unavailable (``database_away``) after ``limit_s`` seconds.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                connection = await connect()
        except TimeoutError as error:
            raise _away(error) from error
        except Unavailable:
            if time.monotonic() + _AGAIN_S > deadline:
                raise
            await asyncio.sleep(_AGAIN_S)
        else:
            await connection.close()
            return


async def _log_in(dsn: str, **options: Any) -> psycopg.AsyncConnection:
    """Connect; a login that is cancelled half-way is closed at once.

    Otherwise it stays open until its frames are collected as garbage, for the cancelled task keeps them: the server
    waits a minute for the rest of it, and whoever creates or drops a database waits as well.
    """
    try:
        return await psycopg.AsyncConnection.connect(dsn, connect_timeout=_CONNECT_LIMIT_S, **options)
    except asyncio.CancelledError as cancelled:
        traceback.clear_frames(cancelled.__traceback__)
        raise


def _database() -> Database:
    if _Bound.database is None:
        raise RuntimeError("No database is open: open_database() comes first.")
    return _Bound.database


@contextmanager
def _entered() -> Iterator[None]:
    if in_transaction():
        raise RuntimeError("A transaction is open here already: pass its session on instead of opening another.")
    scope = _Scope()
    _scope.set(scope)
    try:
        yield
    finally:
        scope.open = False


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what only time can mend into Unavailable; a bug (wrong SQL, broken constraint) passes as it is."""
    try:
        yield
    except (OperationalError, psycopg.OperationalError) as error:
        explained = _explain(error)
        if explained is None:
            raise
        raise explained from error
    except PoolTimeoutError as error:
        sentence = "The database is busy: no connection was free in time. Try again in a moment."
        raise Unavailable(sentence, code="database_busy", detail=str(error)) from error
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _unkept(error) from error
    except DBAPIError as error:
        if isinstance(error, DataError) and getattr(error.orig, "sqlstate", None) in _NO_TEXT:
            raise _unkept(error) from error
        if not error.connection_invalidated:
            raise
        raise _away(error) from error


def _explain(error: Exception) -> Unavailable | None:
    """Say what time can mend; None for a fault that stays (PostgreSQL appendix A, "Error Codes")."""
    cause = error.orig if isinstance(error, OperationalError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if state.startswith(("40", "55")) or state == "57014":
        sentence = "The database is busy: another change was in the way. Try again in a moment."
        return Unavailable(sentence, code="database_busy", detail=f"{state} {cause}")
    if state == "53100":
        sentence = "The database's disk is full; free some space and try again."
        return Unavailable(sentence, code="database_full", detail=str(cause))
    lost = isinstance(error, OperationalError) and error.connection_invalidated
    return _away(error) if not state or lost or state.startswith(_AWAY_STATES) else None


def _unkept(error: BaseException) -> Invalid:
    sentence = "This text holds characters that cannot be kept."
    return Invalid(sentence, code="bad_text", detail=str(error)[:500])


def _away(error: BaseException) -> Unavailable:
    sentence = "The database is away at the moment; try again shortly."
    return Unavailable(sentence, code="database_away", detail=str(error).strip(), retry_after_s=5.0)
