"""One page's live feed: its owner's events as the HTML elements that change, over Server-Sent Events.

A page's collections are streams. ``Stream`` says what may happen to a row; the template
``events/<view>/<event>.html`` says what an event looks like in a view; a view without that file is
not sent the event. Everything goes out of band: an element that the page does not hold is ignored.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Self
from uuid import UUID

from jinja2 import Template
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.errors import NotFound
from soundforge.events import Batch, Event, Inbox, JobChanged, LibraryChanged, Resync, SessionEnded, TrackAdded
from soundforge.library import Query
from soundforge.tables import RUNNING
from soundforge.web._access import Visitor, is_still_allowed
from soundforge.web._reads import Reads, Same
from soundforge.web._render import find_template
from soundforge.web._studio import Studio

PING_S = 15.0
CHECK_S = 60.0
SMALL_BYTES = 1900  # what a message may have at most; see tests of sizes

RESYNC = b"event: resync\ndata: \n\n"
GOODBYE = b"event: signed-out\ndata: \n\n"
REPLACED = b"event: replaced\ndata: \n\n"  # too many newer ones: the page waits until somebody uses it
PING = b"event: ping\n\n"  # an event, so that the page hears it: a line without is dead, see stream.js


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
    is_replaced: bool = False  # by newer ones of the same login; it ends
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

    @property
    def login_id(self) -> UUID | None:
        """The session or token that it was opened with."""
        return self.session_id or self.token_id

    def ends_with(self, batch: Batch) -> bool:
        """Whether the login that this feed was opened with ended in this batch."""
        return SessionEnded in batch.kinds and any(
            isinstance(event, SessionEnded) and self._is_ended_by(event) for event in batch.events
        )

    def _is_ended_by(self, event: SessionEnded) -> bool:
        if event.session_id is None and event.token_id is None:
            return True
        return event.session_id == self.session_id if event.session_id else event.token_id == self.token_id


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
    with studio.listener.subscribe(feed.owner_id) as inbox, studio.feeds.hold(feed, inbox):
        missed = studio.listener.since(feed.owner_id, place) if place else None
        if missed and missed.events:
            inbox.put(missed)
        yield RESYNC if missed is None else PING
        async for batch in batches(feed, inbox, studio.stopping, longest_s=studio.longest_feed_s):
            if feed.ends_with(batch):
                yield GOODBYE
                return
            yield await _message(feed, batch, studio.reads, loaders)
        if feed.is_replaced:
            yield REPLACED


async def batches(
    feed: Feed, inbox: Inbox, stopping: asyncio.Event, *, longest_s: float = math.inf
) -> AsyncIterator[Batch]:
    """What the owner is told, at most once a beat; an empty batch as a sign of life. Ends after ``longest_s``."""
    stopped = asyncio.ensure_future(stopping.wait())
    stopped.add_done_callback(lambda _: inbox.wake())
    try:
        async for batch in _batches(feed, inbox, stopping, time.monotonic() + longest_s):
            yield batch
    finally:
        stopped.cancel()
        await asyncio.wait([stopped])


async def _batches(feed: Feed, inbox: Inbox, stopping: asyncio.Event, ends_at: float) -> AsyncIterator[Batch]:
    check_at = time.monotonic() + CHECK_S
    while not stopping.is_set() and not feed.is_replaced and time.monotonic() < ends_at:
        batch = await _next(inbox)
        if time.monotonic() >= check_at or Resync in batch.kinds:
            if not await feed.still_allowed():  # what ended it may have been missed
                yield Batch((SessionEnded(feed.owner_id),))
                return
            check_at = time.monotonic() + CHECK_S
        yield batch


async def _next(inbox: Inbox) -> Batch:
    try:
        async with asyncio.timeout(PING_S):
            return await inbox.take()
    except TimeoutError:
        return Batch()


async def _message(feed: Feed, batch: Batch, reads: Reads, loaders: dict[str, Loader]) -> bytes:
    """What a batch is to a page. Most are ticks alone, which are the same bytes for all pages that show the jobs so."""
    if not batch.events:
        return PING
    if batch.kinds & {Resync, LibraryChanged}:
        return RESYNC
    told = reads.drawn(batch, ("told", feed.view), partial(_told, feed.view, batch))
    in_rows = tuple(_is_in_row(feed, event) for event in told)
    if None in in_rows:
        return _joined(await _pieces(feed, told, in_rows, reads, loaders), batch.place)
    draw = partial(_ticks, feed.view, batch, told, in_rows, reads)
    return reads.drawn(batch, ("ticks", feed.view, in_rows), draw)


def _told(view: str, batch: Batch) -> list[Event]:
    return [event for event in batch.events if isinstance(event, Event) and _template(view, event.name())]


def _is_in_row(feed: Feed, event: Event) -> bool | None:
    """Whether a job that only got on is told in the row of its track; None for all that is more than a tick."""
    if not isinstance(event, JobChanged) or feed.seen.get(event.job_id) != event.state:
        return None
    if event.status not in RUNNING or feed.view == "settings":
        return None
    return feed.seen.get(event.track_id) == event.job_id


def _ticks(view: str, batch: Batch, told: list[Event], in_rows: tuple[bool | None, ...], reads: Reads) -> bytes:
    drawn = (_tick(view, event, bool(in_row), reads) for event, in_row in zip(told, in_rows, strict=True))
    return _joined(_packed(drawn), batch.place)


async def _pieces(
    feed: Feed, told: list[Event], in_rows: tuple[bool | None, ...], reads: Reads, loaders: dict[str, Loader]
) -> list[bytes]:
    """A message for each change: a page looks for all targets of a message before it swaps the first."""
    feed.sent.clear()
    feed.coming = {event.track_id for event in told if isinstance(event, TrackAdded)}
    newest = {about: event for event in told for about in _subjects(event)}
    pieces = []
    for event, in_row in zip(told, in_rows, strict=True):
        if in_row is None:
            pieces += await _fragments(feed, News(event, newest, reads), loaders)
        else:
            pieces.append(_tick(feed.view, event, in_row, reads))
    return pieces


def _joined(pieces: Iterable[bytes], place: str) -> bytes:
    """All messages of a batch. Before the last one goes the place up to which they tell."""
    *first, last = [b"", *(piece for piece in pieces if piece)]
    if not last:
        return PING
    return b"".join([*first, f"id: {place}\n".encode(), last]) if place else b"".join([*first, last])


def _subjects(event: Event) -> list[UUID]:
    named = (getattr(event, name, None) for name in ("job_id", "track_id", "parent_id", "playlist_id"))
    return [one for one in named if one]


def _packed(ticks: Iterable[bytes]) -> list[bytes]:
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


def _tick(view: str, event: Event, in_row: bool, reads: Reads) -> bytes:  # noqa: FBT001 - what _is_in_row says
    """A job that only got on, as its bar and figure: the same bytes for all who see it, and nothing asked."""
    return reads.drawn(event, ("tick", view, in_row), partial(_draw_tick, view, event, in_row=in_row))


def _draw_tick(view: str, event: Event, *, in_row: bool) -> bytes:
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
