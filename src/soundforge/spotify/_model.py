"""What comes from Spotify, as values of our own. Nothing of its JSON goes further than this room.

All text is one line, composed (NFC), without control and direction characters, and of bounded length; it is fit to
show and to store, and never a path, an argument or an address.
"""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class Credentials:
    """The client id and secret of somebody's own Spotify app."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Cover:
    """A picture of Spotify's, by the 40 (one picture) or 160 (a mosaic of four) hex digits that name it."""

    id: str

    @property
    def url(self) -> str:
        """The address to fetch it from, made of the name alone."""
        if len(self.id) == 160:  # noqa: PLR2004 - four names in a row
            return f"https://mosaic.scdn.co/640/{self.id}"
        return f"https://i.scdn.co/image/{self.id}"


@dataclass(frozen=True)
class Picture:
    """The bytes of a cover as they came, and what they are: ``image/jpeg``, ``image/png`` or ``image/webp``."""

    data: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Track:
    """A track. ``isrc``, ``album_id`` and ``cover`` are empty where Spotify does not tell them."""

    id: str
    title: str
    artists: tuple[str, ...]
    duration_ms: int  # 0 where it is unknown
    album: str = ""
    album_id: str = ""
    track_number: int | None = None
    disc_number: int | None = None
    release_date: str = ""  # YYYY, YYYY-MM or YYYY-MM-DD
    isrc: str = ""
    explicit: bool | None = None
    playable: bool = True  # on Spotify, in the app's market; the song may be found elsewhere all the same
    cover: Cover | None = None


class Skip(StrEnum):
    """Why an entry of a list is no track of Spotify's."""

    REMOVED = "removed"
    LOCAL = "local"
    EPISODE = "episode"
    UNREADABLE = "unreadable"


SKIPS = {
    Skip.REMOVED: "Spotify no longer has this entry.",
    Skip.LOCAL: "This is a local file on the list owner's own device.",
    Skip.EPISODE: "This is an episode of a podcast.",
    Skip.UNREADABLE: "Spotify tells too little about this entry.",
}


@dataclass(frozen=True)
class Entry:
    """One place of a list, counted from 0: a track, or why there is none. The same track may stand in many places."""

    position: int
    track: Track | None = None
    skip: Skip | None = None
    title: str = ""  # of what was skipped, as far as it is told


@dataclass(frozen=True)
class Notice:
    """What a user must know about an answer that is not the whole truth."""

    code: str
    sentence: str


CUT = frozenset({"first_of_total", "first_only"})


class Via(StrEnum):
    """Which of Spotify's doors an answer came through."""

    API = "api"
    PAGE = "page"  # the page for embedding: 100 entries, no albums, no ISRC


@dataclass(frozen=True)
class Album:
    """An album with all its tracks, in order."""

    id: str
    title: str
    artists: tuple[str, ...]
    entries: tuple[Entry, ...]
    release_date: str = ""
    upc: str = ""
    cover: Cover | None = None
    via: Via = Via.API
    notice: Notice | None = None

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks without the places that hold none."""
        return tuple(entry.track for entry in self.entries if entry.track)


@dataclass(frozen=True)
class PlaylistHead:
    """A playlist without its entries. ``total`` is None where Spotify does not tell it."""

    id: str
    title: str
    owner: str = ""
    snapshot_id: str = ""  # another one after every change
    total: int | None = None
    cover: Cover | None = None


@dataclass(frozen=True)
class PlaylistPage:
    """Some entries of a playlist, from ``offset`` on.

    ``walk`` is 2 when the list changed while it was read and is read once more: what the pages of the second walk say
    takes the place of what the first said, from its ``offset`` on. ``is_last`` stands on the very last page alone;
    positions from ``offset + len(entries)`` on are then gone, unless ``is_cut``. To go on after an interruption, ask
    again with ``start=following`` and ``snapshot_id=head.snapshot_id``; None: nothing follows in this walk. Pages may
    hold fewer entries than there are places between two of them, and none.
    """

    head: PlaylistHead
    offset: int
    entries: tuple[Entry, ...]
    is_last: bool
    walk: int = 1
    following: int | None = None
    via: Via = Via.API
    notice: Notice | None = None

    @property
    def is_cut(self) -> bool:
        """Whether Spotify kept entries back: what lies beyond is then unknown, not gone."""
        return self.notice is not None and self.notice.code in CUT


@dataclass(frozen=True)
class Checked:
    """What a test of the credentials found. ``code`` is ``works`` or that of the error that a request would meet."""

    code: str
    sentence: str
    retry_after_s: float | None = None

    @property
    def works(self) -> bool:
        """Whether Spotify answers this app."""
        return self.code == "works"
