"""How many live feeds one login may keep open: each takes a connection for as long as it lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from soundforge.events import Inbox
from soundforge.web._security import TooManyAttempts

MOST = 12  # of one session or token. A browser opens four, or six where its windows know nothing of each other


class Held(Protocol):
    """A feed, as far as it is counted here."""

    is_replaced: bool

    @property
    def login_id(self) -> UUID | None:
        """The session or token that it was opened with."""
        ...


class OpenFeeds:
    """The feeds that are open, the oldest first."""

    def __init__(self, most: int = MOST) -> None:
        """Begin with none; ``most`` may be open of one login."""
        self._most = most
        self._open: dict[Inbox, Held] = {}

    @contextmanager
    def hold(self, feed: Held, inbox: Inbox) -> Iterator[None]:
        """Count a feed until the block ends. One too many ends the oldest: that of a line that is dead, most often."""
        mine = self._of(feed.login_id)
        for oldest in mine[: max(0, len(mine) + 1 - self._most)]:
            self._open.pop(oldest).is_replaced = True
            oldest.wake()
        self._open[inbox] = feed
        try:
            yield
        finally:
            self._open.pop(inbox, None)

    def check_room(self, login_id: UUID | None) -> None:
        """Refuse a program one more, which would ask again at once when its oldest ends.

        Raises ``TooManyAttempts`` ("too_many_feeds").
        """
        if len(self._of(login_id)) >= self._most:
            sentence = f"{self._most} live feeds are open with this login; end one of them first."
            raise TooManyAttempts(sentence, code="too_many_feeds")

    def _of(self, login_id: UUID | None) -> list[Inbox]:
        return [inbox for inbox, feed in self._open.items() if login_id and feed.login_id == login_id]
