"""A small Spotify without a network: what there is on it, always the same, with titles that break careless code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Literal

from soundforge.spotify import Cover, Skip, Track

type Row = Track | Skip

AWKWARD = (
    "Beyoncé & the naïve café",
    "שיר ערש לירח",
    "أغنية الليل الطويل",
    "🎧👩‍👩‍👧 mix 🎛️",
    "“Quotes” 'and' \"more\"",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "--output=/tmp/x",
    "100% _under_ \\back\\",
    "a" * 300,
    "Robert'); DROP TABLE tracks;--",
    "{{ 7 * 7 }} ${x} %s",
    "東京の夜",
    "NULL",
)
PICTURE = b"\xff\xd8\xff\xe0" + b"not much of a picture" * 10
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def identity(seed: str) -> str:
    """Make an id of 22 characters; the first stays small, or it would be more than 128 bits."""
    number = int.from_bytes(sha256(seed.encode()).digest(), "big")
    digits = []
    for _ in range(21):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "0" + "".join(digits)


def cover(seed: str) -> Cover:
    return Cover(sha256(seed.encode()).hexdigest()[:40])


@cache
def track(number: int) -> Track:
    """Make the track of a number; 0 to 13 have the awkward titles."""
    title = AWKWARD[number] if number < len(AWKWARD) else f"Song {number}"
    return Track(
        id=identity(f"track {number}"),
        title=title,
        artists=("Tyler, The Creator", "Ann") if number % 7 == 0 else (f"Artist {number % 20}",),
        duration_ms=120_000 + number * 1000,
        album=f"Album {number % 9}",
        album_id=identity(f"album of {number % 9}"),
        track_number=number % 12 + 1,
        disc_number=1,
        release_date=("1999", "2004-05", "2020-02-29")[number % 3],
        isrc=f"GBAYE{number:07}",
        explicit=number % 5 == 0,
        playable=number % 11 != 10,
        cover=cover(f"album {number % 9}"),
    )


@dataclass(frozen=True)
class FakeAlbum:
    id: str
    title: str
    artists: tuple[str, ...]
    rows: tuple[Track, ...]
    release_date: str = "2001-02-03"
    upc: str = "0012345678905"
    cover: Cover | None = None


@dataclass
class FakePlaylist:
    """A list of rows. ``access``: open, closed (403 for its entries) or hidden (404).

    ``gaps``: where pages begin that come without entries although more follow.
    """

    id: str
    title: str
    owner: str
    rows: list[Row]
    access: Literal["open", "closed", "hidden"] = "open"
    version: int = 1
    tells_total: bool = True
    changes: list[tuple[int, Callable[[list[Row]], None]]] = field(default_factory=list)
    pages_given: int = 0
    gaps: frozenset[int] = frozenset()

    @property
    def snapshot_id(self) -> str:
        return f"snapshot-{self.version}"

    def change_after(self, pages: int, change: Callable[[list[Row]], None]) -> None:
        """Let somebody edit the list once so many pages of it were given out."""
        self.changes.append((pages, change))

    def gave_a_page(self) -> None:
        self.pages_given += 1
        for pages, change in self.changes:
            if pages == self.pages_given:
                change(self.rows)
                self.version += 1


def rows_of_512() -> list[Row]:
    """512 entries: 496 with tracks, 12 of them twice; 5 removed, 7 local, 4 episodes."""
    rows: list[Row] = [track(number) for number in range(484)]
    rows += [track(number) for number in range(0, 48, 4)]
    for place, skip in enumerate([Skip.REMOVED] * 5 + [Skip.LOCAL] * 7 + [Skip.EPISODE] * 4):
        rows.insert(place * 31 + 3, skip)
    return rows


class World:
    """Everything there is, and in what mood Spotify is."""

    def __init__(self) -> None:
        self.client_id, self.client_secret = "an-app", "its-secret"
        self.busy_s: float | None = None
        self.tracks = {found.id: found for found in map(track, range(600))}
        self.albums = {found.id: found for found in (_album("Long", 123), _album("Short", 3), _album("Fifty", 50))}
        self.playlists: dict[str, FakePlaylist] = {}
        self.large = self.add_playlist("Large <b>&</b> odd", rows_of_512())
        self.empty = self.add_playlist("Empty", [])
        self.closed = self.add_playlist("Closed", rows_of_512())
        self.closed.access = "closed"
        self.hidden = self.add_playlist("Made by Spotify", [track(1)])
        self.hidden.access = "hidden"

    def add_playlist(self, title: str, rows: list[Row]) -> FakePlaylist:
        made = FakePlaylist(identity(f"playlist {title}"), title, "somebody", rows)
        self.playlists[made.id] = made
        return made

    def album(self, title: str) -> FakeAlbum:
        return next(album for album in self.albums.values() if album.title == title)


def _album(title: str, count: int) -> FakeAlbum:
    rows = tuple(track(number) for number in range(count))
    return FakeAlbum(identity(f"album {title}"), title, ("Ann", "Bob"), rows, cover=cover(title))
