"""API tokens: made once, with scopes, found by their text alone, revoked for good."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from soundforge import accounts
from soundforge.db import reading, transaction
from soundforge.errors import Forbidden, Invalid, NotFound
from soundforge.tables import ApiToken
from tests.support.accounts import make_user

pytestmark = pytest.mark.usefixtures("database")


async def test_a_token_is_found_by_its_text_which_the_database_does_not_hold() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        row, text = await accounts.add_token(session, ann.id, "  my\nscript ", ["write", "read"])
    assert text.startswith("sfa_")
    assert len(text) >= 47
    assert (row.name, row.scopes) == ("my script", ["read", "write"])
    assert text not in row.token_hash
    async with reading() as session:
        found = await accounts.find_token(session, text)
        assert found is not None
        assert (found[0].id, found[1].id) == (ann.id, row.id)
        for wrong in ("", "sfa_", text[:-1], text.removeprefix("sfa_"), f"sfa_{row.token_hash}"):
            assert await accounts.find_token(session, wrong) is None


async def test_a_session_is_no_token_and_a_token_no_session() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        cookie = await accounts.start_session(session, ann.id)
        _, text = await accounts.add_token(session, ann.id, "script", ["read"])
        assert await accounts.find_token(session, cookie) is None
        assert await accounts.find_session(session, text) is None


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["read"]), ("x" * 101, ["read"]), ("x", []), ("x", ["root"]), ("a\x00b", ["read"])]
)
async def test_a_token_without_name_or_known_scope_is_refused(name: str, scopes: list[str]) -> None:
    async with transaction() as session:
        ann = await make_user(session)
        with pytest.raises(Invalid) as refused:
            await accounts.add_token(session, ann.id, name, scopes)
    assert refused.value.code == "bad_token"


@pytest.mark.parametrize(
    ("granted_by", "scopes", "role"),
    [
        (["read"], ["write"], "admin"),
        (["write"], ["admin"], "admin"),
        ([], ["read"], "admin"),
        (["admin"], ["admin"], "member"),
    ],
)
async def test_no_token_may_more_than_who_makes_it(granted_by: list[str], scopes: list[str], role: str) -> None:
    async with transaction() as session:
        user = await make_user(session, role=role)
        with pytest.raises(Forbidden) as refused:
            await accounts.add_token(session, user.id, "x", scopes, granted_by=granted_by)
    assert refused.value.code == "scope_too_wide"


async def test_an_admin_may_make_an_admin_token() -> None:
    async with transaction() as session:
        admin = await make_user(session, role="admin")
        row, _ = await accounts.add_token(session, admin.id, "x", ["admin"], granted_by=["admin"])
    assert row.scopes == ["admin"]


async def test_a_token_that_ran_out_or_was_revoked_is_void() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        row, text = await accounts.add_token(
            session, ann.id, "x", ["read"], expires_at=datetime.now(UTC) + timedelta(hours=1)
        )
        assert await accounts.find_token(session, text) is not None
        await session.execute(update(ApiToken).values(expires_at=datetime.now(UTC)))
        assert await accounts.find_token(session, text) is None
        other, other_text = await accounts.add_token(session, ann.id, "y", ["read"])
        await accounts.revoke_token(session, ann.id, other.id)
        assert await accounts.find_token(session, other_text) is None
        with pytest.raises(NotFound):
            await accounts.revoke_token(session, ann.id, other.id)
        assert [token.id for token in await accounts.list_tokens(session, ann.id)] == [row.id]


async def test_a_token_cannot_be_born_dead() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        with pytest.raises(Invalid):
            await accounts.add_token(session, ann.id, "x", ["read"], expires_at=datetime.now(UTC))


async def test_only_ones_own_tokens_can_be_seen_and_revoked() -> None:
    async with transaction() as session:
        ann, eve = await make_user(session, "ann"), await make_user(session, "eve")
        row, text = await accounts.add_token(session, ann.id, "x", ["read"])
        assert await accounts.list_tokens(session, eve.id) == []
        with pytest.raises(NotFound):
            await accounts.revoke_token(session, eve.id, row.id)
        assert await accounts.find_token(session, text) is not None


async def test_use_is_written_down_once_in_five_minutes() -> None:
    async with transaction() as session:
        ann = await make_user(session)
        row, _ = await accounts.add_token(session, ann.id, "x", ["read"])
    seen = []
    for back in (timedelta(0), timedelta(0), timedelta(minutes=6)):
        async with transaction() as session:
            await session.execute(update(ApiToken).values(seen_at=ApiToken.seen_at - back))
            await accounts.note_token_use(session, row.id)
        async with reading() as session:
            (token,) = await accounts.list_tokens(session, ann.id)
            seen.append(token.seen_at)
    assert seen[0] is not None
    assert seen[0] == seen[1] != seen[2]
