"""Sessions: found, lengthened, listed, ended, and only one's own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from soundforge import accounts, events
from soundforge.db import reading, transaction
from soundforge.errors import NotFound
from soundforge.tables import Session
from tests.support.accounts import make_user

pytestmark = pytest.mark.usefixtures("database")


async def age(by: timedelta) -> None:
    """Make every session older than it is."""
    async with transaction() as session:
        await session.execute(update(Session).values(expires_at=Session.expires_at - by, seen_at=Session.seen_at - by))


async def test_a_session_is_found_by_its_token_alone_and_reading_is_enough() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        token = await accounts.start_session(session, ann.id, agent="Browser\x00 1.0")
    async with reading() as session:
        found = await accounts.find_session(session, token)
        assert found is not None
        assert (found[0].id, found[1].agent) == (ann.id, "Browser 1.0")
        for wrong in ("", token[:-1], token.swapcase(), found[1].token_hash, "é", "x" * 10_000):
            assert await accounts.find_session(session, wrong) is None


async def test_every_login_has_a_token_of_its_own_that_the_database_does_not_hold() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        tokens = {await accounts.start_session(session, ann.id) for _ in range(3)}
        kept = {*await session.scalars(select(Session.token_hash))}
    assert len(tokens) == len(kept) == 3
    assert not tokens & kept
    assert all(len(token) >= 43 for token in tokens)


async def test_a_session_ends_after_30_days_without_a_visit_and_a_visit_lengthens_it() -> None:
    async with transaction() as session:
        token = await accounts.start_session(session, (await make_user(session)).id)
    await age(timedelta(days=29))
    async with transaction() as session:
        found = await accounts.find_session(session, token)
        assert found is not None
        assert accounts.is_stale(found[1])
        await accounts.extend_session(session, found[1].id)
    await age(timedelta(days=29))
    async with reading() as session:
        assert await accounts.find_session(session, token) is not None
    await age(timedelta(days=2))
    async with transaction() as session:
        assert await accounts.find_session(session, token) is None
        await accounts.extend_session(session, found[1].id)
        assert await accounts.find_session(session, token) is None
        assert await accounts.remove_expired_sessions(session) == 1
        assert await accounts.remove_expired_sessions(session) == 0


async def test_a_session_just_seen_needs_no_write() -> None:
    async with transaction() as session:
        token = await accounts.start_session(session, (await make_user(session)).id)
        found = await accounts.find_session(session, token)
    assert found is not None
    assert not accounts.is_stale(found[1])
    assert found[1].seen_at <= datetime.now(UTC)


async def test_logging_out_ends_one_session_and_tells_its_streams() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        here = await accounts.start_session(session, ann.id)
        there = await accounts.start_session(session, ann.id)
        found = await accounts.find_session(session, here)
        assert found is not None
    async with events.open_listener() as listener:
        with listener.subscribe(ann.id) as inbox:
            async with transaction() as session:
                await accounts.log_out(session, here)
            async with asyncio.timeout(10):
                heard = [event for event in (await inbox.take()).events if isinstance(event, events.SessionEnded)]
    assert heard == [events.SessionEnded(owner_id=ann.id, session_id=found[1].id)]
    async with transaction() as session:
        assert await accounts.find_session(session, here) is None
        assert await accounts.find_session(session, there) is not None
        await accounts.log_out(session, here)


async def test_sessions_are_listed_oldest_first_and_only_ones_own_can_be_ended() -> None:
    tokens = []
    async with transaction() as session:
        ann, eve = await make_user(session, "ann"), await make_user(session, "eve")
    for agent in ("first", "second"):
        async with transaction() as session:
            tokens.append(await accounts.start_session(session, ann.id, agent=agent))
    async with transaction() as session:
        rows = await accounts.list_sessions(session, ann.id)
        assert [row.agent for row in rows] == ["first", "second"]
        assert await accounts.list_sessions(session, eve.id) == []
        with pytest.raises(NotFound) as missing:
            await accounts.revoke_session(session, eve.id, rows[0].id)
        assert missing.value.code == "session_not_found"
        await accounts.revoke_session(session, ann.id, rows[0].id)
        assert await accounts.find_session(session, tokens[0]) is None
        assert await accounts.find_session(session, tokens[1]) is not None


async def test_all_but_the_present_one_can_be_ended() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        tokens = [await accounts.start_session(session, ann.id) for _ in range(3)]
        present = await accounts.find_session(session, tokens[1])
        assert present is not None
        assert await accounts.revoke_sessions(session, ann.id, keep=present[1].id) == 2
        assert [await accounts.find_session(session, token) is not None for token in tokens] == [False, True, False]
