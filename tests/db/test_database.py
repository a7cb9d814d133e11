import asyncio
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError

from soundforge.db import (
    Database,
    EmbeddedServer,
    connect,
    in_transaction,
    open_database,
    reading,
    transaction,
    wait_until_back,
)
from soundforge.errors import Unavailable
from tests.support.servers import kill_postmaster, until


@pytest.fixture
async def opened(server: EmbeddedServer) -> AsyncIterator[Database]:
    """A small pool on a server that may be killed, with one empty table."""
    async with open_database(server.url(), pool_size=1) as database:
        async with transaction() as session:
            await session.execute(text("DROP TABLE IF EXISTS words"))
            await session.execute(text("CREATE TABLE words (word text PRIMARY KEY)"))
        yield database


async def write(word: str) -> None:
    async with transaction() as session:
        await session.execute(text("INSERT INTO words VALUES (:word)"), {"word": word})


async def read() -> list[str]:
    async with reading() as session:
        return list(await session.scalars(text("SELECT word FROM words ORDER BY word")))


async def test_a_transaction_commits_at_its_end(opened: Database) -> None:
    await write("one")
    assert await read() == ["one"]


async def test_an_error_undoes_everything_before_it(opened: Database) -> None:
    async def write_and_fail() -> None:
        async with transaction() as session:
            await session.execute(text("INSERT INTO words VALUES ('one')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    assert await read() == []


async def test_a_cancelled_transaction_leaves_neither_rows_nor_a_broken_pool(opened: Database) -> None:
    asleep = asyncio.Event()

    async def sleep_inside() -> None:
        async with transaction() as session:
            await session.execute(text("INSERT INTO words VALUES ('one')"))
            asleep.set()
            await session.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(sleep_inside())
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(3):
        assert await read() == []


async def test_a_reading_refuses_writes(opened: Database) -> None:
    with pytest.raises(InternalError, match="read-only transaction"):
        async with reading() as session:
            await session.execute(text("INSERT INTO words VALUES ('one')"))
    await write("two")  # the connection went back to the pool as a writable one
    assert await read() == ["two"]


async def test_a_reading_sees_one_moment(opened: Database) -> None:
    async def write_meanwhile() -> None:
        connection = await connect()
        async with connection:
            await connection.execute("INSERT INTO words VALUES ('late')")

    async with reading() as session:
        count = text("SELECT count(*) FROM words")
        assert await session.scalar(count) == 0
        await write_meanwhile()
        assert await session.scalar(count) == 0
    assert await read() == ["late"]


async def test_in_transaction_is_true_inside_only(opened: Database) -> None:
    assert not in_transaction()
    for opener in (transaction, reading):
        async with opener():
            assert in_transaction()
        assert not in_transaction()
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            raise ZeroDivisionError
    assert not in_transaction()


async def test_a_task_begun_inside_a_transaction_is_free_when_that_ends(opened: Database) -> None:
    ended = asyncio.Event()

    async def look() -> tuple[bool, bool]:
        first = in_transaction()
        await ended.wait()
        return first, in_transaction()

    async with transaction():
        task = asyncio.create_task(look())
        await asyncio.sleep(0)
    ended.set()
    assert await task == (True, False)


async def test_a_transaction_inside_another_is_refused_as_a_bug(opened: Database) -> None:
    async with transaction():
        with pytest.raises(RuntimeError, match="open here already"):
            async with reading():
                pytest.fail("a second transaction was opened")
        assert in_transaction()


async def test_a_process_has_one_database(opened: Database) -> None:
    with pytest.raises(RuntimeError, match="one database at a time"):
        async with open_database(opened.dsn):
            pytest.fail("a second database was opened")
    assert await read() == []


async def test_nothing_works_before_a_database_is_open() -> None:
    with pytest.raises(RuntimeError, match=r"open_database\(\) comes first"):
        async with transaction():
            pytest.fail("a transaction without a database")
    assert not in_transaction()


async def test_a_broken_constraint_passes_as_what_it_is(opened: Database) -> None:
    await write("one")
    with pytest.raises(IntegrityError):
        await write("one")


async def test_a_server_that_dies_inside_is_unavailable_and_the_pool_heals(
    opened: Database, server: EmbeddedServer
) -> None:
    async def write_and_lose() -> None:
        async with transaction() as session:
            await session.execute(text("INSERT INTO words VALUES ('lost')"))
            kill_postmaster(server)
            await session.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(Unavailable) as inside:
        await write_and_lose()
    assert inside.value.code == "database_away"
    until(lambda: not server.is_alive())
    with pytest.raises(Unavailable) as after:
        await write("two")
    assert after.value.code == "database_away"
    with pytest.raises(Unavailable):
        await connect()
    await asyncio.to_thread(server.heal)
    await write("three")
    assert await read() == ["three"]


async def test_waiting_ends_when_the_server_is_back(opened: Database, server: EmbeddedServer) -> None:
    await asyncio.wait_for(wait_until_back(0.5), 1)  # at once where it never left
    kill_postmaster(server)
    until(lambda: not server.is_alive())
    with pytest.raises(Unavailable) as away:
        await wait_until_back(0.3)
    assert away.value.code == "database_away"
    waiting = asyncio.create_task(wait_until_back(30))
    await asyncio.to_thread(server.heal)
    await waiting
    await write("back")


async def test_an_idle_connection_that_was_cut_is_replaced_unseen(opened: Database) -> None:
    await write("one")
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    connection = await connect()
    async with connection:
        await connection.execute(f"SELECT pg_terminate_backend(pid, 1000) {others}".encode())
    assert await read() == ["one"]


async def test_a_lock_that_is_not_free_is_busy_and_not_away(opened: Database) -> None:
    connection = await connect()
    async with connection, connection.transaction():
        await connection.execute("LOCK TABLE words")
        with pytest.raises(Unavailable) as caught:
            async with transaction() as session:
                await session.execute(text("LOCK TABLE words NOWAIT"))
    assert caught.value.code == "database_busy"


async def test_connect_gives_notifications_as_they_are_committed(opened: Database) -> None:
    listener = await connect()
    async with listener:
        await listener.execute("LISTEN soundforge_test")
        async with transaction() as session:
            await session.execute(text("SELECT pg_notify('soundforge_test', 'heard')"))
        heard = [notice.payload async for notice in listener.notifies(timeout=5, stop_after=1)]
    assert heard == ["heard"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("08006", "database_away"),
        ("53300", "database_away"),
        *((f"57P0{number}", "database_away") for number in range(1, 6)),
        ("40001", "database_busy"),
        ("55P03", "database_busy"),
        ("57014", "database_busy"),
        ("53100", "database_full"),
    ],
)
async def test_what_time_can_mend_is_unavailable(opened: Database, state: str, code: str) -> None:
    with pytest.raises(Unavailable) as caught:
        async with transaction() as session:
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))
    assert caught.value.code == code


