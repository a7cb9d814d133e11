"""Spotify in memory: implements ``SpotifyApi`` over a ``World``, for tests of what stands upon it."""

from collections.abc import AsyncIterator

from soundforge.errors import Conflict, Forbidden, Invalid, NotFound, SoundForgeError, Unavailable
from soundforge.spotify import (
    Album,
    Checked,
    Cover,
    Credentials,
    Entry,
    Notice,
    Picture,
    PlaylistHead,
    PlaylistPage,
    Skip,
    Track,
    Via,
)
from tests.support.fake_spotify_world import PICTURE, FakePlaylist, World, cover

PAGE = 50


class FakeSpotify:
    """Answers at once. ``failures`` are raised first, one a call; ``calls`` says what was asked for."""

    def __init__(self, world: World, credentials: Credentials | None, *, read_pages: bool = False) -> None:
        self.world = world
        self.credentials = credentials
        self.read_pages = read_pages
        self.failures: list[SoundForgeError] = []
        self.calls: list[str] = []
        self.reads: bool | None = None
        self.market = ""

    @property
    def reads_playlists(self) -> bool | None:
        return self.reads

    def use(self, credentials: Credentials | None, *, market: str = "", read_pages: bool = False) -> None:
        self.credentials, self.read_pages, self.market = credentials, read_pages, market

    async def fetch_track(self, track_id: str) -> Track:
        self._ask("track", track_id)
        if track_id not in self.world.tracks:
            raise NotFound("There is no such track.", code="spotify_track_not_found")
        return self.world.tracks[track_id]

    async def fetch_album(self, album_id: str) -> Album:
        self._ask("album", album_id)
        if album_id not in self.world.albums:
            raise NotFound("There is no such album.", code="spotify_album_not_found")
        found = self.world.albums[album_id]
        head = Album(found.id, found.title, found.artists, (), found.release_date, found.upc, found.cover)
        entries = tuple(Entry(place, as_in_album(row, head)) for place, row in enumerate(found.rows))
        return Album(found.id, found.title, found.artists, entries, found.release_date, found.upc, found.cover)

    async def fetch_playlist(
        self, playlist_id: str, *, start: int = 0, snapshot_id: str = ""
    ) -> AsyncIterator[PlaylistPage]:
        self._ask("playlist", playlist_id)
        found = self.world.playlists.get(playlist_id)
        if found is None or (found.access == "hidden" and not self.read_pages):
            raise NotFound("There is no such playlist for apps.", code="spotify_playlist_hidden")
        if found.access != "hidden":
            self.reads = found.access == "open"
        if found.access != "open":
            yield self._first_hundred(found)
            return
        at = start if snapshot_id == found.snapshot_id else 0
        async for page in self._walk(found, at):
            yield page

    async def fetch_cover(self, cover: Cover) -> Picture:
        if cover not in known_covers(self.world):
            raise NotFound("There is no such cover.", code="spotify_cover_not_found")
        return Picture(PICTURE, "image/jpeg")

    async def check(self) -> Checked:
        try:
            self._ask("check", "0" * 22)
        except SoundForgeError as failure:
            return Checked(failure.code, failure.sentence, failure.retry_after_s)
        return Checked("works", "Spotify answers this app.")

    async def _walk(self, found: FakePlaylist, at: int) -> AsyncIterator[PlaylistPage]:
        for walk in (1, 2):
            head = head_of(found)
            while at + PAGE < len(found.rows):
                yield page_of(found, head, at, walk=walk)
                at += PAGE
            last = page_of(found, head, at, walk=walk)
            same = head.snapshot_id == found.snapshot_id
            if same or walk == 2:
                notice = None if same else Notice("changed_meanwhile", "It changed twice.")
                yield PlaylistPage(last.head, at, last.entries, is_last=True, walk=walk, notice=notice)
                return
            yield last
            at = 0

    def _first_hundred(self, found: FakePlaylist) -> PlaylistPage:
        if not self.read_pages:
            raise Forbidden("This app may not read playlists.", code="spotify_playlist_closed")
        entries = tuple(as_on_page(entry) for entry in entries_of(found, 0, 100))
        total = len(found.rows)
        notice = Notice("first_of_total", f"Spotify gave only the first 100 of {total} entries.")
        if found.access == "hidden":  # the page alone tells of it, and not how long it is
            head = PlaylistHead(found.id, found.title, found.owner)
            return PlaylistPage(head, 0, entries, is_last=True, via=Via.PAGE)
        return PlaylistPage(head_of(found), 0, entries, is_last=True, via=Via.PAGE, notice=notice)

    def _ask(self, what: str, which: str) -> None:
        self.calls.append(f"{what} {which}")
        if len(which) != 22 or not which.isascii() or not which.isalnum():
            raise Invalid("This is no id.", code="invalid_id")
        if self.failures:
            raise self.failures.pop(0)
        if self.credentials is None:
            raise Conflict("Spotify is not set up.", code="spotify_not_set_up")
        if self.credentials != Credentials(self.world.client_id, self.world.client_secret):
            raise Forbidden("Wrong client id or secret.", code="spotify_refused_credentials")
        if self.world.busy_s is not None:
            raise Unavailable("Come back later.", code="spotify_busy", retry_after_s=self.world.busy_s)


def head_of(found: FakePlaylist) -> PlaylistHead:
    total = len(found.rows)
    return PlaylistHead(found.id, found.title, found.owner, found.snapshot_id, total, cover(found.title))


def entries_of(found: FakePlaylist, at: int, count: int) -> tuple[Entry, ...]:
    return tuple(
        Entry(place, skip=row, title=SKIPPED_TITLES[row]) if isinstance(row, Skip) else Entry(place, row)
        for place, row in enumerate(found.rows[at : at + count], at)
    )


SKIPPED_TITLES = {Skip.REMOVED: "", Skip.LOCAL: "A file of mine", Skip.EPISODE: "Episode 7", Skip.UNREADABLE: ""}


def page_of(found: FakePlaylist, head: PlaylistHead, at: int, *, walk: int) -> PlaylistPage:
    following = at + PAGE if at + PAGE < len(found.rows) else None
    entries = () if at in found.gaps else entries_of(found, at, PAGE)
    page = PlaylistPage(head, at, entries, is_last=False, walk=walk, following=following)
    found.gave_a_page()
    return page


def as_in_album(row: Track, album: Album) -> Track:
    """A track as an album tells it: without an ISRC of its own, the rest from the album."""
    return Track(
        row.id,
        row.title,
        row.artists,
        row.duration_ms,
        album.title,
        album.id,
        row.track_number,
        row.disc_number,
        album.release_date,
        explicit=row.explicit,
        playable=row.playable,
        cover=album.cover,
    )


def as_on_page(entry: Entry) -> Entry:
    """An entry as the page for embedding tells it: what was removed is a row without anything."""
    row = entry.track
    if row is None:
        return Entry(entry.position, skip=Skip.UNREADABLE) if entry.skip is Skip.REMOVED else entry
    told = Track(row.id, row.title, row.artists, row.duration_ms, explicit=row.explicit, playable=row.playable)
    return Entry(entry.position, told)


def known_covers(world: World) -> set[Cover]:
    found = {track.cover for track in world.tracks.values()} | {album.cover for album in world.albums.values()}
    return {picture for picture in found if picture}
