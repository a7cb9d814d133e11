"""No login may keep more than a dozen live feeds open: pages give the oldest up, programs are refused."""

from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID, uuid4

from soundforge.db import transaction
from soundforge.tables import Kind
from soundforge.web import create_app
from soundforge.web._feeds import MOST, OpenFeeds
from soundforge.web._stream import REPLACED
from tests.support.feeds import Ear, hearing
from tests.support.house import House, add_job, add_token, client


async def open_pages(house: House, stack: AsyncExitStack, session_id: UUID, count: int) -> list[Ear]:
    return [await stack.enter_async_context(hearing(house, "ann", session_id=session_id)) for _ in range(count)]


async def test_of_too_many_pages_of_a_login_the_oldest_is_told_to_wait_and_no_other(house: House) -> None:
    session_id = uuid4()
    async with AsyncExitStack() as stack:
        others = await open_pages(house, stack, uuid4(), 2)
        pages = await open_pages(house, stack, session_id, MOST)
        assert not any(page.ended for page in pages)
        pages += await open_pages(house, stack, session_id, 2)
        for oldest in pages[:2]:
            await oldest.until(lambda oldest=oldest: oldest.ended)
            assert oldest.heard[-2] == REPLACED  # and then its end
        assert not any(page.ended for page in (*pages[2:], *others))
        assert house.studio.listener.count() == MOST + len(others)


async def test_who_closes_a_page_has_room_for_another(house: House) -> None:
    session_id = uuid4()
    async with AsyncExitStack() as stack:
        pages = await open_pages(house, stack, session_id, MOST - 1)
        for _ in range(3):
            async with hearing(house, "ann", session_id=session_id):
                pass
        pages += await open_pages(house, stack, session_id, 1)
        assert not any(page.ended for page in pages)


async def test_a_program_is_refused_one_feed_too_many_in_a_sentence(house: House) -> None:
    """Were its oldest ended instead, it would ask for that again, and so end the next."""
    async with transaction() as session:
        job = await add_job(session, house.users["ann"], Kind.ANALYSIS)
    app = create_app(replace(house.studio, feeds=OpenFeeds(most=0)))
    program = client(app, Authorization=f"Bearer {await add_token(house.users['ann'], 'read')}")
    answer = await program.get(f"/api/v1/jobs/{job.id}/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_feeds")
