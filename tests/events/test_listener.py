"""Each event reaches the mailboxes of its owner after the commit, and nobody else's."""

import asyncio
from uuid import UUID, uuid4

import pytest

from soundforge.db import Database, transaction
from soundforge.events import (
    AnalysisReady,
    Event,
    Inbox,
    JobChanged,
    Resync,
    SessionEnded,
    TrackAdded,
    TrackChanged,
    TrackRemoved,
    open_listener,
    publish,
)

DEADLINE_S = 10


async def take(inbox: Inbox) -> list[Event | Resync]:
    async with asyncio.timeout(DEADLINE_S):
        return [*(await inbox.take()).events]


async def tell(*events: Event) -> None:
    for event in events:
        async with transaction() as session:
            await publish(session, event)


async def tell_and_fail(event: Event) -> None:
    async with transaction() as session:
        await publish(session, event)
        raise ZeroDivisionError


async def test_an_event_is_heard_after_the_commit_and_never_after_a_rollback(database: Database) -> None:
    owner, track = uuid4(), uuid4()
    async with open_listener() as listener:
        with listener.subscribe(owner) as inbox:
            with pytest.raises(ZeroDivisionError):
                await tell_and_fail(TrackRemoved(owner, track))
            await tell(TrackAdded(owner, track))
            assert await take(inbox) == [TrackAdded(owner, track)]


async def test_nobody_hears_the_events_of_another_owner(database: Database) -> None:
    mine, theirs = uuid4(), uuid4()
    async with open_listener() as listener:
        with (
            listener.subscribe(mine) as my_box,
            listener.subscribe(theirs) as their_box,
        ):
            for _ in range(20):
                await tell(TrackAdded(theirs, uuid4()))
            await tell(TrackAdded(mine, last := uuid4()))
            assert await take(my_box) == [TrackAdded(mine, last)]
            heard = await take(their_box)
            assert {event.owner_id for event in heard if isinstance(event, TrackAdded)} == {theirs}


async def test_nothing_is_heard_after_the_subscription(database: Database) -> None:
    owner = uuid4()
    async with open_listener() as listener:
        with listener.subscribe(owner) as inbox:
            assert listener.count() == 1
        assert listener.count() == 0
        with listener.subscribe(owner) as later:
            await tell(TrackAdded(owner, uuid4()))
            await take(later)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await inbox.take()


async def test_after_a_lost_connection_everybody_is_told_to_read_anew(database: Database) -> None:
    owner, track = uuid4(), uuid4()
    async with open_listener() as listener:
        with listener.subscribe(owner) as inbox:
            ours = "datname = current_database()"  # other tests' databases live on the same server
            async with transaction() as session:
                connection = await session.connection()
                await connection.exec_driver_sql(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours} AND query LIKE 'LISTEN%%'"
                )
            assert await take(inbox) == [Resync()]
            await tell(TrackAdded(owner, track))
            assert await take(inbox) == [TrackAdded(owner, track)]


async def test_what_cannot_be_read_does_not_end_the_listening(database: Database) -> None:
    owner, track = uuid4(), uuid4()
    async with open_listener() as listener:
        with listener.subscribe(owner) as inbox:
            async with transaction() as session:
                connection = await session.connection()
                for payload in (
                    "nonsense",
                    "{}",
                    "[1]",
                    '{"event": []}',
                    '{"event": "from_the_future"}',
                    '{"event": "track_added", "owner_id": 7}',
                ):
                    await connection.exec_driver_sql("SELECT pg_notify('soundforge', %s)", (payload,))
            await tell(TrackAdded(owner, track))
            assert await take(inbox) == [TrackAdded(owner, track)]


async def test_an_event_survives_the_wire_unchanged(database: Database) -> None:
    owner = uuid4()
    events: list[Event] = [
        TrackChanged(owner, uuid4(), ("title", "artist")),
        AnalysisReady(owner, uuid4(), uuid4(), "peaks"),
        SessionEnded(owner, uuid4(), None),
        SessionEnded(owner, None, uuid4()),
    ]
    async with open_listener() as listener:
        with listener.subscribe(owner) as inbox:
            await tell(*events, TrackAdded(owner, uuid4()))
            heard: list[Event | Resync] = []
            while not any(isinstance(event, TrackAdded) for event in heard):
                heard += await take(inbox)
            assert heard[:-1] == events


async def test_only_the_trigger_tells_of_jobs(database: Database) -> None:
    event = JobChanged(uuid4(), uuid4(), None, None, "analysis", "queued", 0, "", 0, None, None)
    async with transaction() as session:
        with pytest.raises(TypeError):
            await publish(session, event)


async def test_an_event_too_large_for_the_wire_is_refused(database: Database) -> None:
    async with transaction() as session:
        with pytest.raises(ValueError, match="too large"):
            await publish(session, TrackChanged(uuid4(), uuid4(), ("x" * 8000,)))


async def test_the_longest_texts_of_a_row_still_fit_the_wire(database: Database, owner_id: UUID) -> None:
    long = '\x01\\"ü𝄞' * 4000
    async with open_listener() as listener:
        with listener.subscribe(owner_id) as inbox:
            async with transaction() as session:
                connection = await session.connection()
                await connection.exec_driver_sql(
                    "INSERT INTO jobs (id, kind, owner_id, unique_key, params, result, stage, attempt, max_attempts,"
                    " status, run, progress, wait_reason, error_code) VALUES (gen_random_uuid(), 'analysis', %s, 'k',"
                    " '{}', '{}', %s, 0, 3, 'queued', 0, 0, %s, %s)",
                    (owner_id, long, long, long),
                )
            (heard,) = await take(inbox)
            assert isinstance(heard, JobChanged)
            assert long.startswith(heard.stage)
