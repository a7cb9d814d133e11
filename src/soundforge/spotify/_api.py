"""What we ask of Spotify, whoever answers: the network, a server of a test, a fake in memory."""

from collections.abc import AsyncIterator
from typing import Protocol

from ._model import Album, Checked, Cover, Credentials, Picture, PlaylistPage, Track


class SpotifyApi(Protocol):
    """Read metadata. Ids are the 22 characters that ``parse_url`` gives out.

    Every call may raise, and nothing else:

    - NotFound ``spotify_track_not_found``, ``spotify_album_not_found``, ``spotify_playlist_hidden``,
      ``spotify_cover_not_found``;
    - Forbidden ``spotify_refused_credentials``, ``spotify_premium_needed``, ``spotify_forbidden``,
      ``spotify_playlist_closed``; Conflict ``spotify_not_set_up``;
    - Unavailable ``spotify_busy`` and ``spotify_quota_used`` (with ``retry_after_s``), ``spotify_away``,
      ``service_away``, ``service_slow``;
    - Broken ``spotify_unreadable``, ``spotify_page_changed``, and what ``http.client`` refuses
      (``answer_too_large``, ``answer_unreadable``, ``host_not_allowed``, ``address_not_allowed``).
    """

    @property
    def reads_playlists(self) -> bool | None:
        """Whether this app was given a playlist's entries when it last asked; None while it has not."""
        ...

    def use(self, credentials: Credentials | None, *, market: str = "", read_pages: bool = False) -> None:
        """Go on with these settings; credentials that are the same keep their token and their breaker."""
        ...

    async def fetch_track(self, track_id: str) -> Track:
        """Return one track with its album and ISRC, in one request."""
        ...

    async def fetch_album(self, album_id: str) -> Album:
        """Return an album with all its tracks: one request for each 50 of them."""
        ...

    def fetch_playlist(self, playlist_id: str, *, start: int = 0, snapshot_id: str = "") -> AsyncIterator[PlaylistPage]:
        """Give a playlist's pages in order; see ``PlaylistPage`` for changes meanwhile and for going on later.

        ``start`` counts only while the playlist still is ``snapshot_id``; otherwise it is read from 0.
        A list of n entries costs ⌈n / 50⌉ + 2 requests, when it changed meanwhile twice the pages and one more.
        """
        ...

    async def fetch_cover(self, cover: Cover) -> Picture:
        """Return a picture, at most 10 MB, by its name."""
        ...

    async def check(self) -> Checked:
        """Try the credentials with one small request; never raises one of our errors."""
        ...
