"""What handlers may reach beside the database: filled once in ``app``."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from fastapi import Request

from soundforge.config import Settings
from soundforge.events import Listener
from soundforge.storage import Storage, StorageCheck
from soundforge.web._feeds import OpenFeeds
from soundforge.web._known_files import KnownFiles
from soundforge.web._reads import Reads
from soundforge.web._security import PasswordAttempts
from soundforge.web._together import Together


@dataclass(frozen=True)
class Studio:
    """The running studio, as the web sees it."""

    settings: Settings
    storage: Storage
    listener: Listener
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: PasswordAttempts = field(default_factory=PasswordAttempts)
    reads: Reads = field(default_factory=Reads)
    together: Together = field(default_factory=Together)
    known_files: KnownFiles = field(default_factory=KnownFiles)
    feeds: OpenFeeds = field(default_factory=OpenFeeds)
    longest_feed_s: float = 600.0  # of a page; then its browser connects anew

    @cached_property
    def storage_check(self) -> StorageCheck:
        """Whether the storage keeps what it is given: one look for all who ask."""
        return StorageCheck(self.storage)


def studio_of(request: Request) -> Studio:
    """The studio that a request came to."""
    return cast("Studio", request.app.state.studio)
