"""One page's live feed: its owner's events as the HTML elements that change, over Server-Sent Events.

A page's collections are streams. ``Stream`` says what may happen to a row; the template
``events/<view>/<event>.html`` says what an event looks like in a view; a view without that file is
not sent the event. Everything goes out of band: an element that the page does not hold is ignored.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, Self
from uuid import UUID

from jinja2 import Template
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.db import reading
from soundforge.errors import NotFound
from soundforge.events import Event, JobChanged, LibraryChanged, Listener, Mailbox, Resync, SessionEnded
from soundforge.library import Query
from soundforge.tables import RUNNING
from soundforge.web._access import Visitor, is_still_allowed
from soundforge.web._render import find_template

BEAT_S = 0.1  # one message at most in this time: what changes faster is conflated
PING_S = 15.0
CHECK_S = 60.0
SMALL_BYTES = 1900  # what a message may have at most; see tests of sizes
LONGEST_S = 600.0  # then the browser connects anew

RESYNC = b"event: resync\ndata: \n\n"
GOODBYE = b"event: signed-out\ndata: \n\n"
PING = b": still here\n\n"


@dataclass
class Feed:
    """Who listens, and what their page shows."""

    owner_id: UUID
    view: str  # the folder of templates
    query: Query
    still_allowed: Callable[[], Awaitable[bool]]
    session_id: UUID | None = None
    token_id: UUID | None = None
    columns: tuple[str, ...] = accounts.USUAL_COLUMNS  # of the library, as the page shows them
    list_id: UUID | None = None  # the playlist that the page shows
    seen: dict[Any, Any] = field(default_factory=dict)  # what this page was told last; see the loaders
    sent: set[tuple[str, UUID]] = field(default_factory=set)  # rows and stages that this batch has told already
    placed: set[UUID] = field(default_factory=set)  # tracks that came after the page was drawn and stand in it now
    removed: set[UUID] = field(default_factory=set)  # tracks that this page was told to take away
    opened_at: datetime = field(default_factory=partial(datetime.now, UTC))

    @classmethod
    def of(
        cls,
        who: Visitor,
        view: str = "",
        query: Query | None = None,
        columns: tuple[str, ...] = accounts.USUAL_COLUMNS,
        list_id: UUID | None = None,
    ) -> Self:
        """The feed of a visitor."""
        allowed = partial(is_still_allowed, who)
        return cls(who.id, view, query or Query(), allowed, who.session_id, who.token_id, columns, list_id)

    def ends_with(self, event: SessionEnded) -> bool:
        """Whether this event ends the login that this feed was opened with."""
        if event.session_id is None and event.token_id is None:
            return True
        return event.session_id == self.session_id if event.session_id else event.token_id == self.token_id


class _PlacedMailbox(Mailbox):
    """Remembers up to which place its reader has heard when it takes everything out.

    Read any later, the place would hide what was told in between from a page that connects anew.
    """

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self._recent = listener.recent
        self.taken_at = self._recent.place()

    async def take(self) -> list[Event | Resync]:
        taken = await super().take()
        self.taken_at = self._recent.place()  # nothing runs between emptying and this
        return taken


type Loader = Callable[[AsyncSession, Feed, Any], Awaitable[dict[str, Any] | list[dict[str, Any]] | None]]


async def messages(
    feed: Feed, listener: Listener, place: str | None, loaders: dict[str, Loader], stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    """Everything that the page must hear, from ``place`` on, until somebody ends it."""
    mailbox = _PlacedMailbox(listener)
    with listener.subscribe(feed.owner_id, mailbox=mailbox):
        missed = listener.recent.since(feed.owner_id, place) if place else None
        if missed is None:
            yield RESYNC
        else:
            yield PING
            for event in missed:
                mailbox.put(event)
        async for batch in batches(feed, mailbox, stopping):
            if any(isinstance(event, SessionEnded) and feed.ends_with(event) for event in batch):
                yield GOODBYE
                return
            yield await _messages(feed, batch, loaders, mailbox.taken_at) if batch else PING


async def batches(feed: Feed, mailbox: Mailbox, stopping: asyncio.Event) -> AsyncIterator[list[Event | Resync]]:
    """Batches of events at no more than one a beat; an empty one as a sign of life."""
    stopped = asyncio.ensure_future(stopping.wait())
    stopped.add_done_callback(lambda _: mailbox.wake())
    try:
        async for batch in _batches(feed, mailbox, stopping):
            yield batch
    finally:
        stopped.cancel()
        await asyncio.wait([stopped])


async def _batches(feed: Feed, mailbox: Mailbox, stopping: asyncio.Event) -> AsyncIterator[list[Event | Resync]]:
    ends_at = time.monotonic() + LONGEST_S
    check_at = time.monotonic() + CHECK_S
    while not stopping.is_set() and time.monotonic() < ends_at:
        batch = await _next(mailbox)
        if time.monotonic() >= check_at or any(isinstance(event, Resync) for event in batch):
            if not await feed.still_allowed():  # what ended it may have been missed
                yield [SessionEnded(feed.owner_id)]
                return
            check_at = time.monotonic() + CHECK_S
        yield batch
        await asyncio.sleep(BEAT_S)


async def _next(mailbox: Mailbox) -> list[Event | Resync]:
    try:
        async with asyncio.timeout(PING_S):
            return await mailbox.take()
    except TimeoutError:
        return []


async def _messages(feed: Feed, batch: list[Event | Resync], loaders: dict[str, Loader], place: str) -> bytes:
    """A message for each change: a page looks for all targets of a message before it swaps the first."""
    if any(isinstance(event, Resync | LibraryChanged) for event in batch):
        return RESYNC
    feed.sent.clear()
    told = [event for event in batch if isinstance(event, Event) and _template(feed, event)]
    known = [_tick(feed, event) for event in told]
    if None not in known:  # nobody needs to be asked, as in most batches by far
        found = _packed([tick for tick in known if tick])
    else:
        async with reading() as session:
            found = [
                piece
                for event, tick in zip(told, known, strict=True)
                for piece in ([tick] if tick is not None else await _fragments(session, feed, event, loaders))
            ]
    pieces = [piece for piece in found if piece]
    if not pieces:
        return PING
    return b"".join([*pieces[:-1], f"id: {place}\n".encode(), pieces[-1]]) if place else b"".join(pieces)


def _packed(ticks: list[bytes]) -> list[bytes]:
    """Ticks side by side, as many as a small message holds: none of them moves what another one looks for."""
    packed: list[bytes] = []
    for tick in ticks:
        if packed and len(packed[-1]) + len(tick) < SMALL_BYTES:
            packed[-1] = packed[-1][:-1] + tick  # without the empty line that ends a message
        else:
            packed.append(tick)
    return packed


def _template(feed: Feed, event: Event) -> Template | None:
    return find_template(f"events/{feed.view}/{event.name()}.html")


def _tick(feed: Feed, event: Event) -> bytes | None:
    """A job that only got on, as its bar and figure: the same bytes for all who see it, and nothing asked."""
    if not isinstance(event, JobChanged) or feed.view == "settings" or event.status not in RUNNING:
        return None
    if feed.seen.get(event.job_id) != state_of(event):
        return None
    return _tick_bytes(feed.view, event, in_row=feed.seen.get(event.track_id) == event.job_id)


@lru_cache(maxsize=4096)
def _tick_bytes(view: str, event: JobChanged, *, in_row: bool) -> bytes:
    template = find_template(f"events/{view}/{event.name()}.html")
    if template is None:
        return b""
    context = {
        "in_row": in_row,
        "first": False,
        "job": None,
        "ready": None,
        "stage": False,
        "stream": None,
        "row": None,
    }
    return _sse(template.render(event=event, tick=True, columns=(), track_id=None, playlist=None, **context))


def state_of(event: JobChanged) -> tuple[object, ...]:
    """What of a job makes a page draw more than its bar anew."""
    return (event.status, event.run, event.wait_reason, event.error_code)


async def _fragments(session: AsyncSession, feed: Feed, event: Event, loaders: dict[str, Loader]) -> list[bytes]:
    template = _template(feed, event)
    if template is None or event.name() not in loaders:
        return []
    try:
        found = await loaders[event.name()](session, feed, event)
    except NotFound:  # it is gone again; the event that says so is on its way
        return []
    contexts = found if isinstance(found, list) else [found] if found else []
    return [_sse(template.render(event=event, columns=feed.columns, **context)) for context in contexts]


def _sse(html: str) -> bytes:
    """One message; nothing for nothing. Before the last one of a batch goes the place up to which it is told."""
    lines = "".join(f"data: {line.strip()}\n" for line in html.splitlines() if line.strip())
    return f"{lines}\n".encode() if lines else b""
