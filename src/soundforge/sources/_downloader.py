"""What a downloader is: a song in, the audio that a site holds of it out. A Protocol, and the values it exchanges.

A downloader works in a folder that its caller owns and removes; it knows no database, no storage and no job. It never
asks Spotify for anything: what is known of a song comes along in ``Song``. Durations are in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ._links import Link

type OnProgress = Callable[[float, str], None]  # percent 0..100, stage; cheap, called on the event loop

MOST_CANDIDATES: Final = 5
SURE_SCORE: Final = 80.0  # from here on a source is taken without asking
LIKELY_SCORE: Final = 60.0  # from here on it is taken, and marked to be looked at


@dataclass(frozen=True)
class Song:
    """The song to fetch, as far as it is known. Only a source that somebody chose may come without a title.

    ``cover`` is a JPEG or PNG file that goes into the audio file's tags.
    """

    title: str
    artists: tuple[str, ...] = ()
    album: str = ""
    duration_s: float | None = None
    isrc: str = ""
    year: int | None = None
    track_number: int | None = None
    cover: Path | None = None


@dataclass(frozen=True)
class Candidate:
    """One place that may hold the song. ``score`` 0..100 says how well title, artist and length agree with it."""

    link: Link
    title: str
    channel: str
    duration_s: float | None
    score: float

    @property
    def url(self) -> str:
        """The address, made anew of site and id."""
        return self.link.url


@dataclass(frozen=True)
class Downloaded:
    """A song on disk, in the encoding that the site sent, with its tags written.

    ``path`` lies in the folder of the call; ``source`` is where it came from, ``candidates`` what else there was, the
    best first, at most five. ``is_doubtful``: somebody should listen whether it is the right song. ``tool`` names
    program and version. ``audio_sha256`` is of the encoded sound alone, in hex: the same whatever was written into the
    tags.
    """

    path: Path
    audio_sha256: str
    duration_s: float
    source: Candidate
    candidates: tuple[Candidate, ...]
    is_doubtful: bool
    tool: str


class Downloader(Protocol):
    """Finds songs on the sites of ``Site`` and fetches them."""

    def is_ready(self) -> bool:
        """Whether what it needs is installed on this machine; may look at the disk."""
        ...

    async def find(self, song: Song, *, folder: Path, on_progress: OnProgress | None = None) -> tuple[Candidate, ...]:
        """Search; the best first, at most five. Raises what ``fetch`` raises, but nothing found is ``()``."""
        ...

    async def fetch(
        self,
        song: Song,
        *,
        folder: Path,
        max_duration_s: float,
        source: Link | None = None,
        on_progress: OnProgress | None = None,
    ) -> Downloaded:
        """Fetch the song from ``source``, or else from the best candidate that a search finds.

        A found song whose length is off by more than 3 % (at least 5 s) is refused; one that somebody chose is taken
        and marked. Nothing stays in ``folder`` but the file, and that only when all went well.

        Raises the errors of ``FAILURES`` and no others but what ``children`` raises for a program that fails. Where a
        person has to choose another source they are a ``SourceRefused``, which carries what there was to choose from.
        """
        ...
