"""One page's live feed: its owner's events as the HTML elements that change, over Server-Sent Events.

A page's collections are streams. ``Stream`` says what may happen to a row; the template
``events/<view>/<event>.html`` says what an event looks like in a view; a view without that file is
not sent the event. Everything goes out of band: an element that the page does not hold is ignored.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.db import reading
from soundforge.errors import NotFound
from soundforge.events import Event, Listener, Mailbox, Resync, SessionEnded
from soundforge.library import Query
from soundforge.web._access import Visitor, is_still_allowed
from soundforge.web._render import find_template

BEAT_S = 0.1  # one message at most in this time: what changes faster is conflated
PING_S = 15.0
CHECK_S = 60.0
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
    seen: dict[Any, Any] = field(default_factory=dict)  # what this page was told last; see the loaders
    sent: set[tuple[str, UUID]] = field(default_factory=set)  # rows and stages that this batch has told already
    placed: set[UUID] = field(default_factory=set)  # tracks that came after the page was drawn and stand in it now
    opened_at: datetime = field(default_factory=partial(datetime.now, UTC))

    @classmethod
    def of(cls, who: Visitor, view: str = "", query: Query | None = None) -> Self:
        """The feed of a visitor."""
        allowed = partial(is_still_allowed, who)
        return cls(who.id, view, query or Query(), allowed, who.session_id, who.token_id)

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
    ends_at = time.monotonic() + LONGEST_S
    check_at = time.monotonic() + CHECK_S
    while not stopping.is_set() and time.monotonic() < ends_at:
        batch = await _next(mailbox, stopping)
        if time.monotonic() >= check_at or any(isinstance(event, Resync) for event in batch):
            if not await feed.still_allowed():  # what ended it may have been missed
                yield [SessionEnded(feed.owner_id)]
                return
            check_at = time.monotonic() + CHECK_S
        yield batch
        await asyncio.sleep(BEAT_S)


async def _next(mailbox: Mailbox, stopping: asyncio.Event) -> list[Event | Resync]:
    waits = {asyncio.ensure_future(mailbox.take()), asyncio.ensure_future(stopping.wait())}
    try:
        done, _pending = await asyncio.wait(waits, timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
        return next((result for task in done if isinstance(result := task.result(), list)), [])
    finally:
        for task in waits:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*waits, return_exceptions=True)


async def _messages(feed: Feed, batch: list[Event | Resync], loaders: dict[str, Loader], place: str) -> bytes:
    """A message for each change: a page looks for all targets of a message before it swaps the first."""
    if any(isinstance(event, Resync) for event in batch):
        return RESYNC
    feed.sent.clear()
    async with reading() as session:
        told = [event for event in batch if isinstance(event, Event)]
        found = [piece for event in told for piece in await _fragments(session, feed, event, loaders)]
    pieces = [piece for piece in found if piece]
    return b"".join(_sse(piece, place if piece is pieces[-1] else "") for piece in pieces) or PING


async def _fragments(session: AsyncSession, feed: Feed, event: Event, loaders: dict[str, Loader]) -> list[str]:
    template = find_template(f"events/{feed.view}/{event.name()}.html")
    if template is None or event.name() not in loaders:
        return []
    try:
        found = await loaders[event.name()](session, feed, event)
    except NotFound:  # it is gone again; the event that says so is on its way
        return []
    contexts = found if isinstance(found, list) else [found] if found else []
    return [template.render(event=event, **context).strip() for context in contexts]


def _sse(html: str, place: str) -> bytes:
    """One message; the last one of a batch tells the place up to which the page has heard."""
    lines = "".join(f"data: {line.strip()}\n" for line in html.splitlines() if line.strip())
    return f"{f'id: {place}\n' if place else ''}{lines}\n".encode()
