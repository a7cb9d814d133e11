"""Users: the owner of the first start, names, lists."""

import asyncio
from uuid import uuid4

import pytest

from soundforge import accounts
from soundforge.db import Database, reading, transaction
from soundforge.errors import Conflict, Invalid, NotFound
from tests.support.accounts import make_user

pytestmark = pytest.mark.usefixtures("database")


async def test_the_first_start_makes_one_owner_and_later_ones_find_them() -> None:
    async def start() -> str:
        async with transaction() as session:
            return str((await accounts.ensure_owner(session)).id)

    started = await asyncio.gather(*(start() for _ in range(5)))
    assert len(set(started)) == 1
    async with reading() as session:
        (owner,) = await accounts.list_users(session)
    assert (owner.name, owner.role, owner.password_hash) == ("owner", "owner", None)


async def test_a_name_is_taken_once_however_it_is_written() -> None:
    async with transaction() as session:
        ann = await make_user(session, " Ann ")
        assert ann.name == "ann"
        found = await accounts.find_user(session, "ANN")
        assert found is not None
        assert found.id == ann.id
        with pytest.raises(Conflict) as taken:
            await accounts.add_user(session, "aNN")
    assert taken.value.code == "name_taken"


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-x", "a\nb", "a" * 65, "<b>"])
async def test_a_bad_name_is_refused(name: str) -> None:
    async with transaction() as session:
        with pytest.raises(Invalid) as refused:
            await accounts.add_user(session, name)
    assert refused.value.code == "bad_name"
    assert "name" in refused.value.fields


@pytest.mark.parametrize("role", ["owner", "root", ""])
async def test_nobody_is_made_owner(role: str) -> None:
    async with transaction() as session:
        with pytest.raises(Invalid) as refused:
            await accounts.add_user(session, "eve", role=role)
    assert refused.value.code == "bad_role"


async def test_users_are_listed_the_oldest_first(database: Database) -> None:
    for name in ("zoe", "ann", "bob"):
        async with transaction() as session:
            await make_user(session, name)
    async with reading() as session:
        assert [user.name for user in await accounts.list_users(session)] == ["zoe", "ann", "bob"]


async def test_a_stranger_is_not_found() -> None:
    async with reading() as session:
        assert await accounts.find_user(session, "nobody") is None
        with pytest.raises(NotFound):
            await accounts.get_user(session, uuid4())
