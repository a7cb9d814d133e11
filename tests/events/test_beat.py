"""All who listen to an owner are told the same at the same beat: at once after a silence, never more often."""

import asyncio
from uuid import uuid4

import pytest

from soundforge.events import Batch, Inbox, Listener, TrackAdded, TrackChanged
from soundforge.events._beat import BEAT_S

OWNER = uuid4()
DEADLINE_S = 10


def added() -> TrackAdded:
    return TrackAdded(OWNER, uuid4())


async def take(inbox: Inbox) -> Batch:
    async with asyncio.timeout(DEADLINE_S):
        return await inbox.take()


async def is_empty(inbox: Inbox) -> bool:
    """Whether nothing is there by now; what was to be told at once has been told."""
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(0):
            inbox.put(await inbox.take())
    except TimeoutError:
        return True
    return False


async def test_after_a_silence_an_event_is_told_at_once_and_what_follows_together_a_beat_later() -> None:
    listener, loop = Listener(), asyncio.get_running_loop()
    first, second, third = added(), added(), added()
    with listener.subscribe(OWNER) as inbox:
        listener.hand_out(first)
        assert not await is_empty(inbox)
        assert (await take(inbox)).events == (first,)
        told_at = loop.time()
        listener.hand_out(second)
        listener.hand_out(third)
        assert await is_empty(inbox)
        assert (await take(inbox)).events == (second, third)
        assert loop.time() - told_at > 0.9 * BEAT_S


async def test_all_who_listen_are_told_the_very_same_batch() -> None:
    listener = Listener()
    with listener.subscribe(OWNER) as one, listener.subscribe(OWNER) as other:
        for event in (added(), added()):
            listener.hand_out(event)
        batch = await take(one)
        assert await take(other) is batch
        assert len(batch.events) == 2
        assert listener.recent.since(OWNER, batch.place) == []


async def test_what_a_slow_reader_leaves_waiting_becomes_one_batch_and_costs_others_nothing() -> None:
    track, other = uuid4(), added()
    batches = [
        Batch((TrackChanged(OWNER, track, ("title",)), other), "e-2"),
        Batch((TrackChanged(OWNER, track, ("artist",)),), "e-3"),
    ]
    slow, quick = Inbox(), Inbox()
    for batch in batches:
        slow.put(batch)
        quick.put(batch)
        assert await take(quick) is batch
    late = await take(slow)
    assert late.events == (other, TrackChanged(OWNER, track, ("title", "artist")))
    assert late.place == "e-3"
    assert await is_empty(slow)


async def test_whoever_comes_between_two_beats_is_told_everything_once() -> None:
    listener, told, waits = Listener(), added(), added()
    drawn_at = listener.recent.place()
    with listener.subscribe(OWNER) as earlier:
        listener.hand_out(told)
        assert (await take(earlier)).events == (told,)
        listener.hand_out(waits)
        with listener.subscribe(OWNER) as inbox:
            missed = listener.since(OWNER, drawn_at)
            assert missed is not None
            assert missed.events == (told,)
            assert listener.recent.since(OWNER, missed.place) == [waits]  # who leaves now has not heard it
            assert (await take(inbox)).events == (waits,)
            assert listener.since(OWNER, "unknown-7") is None


async def test_whoever_comes_after_the_last_one_left_hears_nothing_of_what_waited() -> None:
    listener = Listener()
    with listener.subscribe(OWNER) as left:
        listener.hand_out(added())
    with listener.subscribe(OWNER) as inbox:
        assert await is_empty(inbox)
        assert await is_empty(left)


async def test_a_reader_who_is_woken_goes_on_with_nothing() -> None:
    inbox = Inbox()
    inbox.wake()
    assert (await take(inbox)).events == ()


@pytest.mark.parametrize("events", [(), (added(),), (added(), TrackChanged(OWNER, uuid4(), ()))])
def test_a_batch_knows_what_kinds_of_things_happened(events: tuple[TrackAdded | TrackChanged, ...]) -> None:
    assert Batch(events).kinds == {type(event) for event in events}