@pytest.mark.parametrize("state", ["54000", "58030", "53400"])
async def test_a_fault_that_stays_is_never_called_away(opened: Database, state: str) -> None:
    with pytest.raises(OperationalError):
        async with transaction() as session:
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))


async def test_a_row_too_large_for_its_index_is_a_fault_of_ours(opened: Database) -> None:
    with pytest.raises(OperationalError, match="index row"):
        await write(random.Random(1).randbytes(9000).hex())
    assert await read() == []


async def test_errors_never_tell_the_values_of_a_statement(opened: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with transaction() as session:
            await session.execute(text("SELECT missing FROM words WHERE word = :word"), {"word": "my secret"})
    assert "missing" in str(caught.value)
    assert "my secret" not in str(caught.value)


async def _read() -> None:
    async with reading() as session:
        await session.execute(text("SELECT 1"))


@pytest.mark.parametrize("log_in", [_read, connect], ids=["pool", "of its own"])
async def test_a_login_that_is_cancelled_is_closed_at_once(log_in: Callable[[], Awaitable[object]]) -> None:
    """The server would wait a minute for the rest of it, and so would whoever drops a database meanwhile."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        begun.set()
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, open_database(f"postgresql://u@{host}:{port}/d?sslmode=disable&gssencmode=disable"):
        gc.disable()  # it would close it some day
        try:
            asking = asyncio.ensure_future(log_in())
            await begun.wait()
            asking.cancel()
            await asyncio.wait([asking])
            async with asyncio.timeout(5):
                await ended.wait()
            assert asking.cancelled()
        finally:
            gc.enable()
            del asking
            gc.collect()
