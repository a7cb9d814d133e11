"""One page's live feed: its owner's events as the HTML elements that change, over Server-Sent Events.

A page's collections are streams. ``Stream`` says what may happen to a row; the template
``events/<view>/<event>.html`` says what an event looks like in a view; a view without that file is
not sent the event. Everything goes out of band: an element that the page does not hold is ignored.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Self
from uuid import UUID

from jinja2 import Template
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.errors import NotFound
from soundforge.events import Event, JobChanged, LibraryChanged, Listener, Mailbox, Resync, SessionEnded, TrackAdded
from soundforge.library import Query
from soundforge.tables import RUNNING
from soundforge.web._access import Visitor, is_still_allowed
from soundforge.web._reads import Reads, Same
from soundforge.web._render import find_template
from soundforge.web._studio import Studio

BEAT_S = 0.1  # one message at most in this time: what changes faster is conflated
PING_S = 15.0
CHECK_S = 60.0
SMALL_BYTES = 1900  # what a message may have at most; see tests of sizes
LONGEST_S = 600.0  # then the browser connects anew

RESYNC = b"event: resync\ndata: \n\n"
GOODBYE = b"event: signed-out\ndata: \n\n"
PING = b": still here\n\n"


@dataclass(frozen=True)
class Stream:
    """What happens to one row of a list: ``update``, ``insert`` (before a row, or last; also a move), ``remove``."""

    act: str
    before: UUID | None = None


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
    coming: set[UUID] = field(default_factory=set)  # tracks that this batch tells of as added
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


@dataclass(frozen=True)
class News:
    """An event on its way to a page, and a way to ask about it together with all others who hear of it."""

    event: Event
    newest: dict[UUID, Event]  # of this batch, by what they are about: one message tells of them all
    reads: Reads

    async def once[T](self, subject: UUID, *what: Hashable, ask: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Give the answer to ``what`` about ``subject``, as it is after this batch. Raises ``NotFound``."""
        return await self.reads.once(self.newest.get(subject, self.event), (subject, *what), ask)


type Loader = Callable[[News, Feed, Any], Awaitable[dict[str, Any] | list[dict[str, Any]] | None]]


async def messages(feed: Feed, studio: Studio, place: str | None, loaders: dict[str, Loader]) -> AsyncIterator[bytes]:
    """Everything that the page must hear, from ``place`` on, until somebody ends it."""
    listener = studio.listener
    mailbox = _PlacedMailbox(listener)
    with listener.subscribe(feed.owner_id, mailbox=mailbox):
        missed = listener.recent.since(feed.owner_id, place) if place else None
        if missed is None:
            yield RESYNC
        else:
            yield PING
            for event in missed:
                mailbox.put(event)
        async for batch in batches(feed, mailbox, studio.stopping):
            if any(isinstance(event, SessionEnded) and feed.ends_with(event) for event in batch):
                yield GOODBYE
                return
            yield await _messages(feed, batch, studio.reads, loaders, mailbox.taken_at) if batch else PING


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


async def _messages(
    feed: Feed, batch: list[Event | Resync], reads: Reads, loaders: dict[str, Loader], place: str
) -> bytes:
    """A message for each change: a page looks for all targets of a message before it swaps the first."""
    if any(isinstance(event, Resync | LibraryChanged) for event in batch):
        return RESYNC
    told = [event for event in batch if isinstance(event, Event) and _template(feed.view, event.name())]
    feed.sent.clear()
    feed.coming = {event.track_id for event in told if isinstance(event, TrackAdded)}
    known = [_tick(feed, event, reads) for event in told]
    if None not in known:  # nobody needs to be asked, as in most batches by far
        found = _packed([tick for tick in known if tick])
    else:
        newest = {about: event for event in told for about in _subjects(event)}
        found = [
            piece
            for event, tick in zip(told, known, strict=True)
            for piece in ([tick] if tick is not None else await _fragments(feed, News(event, newest, reads), loaders))
        ]
    pieces = [piece for piece in found if piece]
    if not pieces:
        return PING
    return b"".join([*pieces[:-1], f"id: {place}\n".encode(), pieces[-1]]) if place else b"".join(pieces)


def _subjects(event: Event) -> list[UUID]:
    named = (getattr(event, name, None) for name in ("job_id", "track_id", "parent_id", "playlist_id"))
    return [one for one in named if one]


def _packed(ticks: list[bytes]) -> list[bytes]:
    """Ticks side by side, as many as a small message holds: none of them moves what another one looks for."""
    packed: list[bytes] = []
    for tick in ticks:
        if packed and len(packed[-1]) + len(tick) < SMALL_BYTES:
            packed[-1] = packed[-1][:-1] + tick  # without the empty line that ends a message
        else:
            packed.append(tick)
    return packed


@cache
def _template(view: str, name: str) -> Template | None:
    return find_template(f"events/{view}/{name}.html")


def _tick(feed: Feed, event: Event, reads: Reads) -> bytes | None:
    """A job that only got on, as its bar and figure: the same bytes for all who see it, and nothing asked."""
    if not isinstance(event, JobChanged) or feed.view == "settings" or event.status not in RUNNING:
        return None
    if feed.seen.get(event.job_id) != event.state:
        return None
    in_row = feed.seen.get(event.track_id) == event.job_id
    return reads.drawn(event, ("tick", feed.view, in_row), partial(_draw_tick, feed.view, event, in_row=in_row))


def _draw_tick(view: str, event: JobChanged, *, in_row: bool) -> bytes:
    template = _template(view, event.name())
    if template is None:
        return b""
    context = dict.fromkeys(("job", "ready", "stream", "row", "track_id", "playlist"))
    flags = {"tick": True, "in_row": in_row, "first": False, "stage": False}
    return _sse(template.render(event=event, columns=(), **context, **flags))


async def _fragments(feed: Feed, news: News, loaders: dict[str, Loader]) -> list[bytes]:
    event = news.event
    template = _template(feed.view, event.name())
    if template is None or event.name() not in loaders:
        return []
    try:
        found = await loaders[event.name()](news, feed, event)
    except NotFound:  # it is gone again; the event that says so is on its way
        return []
    contexts = found if isinstance(found, list) else [found] if found else []
    return [_drawn(feed, news, template, context) for context in contexts]


def _drawn(feed: Feed, news: News, template: Template, context: dict[str, Any]) -> bytes:
    """A context as a message: the same bytes for all pages alike."""

    def draw() -> bytes:
        return _sse(template.render(**context, event=news.event, columns=feed.columns))

    shown = tuple((name, value if _is_plain(value) else Same(value)) for name, value in sorted(context.items()))
    return news.reads.drawn(news.event, (feed.view, feed.columns, shown), draw)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | bool | UUID | Stream)


def _sse(html: str) -> bytes:
    """One message; nothing for nothing. Before the last one of a batch goes the place up to which it is told."""
    lines = "".join(f"data: {line.strip()}\n" for line in html.splitlines() if line.strip())
    return f"{lines}\n".encode() if lines else b""
