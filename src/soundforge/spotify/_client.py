"""The real ``SpotifyApi``: Spotify's Web API with an app's own credentials, its pages where that is allowed."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from soundforge.errors import Conflict, Forbidden, NotFound, Rejected, SoundForgeError
from soundforge.http import Client, Service
from soundforge.http import client as make_client

from . import _failures as failures
from ._links import Kind, check_id
from ._model import Album, Checked, Cover, Credentials, Entry, Notice, Picture, PlaylistHead, PlaylistPage, Track
from ._pace import Clock, Pace, RealClock
from ._pages import read_album_page, read_playlist_page, read_track_page
from ._pictures import read_picture
from ._read import (
    is_cover,
    read_album_entries,
    read_album_head,
    read_items,
    read_playlist_entries,
    read_playlist_head,
    read_track,
)
from ._tokens import Grant, TokenCache
from ._wire import SPOTIFY, Places, Reply, Wire

PAGE: Final = 50  # the most that one request may ask for
MOST_ENTRIES: Final = 11_000  # Spotify's own longest lists; a server that never ends is not one of its
_LONGEST_TOKEN: Final = 4096
_KNOWN_TRACK: Final = "4cOdK2wGLETKBW3PvgPWqT"
_STAND_IN: Final = {  # what Spotify's pages may answer where the API does not
    *("spotify_not_set_up", "spotify_premium_needed", "spotify_forbidden"),
    *("spotify_playlist_closed", "spotify_playlist_hidden"),
}


class SpotifyClient:
    """Implements ``SpotifyApi``. ``open_spotify`` makes one for a process, so that token, pace and breaker are one."""

    def __init__(
        self, clients: Mapping[str, Client], *, places: Places, market: str, read_pages: bool, clock: Clock
    ) -> None:
        self._clients = clients
        self._places = places
        self._clock = clock
        self._pages = Wire(clients["pages"], Pace(clock))
        self._covers = Wire(clients["covers"], Pace(clock))
        self._credentials: Credentials | None = None
        self._caches: list[TokenCache] = []
        self._reads_playlists: bool | None = None
        self.use(None, market=market, read_pages=read_pages)

    @property
    def reads_playlists(self) -> bool | None:
        """Whether this app was given a playlist's entries when it last asked; None while it has not."""
        return self._reads_playlists

    def use(self, credentials: Credentials | None, *, market: str = "", read_pages: bool = False) -> None:
        """Go on with these settings; other credentials start with no token, no breaker and nothing remembered."""
        self._market = {"market": market} if market else {}
        self._read_pages = read_pages
        if self._caches and credentials == self._credentials:
            return
        self._credentials = credentials
        self._reads_playlists = None
        self._api = Wire(self._clients["api"], Pace(self._clock))
        self._caches.append(TokenCache(self._fetch_token, now=self._clock.now))

    async def fetch_track(self, track_id: str) -> Track:
        """Return one track with its album and ISRC."""
        check_id(track_id)
        try:
            return read_track(await self._get(f"/tracks/{track_id}", failures.track_not_found))
        except (Conflict, Forbidden) as refusal:
            return read_track_page(await self._page_instead(refusal, Kind.TRACK, track_id), track_id)

    async def fetch_album(self, album_id: str) -> Album:
        """Return an album with all its tracks."""
        check_id(album_id)
        try:
            found = await self._get(f"/albums/{album_id}", failures.album_not_found)
        except (Conflict, Forbidden) as refusal:
            return read_album_page(await self._page_instead(refusal, Kind.ALBUM, album_id), album_id)
        head = read_album_head(found)
        entries: list[Entry] = []
        items, following = read_items(found.get("tracks") or {}, 0, PAGE)
        entries += read_album_entries(items, 0, head)
        while following is not None:
            at = following
            found = await self._slice(f"/albums/{album_id}/tracks", at, failures.album_not_found)
            items, following = read_items(found, at, PAGE)
            entries += read_album_entries(items, at, head)
        return replace(head, entries=tuple(entries))

    async def fetch_playlist(
        self, playlist_id: str, *, start: int = 0, snapshot_id: str = ""
    ) -> AsyncIterator[PlaylistPage]:
        """Give a playlist's pages in order."""
        check_id(playlist_id)
        head: PlaylistHead | None = None
        try:
            head = await self._head(playlist_id)
            goes_on = bool(snapshot_id) and snapshot_id == head.snapshot_id
            first = await self._entries(head, start if goes_on else 0)
        except (Conflict, Forbidden, NotFound) as refusal:
            reply = await self._page_instead(refusal, Kind.PLAYLIST, playlist_id)
            yield read_playlist_page(reply, playlist_id, head)
            return
        async for page in self._walk(first):
            yield page

    async def fetch_cover(self, cover: Cover) -> Picture:
        """Return a picture by its name."""
        if not is_cover(cover):
            raise failures.unreadable("a cover that Spotify did not name")
        return read_picture(await self._covers.send("GET", self._places.cover(cover)))

    async def check(self) -> Checked:
        """Try the credentials with one small request."""
        try:
            await self._get(f"/tracks/{_KNOWN_TRACK}", failures.track_not_found)
        except NotFound:
            pass  # it answered, and that is what was asked
        except SoundForgeError as failure:
            return Checked(failure.code, failure.sentence, failure.retry_after_s)
        return Checked("works", "Spotify answers this app.")

    async def aclose(self) -> None:
        """End what still runs; ``open_spotify`` does it."""
        for cache in self._caches:
            await cache.aclose()

    async def _walk(self, page: PlaylistPage) -> AsyncIterator[PlaylistPage]:
        """Read to the end, look whether the list is still the same, and if not read it once more."""
        for walk in (1, 2):
            while page.following is not None:
                yield replace(page, walk=walk)
                page = await self._entries(page.head, page.following)
            after = await self._head(page.head.id)
            if after.snapshot_id == page.head.snapshot_id or walk == 2:  # noqa: PLR2004 - the second walk is the last
                yield replace(page, walk=walk, notice=_changed(page.head, after))
                return
            yield replace(page, walk=walk, is_last=False)
            page = await self._entries(after, 0)

    async def _head(self, playlist_id: str) -> PlaylistHead:
        found = await self._get(f"/playlists/{playlist_id}", failures.playlist_hidden, self._market)
        return read_playlist_head(found)

    async def _entries(self, head: PlaylistHead, offset: int) -> PlaylistPage:
        """Read the entries from ``offset`` on; ``is_last`` then means only that no more come after them."""
        try:
            found = await self._slice(
                f"/playlists/{head.id}/items", offset, failures.playlist_hidden, {"additional_types": "track,episode"}
            )
        except Forbidden as refusal:
            if refusal.code != "spotify_forbidden":
                raise
            self._reads_playlists = False
            raise failures.playlist_closed(refusal.detail) from refusal
        self._reads_playlists = True
        items, following = read_items(found, offset, PAGE)
        total = found.get("total")
        if head.total is None and isinstance(total, int):
            head = replace(head, total=total)
        entries = read_playlist_entries(items, offset)
        return PlaylistPage(head, offset, entries, is_last=following is None, following=following)

    async def _slice(
        self, path: str, offset: int, missing: Callable[[], NotFound], options: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Ask for 50 things from ``offset`` on. Pages are built here; an address in an answer is never followed."""
        if offset > MOST_ENTRIES:
            raise failures.unreadable(f"{path} does not end")
        return await self._get(path, missing, {"limit": PAGE, "offset": offset, **self._market, **(options or {})})

    async def _get(
        self, path: str, missing: Callable[[], NotFound], params: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Ask the API as our app, with one fresh token should the first be refused."""
        if self._credentials is None:
            raise failures.not_set_up()
        tokens, token = self._caches[-1], ""
        for _ in range(2):
            token = await tokens.get(reject=token)
            headers = {"Authorization": f"Bearer {token}"}
            params = params if params is not None else self._market
            reply = await self._api.send("GET", f"{self._places.api}{path}", params=params, headers=headers)
            if reply.status != HTTPStatus.UNAUTHORIZED:
                return _read_reply(reply, missing)
        raise failures.refused_credentials(reply.text)

    async def _fetch_token(self) -> Grant:
        owner = self._credentials
        if owner is None:
            raise failures.not_set_up()
        reply = await self._api.send(
            "POST",
            self._places.accounts,
            data={"grant_type": "client_credentials"},
            auth=(owner.client_id, owner.client_secret),
        )
        if reply.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise failures.refused_credentials(reply.text)
        return _read_grant(reply)

    async def _page_instead(self, refusal: Rejected, kind: Kind, identity: str) -> Reply:
        """Fetch Spotify's page, or raise the refusal where a page is not allowed or would not help."""
        if not self._read_pages or refusal.code not in _STAND_IN:
            raise refusal
        return await self._pages.send("GET", f"{self._places.pages}/{kind}/{identity}")


def _read_reply(reply: Reply, missing: Callable[[], NotFound]) -> Mapping[str, Any]:
    """Read an answer of the API, or raise what it means."""
    plain = not reply.body.lstrip().startswith(b"{")
    if (plain or reply.status == HTTPStatus.FORBIDDEN) and "premium" in reply.text.lower():
        raise failures.premium_needed(reply.text)  # comes as plain text, whatever the status
    if reply.status == HTTPStatus.OK:
        return reply.json()
    if reply.status == HTTPStatus.NOT_FOUND or (reply.status == HTTPStatus.BAD_REQUEST and "base62" in reply.text):
        raise missing()
    if reply.status == HTTPStatus.FORBIDDEN:
        raise failures.forbidden(reply.text)
    raise failures.unreadable(f"{reply.status}: {reply.text[:100]}")


def _read_grant(reply: Reply) -> Grant:
    found = reply.json() if reply.status == HTTPStatus.OK else {}
    token, good_for = found.get("access_token"), found.get("expires_in")
    plain = isinstance(token, str) and token.isascii() and token.isprintable() and 0 < len(token) <= _LONGEST_TOKEN
    if not plain or not isinstance(good_for, int | float) or good_for <= 0:
        raise failures.unreadable(f"{reply.status}: no token in the answer")
    return Grant(str(token), float(good_for))


def _changed(before: PlaylistHead, after: PlaylistHead) -> Notice | None:
    if before.snapshot_id == after.snapshot_id:
        return None
    return Notice("changed_meanwhile", "The playlist changed twice while it was read; import it again later.")


@asynccontextmanager
async def open_spotify(
    credentials: Credentials | None,
    *,
    market: str = "",
    read_pages: bool = False,
    places: Places = SPOTIFY,
    clock: Clock | None = None,
    connect: Callable[[Service], Client] = make_client,
) -> AsyncIterator[SpotifyClient]:
    """Open the client of a process; without credentials only pages answer, if they may.

    ``market`` is a country's two letters, or empty. ``places``, ``clock`` and ``connect`` take the network's and time's
    places in a test.
    """
    rows = {"api": places.service, "pages": places.page_service, "covers": places.cover_service}
    clients = {name: connect(row) for name, row in rows.items()}
    spotify = SpotifyClient(clients, places=places, market=market, read_pages=read_pages, clock=clock or RealClock())
    spotify.use(credentials, market=market, read_pages=read_pages)
    try:
        yield spotify
    finally:
        await spotify.aclose()
        for client in clients.values():
            await client.aclose()
