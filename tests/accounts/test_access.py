"""Getting in and out: links, passwords, logging in, being shut out."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from soundforge import accounts, events
from soundforge.db import reading, transaction
from soundforge.errors import Conflict, Forbidden, Invalid, NotFound
from soundforge.tables import User
from tests.support.accounts import PASSWORD, log_in, make_user, set_password

pytestmark = pytest.mark.usefixtures("database")


async def hashed(password: str = PASSWORD) -> accounts.Hashed:
    return await accounts.hash_password(password, name="ann")


async def test_a_link_sets_the_first_password_and_opens_the_studio() -> None:
    async with transaction() as session:
        owner = await accounts.ensure_owner(session)
        assert not await accounts.is_set_up(session)
        token = await accounts.new_link(session, owner)
        holder = await accounts.find_link(session, token)
        assert holder is not None
        assert holder.id == owner.id
    async with transaction() as session:
        assert (await accounts.set_password_by_link(session, token, await hashed())).id == owner.id
        assert await accounts.is_set_up(session)
    async with transaction() as session:
        cookie = await log_in(session, "Owner", PASSWORD)
        found = await accounts.find_session(session, cookie)
    assert found is not None
    assert found[0].id == owner.id


async def test_a_link_works_once_even_for_two_at_the_same_moment() -> None:
    async with transaction() as session:
        token = await accounts.new_link(session, await make_user(session))

    fresh = await hashed()

    async def use() -> User:
        async with transaction() as session:
            return await accounts.set_password_by_link(session, token, fresh)

    results = await asyncio.gather(use(), use(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["NotFound", "User"]
    with pytest.raises(NotFound) as void:
        await use()
    assert void.value.code == "link_void"


async def test_a_new_link_voids_the_one_before() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        first = await accounts.new_link(session, ann)
        second = await accounts.new_link(session, ann)
        assert await accounts.find_link(session, first) is None
        assert await accounts.find_link(session, second) is not None


async def test_a_link_is_void_after_a_day() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        token = await accounts.new_link(session, ann)
        a_moment_ago = datetime.now(UTC) - timedelta(seconds=1)
        assert timedelta(hours=23) < (ann.link_expires_at or a_moment_ago) - a_moment_ago < timedelta(hours=25)
        await session.execute(update(User).values(link_expires_at=a_moment_ago))
        assert await accounts.find_link(session, token) is None
        with pytest.raises(NotFound):
            await accounts.set_password_by_link(session, token, await hashed())


@pytest.mark.parametrize("password", ["", "short", "x" * 1001, "aaaaaaaaaa", "ABABABABAB", "administrator"])
async def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        await accounts.hash_password(password, name="administrator")
    assert refused.value.code == "bad_password"


async def test_neither_token_nor_password_lies_in_the_database() -> None:
    async with transaction() as session:
        ann = await make_user(session, password=PASSWORD)
        token = await accounts.new_link(session, ann)
    async with reading() as session:
        kept = await accounts.get_user(session, ann.id)
    assert (kept.password_hash or "").startswith("$argon2id$")
    assert PASSWORD not in (kept.password_hash or "")
    assert kept.link_hash != token
    assert len(kept.link_hash or "") == 64


async def test_wrong_name_wrong_password_no_password_and_disabled_sound_the_same() -> None:
    async with transaction() as session:
        await make_user(session, "ann", password=PASSWORD)
        await make_user(session, "new")
        gone = await make_user(session, "gone", password=PASSWORD)
        await accounts.disable_user(session, gone.id)
    said = set()
    for name, password in [
        ("ann", "wrong"),
        ("nobody", PASSWORD),
        ("new", PASSWORD),
        ("gone", PASSWORD),
        ("ann", "x" * 5000),
    ]:
        async with transaction() as session:
            with pytest.raises(Forbidden) as refused:
                await log_in(session, name, password)
        said.add((refused.value.code, refused.value.sentence))
    assert said == {("wrong_login", "The name or the password is wrong.")}


async def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    async with transaction() as session:
        await make_user(session, password="cafe\u0301 au lait")
        assert await log_in(session, "ann", "caf\u00e9 au lait")


async def test_a_changed_password_ends_the_other_logins() -> None:
    async with transaction() as session:
        await make_user(session, password=PASSWORD)
        here = await log_in(session, "ann", PASSWORD)
        there = await log_in(session, "ann", PASSWORD)
        found = await accounts.find_session(session, here)
        assert found is not None
        with pytest.raises(Forbidden) as refused:
            await accounts.check_password(found[0], "wrong")
        assert refused.value.code == "wrong_password"
        proof = await accounts.check_password(found[0], PASSWORD)
        fresh = await hashed("another password")
        await accounts.change_password(session, proof, fresh, keep_session_id=found[1].id)
        with pytest.raises(Forbidden):  # what was proved was the old one
            await accounts.change_password(session, proof, fresh)
        assert await accounts.find_session(session, here) is not None
        assert await accounts.find_session(session, there) is None
        assert await log_in(session, "ann", "another password")


async def test_a_password_changed_or_a_user_disabled_after_the_check_lets_nobody_in() -> None:
    async with transaction() as session:
        ann = await make_user(session, password=PASSWORD)
        old = await accounts.check_login(ann, PASSWORD)
        await set_password(session, ann, "another password")
        with pytest.raises(Forbidden) as refused:
            await accounts.log_in(session, old)
        assert refused.value.code == "wrong_login"
        await session.refresh(ann)
        new = await accounts.check_login(ann, "another password")
        await accounts.disable_user(session, ann.id)
        with pytest.raises(Forbidden):
            await accounts.log_in(session, new)


def test_no_hash_shows_where_a_proof_is_shown() -> None:
    shown = f"{accounts.Hashed('$argon2id$1')} {accounts.Proof(uuid4(), '$argon2id$2', '$argon2id$3')}"
    assert "argon2id" not in shown


async def test_a_password_set_by_link_ends_all_logins() -> None:
    async with transaction() as session:
        ann = await make_user(session, password=PASSWORD)
        token = await log_in(session, "ann", PASSWORD)
        await set_password(session, ann, "another password")
        assert await accounts.find_session(session, token) is None


async def test_a_disabled_user_is_out_at_once_everywhere_and_every_stream_hears_of_it() -> None:
    async with transaction() as session:
        ann = await make_user(session, password=PASSWORD)
        cookie = await log_in(session, "ann", PASSWORD)
        api, text = await accounts.add_token(session, ann.id, "script", ["read"])
        link = await accounts.new_link(session, ann)
        found = await accounts.find_session(session, cookie)
        assert found is not None
    async with events.open_listener() as listener:
        with listener.subscribe(ann.id) as inbox:
            async with transaction() as session:
                await accounts.disable_user(session, ann.id)
            heard: set[object] = set()
            async with asyncio.timeout(10):
                while len(heard) < 2:
                    heard |= {e for e in (await inbox.take()).events if isinstance(e, events.SessionEnded)}
    assert heard == {
        events.SessionEnded(owner_id=ann.id, token_id=api.id),
        events.SessionEnded(owner_id=ann.id, session_id=found[1].id),
    }
    async with transaction() as session:
        assert await accounts.find_session(session, cookie) is None
        assert await accounts.find_token(session, text) is None
        assert await accounts.find_link(session, link) is None
        with pytest.raises(Conflict):
            await accounts.new_link(session, ann)


async def test_a_login_or_token_made_while_its_user_is_being_disabled_opens_nothing() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        await accounts.disable_user(session, ann.id)
        late = await accounts.start_session(session, ann.id)
        _, text = await accounts.add_token(session, ann.id, "late", ["read"])
        assert await accounts.find_session(session, late) is None
        assert await accounts.find_token(session, text) is None


async def test_a_user_enabled_again_logs_in_anew_and_old_tokens_stay_void() -> None:
    async with transaction() as session:
        ann = await make_user(session, password=PASSWORD)
        _, text = await accounts.add_token(session, ann.id, "script", ["read"])
        await accounts.disable_user(session, ann.id)
        await accounts.enable_user(session, ann.id)
        assert await log_in(session, "ann", PASSWORD)
        assert await accounts.find_token(session, text) is None


async def test_the_owner_cannot_be_shut_out() -> None:
    async with transaction() as session:
        owner = await accounts.ensure_owner(session)
        with pytest.raises(Conflict) as refused:
            await accounts.disable_user(session, owner.id)
    assert refused.value.code == "owner_stays"
