"""An open list hears of entries that came, moved and went, each by itself; and when the reading of it breaks off."""

import re
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import update

from soundforge import library
from soundforge.db import reading, transaction
from soundforge.library import NewEntry, NewPlaylist
from soundforge.tables import Job, Kind
from tests.support.feeds import Ear, hearing
from tests.support.house import House, add_job

INSERTED = re.compile(r'hx-swap-oob="([^"]+)">\s*<div class="entry"[^>]*id="entry-([0-9a-f-]{36})"')
DELETED = re.compile(r'<div id="entry-([0-9a-f-]{36})" hx-swap-oob="delete">')


async def read(owner_id: UUID, titles: Sequence[str], *, ends: bool = True, per_page: int = 3) -> UUID:
    """Let a walk read the list as these titles, page by page."""
    walk_id = uuid4()
    async with transaction() as session:
        listed = NewPlaylist("playlist", "0" * 22, "Evening", total=len(titles))
        playlist_id = await library.add_playlist(session, owner_id, listed, walk_id)
    for start in range(0, len(titles), per_page):
        page = [
            NewEntry(start + n, f"local:{one}", one, skip="local") for n, one in enumerate(titles[start:][:per_page])
        ]
        async with transaction() as session:
            await library.add_entries(session, owner_id, playlist_id, walk_id, page)
    if ends:
        async with transaction() as session:
            await library.end_walk(session, owner_id, playlist_id, notice=None, is_cut=False)
    return playlist_id


async def ids_of(playlist_id: UUID) -> dict[str, str]:
    async with reading() as session:
        page = await library.list_entries(session, playlist_id)
    return {row.title: str(row.id) for row in page.rows}


def told(ear: Ear) -> list[tuple[str, str]]:
    """Each entry that was told, with its place; "" where it went."""
    found = []
    for piece in ear.pieces():
        text = piece.decode().replace("data: ", "")
        inserted, deleted = INSERTED.search(text), DELETED.search(text)
        if inserted:
            found.append((inserted[2], inserted[1]))
        elif deleted:
            found.append((deleted[1], ""))
    return found


def behind(entry_id: str) -> str:
    return f"beforebegin:#entry-{entry_id} + [data-place]"


async def test_entries_that_come_are_told_in_their_order_each_behind_the_one_before(house: House) -> None:
    ann = house.users["ann"]
    playlist_id = await read(ann, [])
    async with hearing(house, "ann", view="playlist", list_id=playlist_id) as ear:
        await read(ann, list("abcdefg"))
        ids = await ids_of(playlist_id)
        await ear.until(lambda: len(told(ear)) == 7)
    order = [ids[one] for one in "abcdefg"]
    places = [f"afterbegin:#entries-{playlist_id}", *map(behind, order)]
    assert told(ear) == list(zip(order, places, strict=False))


async def test_only_what_changed_is_told_when_a_list_is_read_again(house: House) -> None:
    ann = house.users["ann"]
    playlist_id = await read(ann, list("abcdef"))
    ids = await ids_of(playlist_id)
    async with hearing(house, "ann", view="playlist", list_id=playlist_id) as ear:
        await read(ann, list("abcdef"))
        await read(ann, list("abcxe"))
        await ear.until(lambda: (ids["f"], "") in told(ear))
        now = await ids_of(playlist_id)
    found = dict(told(ear))
    assert found.pop(now["x"]) in (behind(ids["c"]), behind(ids["d"]))  # which stood at its place until the end
    assert found == {ids["d"]: "", ids["f"]: ""}


async def test_a_page_hears_nothing_of_another_list(house: House) -> None:
    ann = house.users["ann"]
    playlist_id = await read(ann, list("abc"))
    async with hearing(house, "ann", view="playlist", list_id=uuid4()) as ear:
        await read(ann, list("abcd"))
        await ear.until(lambda: len(ear.heard) > 1)
    assert f"list-{playlist_id}".encode() not in ear.bytes_told()
    assert told(ear) == []


async def test_nobody_hears_of_somebody_elses_list(house: House) -> None:
    playlist_id = await read(house.users["ann"], list("abc"))
    async with hearing(house, "eve", view="playlist", list_id=playlist_id) as ear:
        await read(house.users["ann"], list("abcd"))
        async with transaction() as session:  # heard after it, and by this page
            await add_job(session, house.users["eve"], Kind.ANALYSIS)
        await ear.until(lambda: len(ear.heard) > 1)
    assert ear.bytes_told() == b""


async def test_an_import_that_fails_tells_that_its_list_is_read_in_part(house: House) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        job = await add_job(session, ann, Kind.IMPORT, params={"what": "paste", "name": "Evening", "lines": []})
    playlist_id = await read(ann, list("abcdef"), ends=False)
    async with hearing(house, "ann", view="playlist", list_id=playlist_id) as ear:
        async with transaction() as session:
            failing = update(Job).where(Job.id == job.id)
            await session.execute(failing.values(status="failed", error_code="x", error="No."))
        await ear.until_told("broke off after 6 of 6 entries")
