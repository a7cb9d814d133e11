"""The page that Spotify makes for embedding, read where its API does not answer: a fallback, off unless allowed.

It is no API and has changed its shape before, so a shape that is not the known one fails loudly. It holds the first 100
entries, without albums, ISRC and a word on what it leaves out. A page that was not found comes with status 200 and
without ``state``.
"""

import json
import re
from http import HTTPStatus
from typing import Any, Final

from soundforge.errors import Broken

from ._failures import album_not_found, page_changed, playlist_hidden, track_not_found
from ._links import Kind
from ._model import Album, Cover, Entry, Notice, PlaylistHead, PlaylistPage, Skip, Track, Via
from ._read import Json, artists_of, first_text, milliseconds, names, read_id, widest
from ._wire import Reply

MOST_ENTRIES: Final = 100
_MISSING: Final = {Kind.TRACK: track_not_found, Kind.ALBUM: album_not_found, Kind.PLAYLIST: playlist_hidden}
_DATA = re.compile(rb'<script id="__NEXT_DATA__"[^>]{0,200}>(.*?)</script>', re.DOTALL)
_URI = re.compile(r"spotify:(track|episode):([0-9A-Za-z]{22})", re.ASCII)


def read_track_page(reply: Reply, track_id: str) -> Track:
    """Read the page of a track."""
    entity = _entity(reply, Kind.TRACK)
    try:
        return _track(track_id, entity)
    except Broken as error:
        raise page_changed(error.detail) from error


def read_album_page(reply: Reply, album_id: str) -> Album:
    """Read the page of an album."""
    entity = _entity(reply, Kind.ALBUM)
    entries = _entries(entity)
    return Album(
        id=album_id,
        title=first_text(entity, ("title", "name")) or "Untitled",
        artists=artists_of(str(entity.get("subtitle") or "")),
        entries=entries,
        cover=_cover(entity),
        via=Via.PAGE,
        notice=_notice(len(entries), None),
    )


def read_playlist_page(reply: Reply, playlist_id: str, known: PlaylistHead | None) -> PlaylistPage:
    """Read the page of a playlist; ``known`` is what the API told before it refused the entries."""
    entity = _entity(reply, Kind.PLAYLIST)
    entries = _entries(entity)
    head = known or PlaylistHead(
        id=playlist_id,
        title=first_text(entity, ("title", "name")) or "Untitled",
        owner=first_text(entity, ("subtitle",)),
        cover=_cover(entity),
    )
    return PlaylistPage(head, 0, entries, is_last=True, via=Via.PAGE, notice=_notice(len(entries), head.total))


def _notice(got: int, total: int | None) -> Notice | None:
    """Say what is missing, as far as it is known."""
    rest = "for the rest, export the list as CSV with Exportify and import that"
    if total is not None and total > got:
        return Notice("first_of_total", f"Spotify gave only the first {got} of {total} entries; {rest}.")
    if total is None and got >= MOST_ENTRIES:
        return Notice(
            "first_only", f"Spotify gave the first {got} entries and does not say whether there are more; {rest}."
        )
    return None


def _entity(reply: Reply, kind: Kind) -> Json:
    """Find the one object on the page that tells about the track, album or playlist."""
    missing = _MISSING[kind]()
    if reply.status == HTTPStatus.NOT_FOUND:
        raise missing
    props = _step(_step(_data(reply), "props"), "pageProps")
    if "state" not in props and props.get("status") == HTTPStatus.NOT_FOUND:
        raise missing
    return _step(_step(_step(props, "state"), "data"), "entity")


def _data(reply: Reply) -> Json:
    found = _DATA.search(reply.body) if reply.status == HTTPStatus.OK else None
    if not found:
        raise page_changed(f"{reply.status}, without __NEXT_DATA__")
    try:
        data = json.loads(found[1])
    except (ValueError, RecursionError) as error:
        raise page_changed(repr(error)) from error
    return _step({"": data}, "")


def _step(found: Json, name: str) -> Json:
    inside = found.get(name)
    if not isinstance(inside, dict):
        raise page_changed(f"no object {name!r}")
    return inside


def _entries(entity: Json) -> tuple[Entry, ...]:
    rows = entity.get("trackList")
    if not isinstance(rows, list):
        raise page_changed("no trackList")
    entries = tuple(_entry(position, row) for position, row in enumerate(rows))
    if entries and all(entry.skip is Skip.UNREADABLE for entry in entries):
        raise page_changed(f"none of {len(entries)} entries can be read")
    return entries


def _entry(position: int, row: Any) -> Entry:
    found = row if isinstance(row, dict) else {}
    title, uri = first_text(found, ("title",)), str(found.get("uri"))
    if uri.startswith("spotify:local:"):
        return Entry(position, skip=Skip.LOCAL, title=title)
    named = _URI.fullmatch(uri)
    if found.get("entityType") == "episode" or (named and named[1] == "episode"):
        return Entry(position, skip=Skip.EPISODE, title=title)
    try:
        return Entry(position, _track(named[2] if named else "", found))
    except Broken:  # one odd entry must not cost the others
        return Entry(position, skip=Skip.UNREADABLE, title=title)


def _track(track_id: str, found: Json) -> Track:
    title = first_text(found, ("title", "name"))
    artists = names(found.get("artists")) or artists_of(str(found.get("subtitle") or ""))
    if not (title and artists):
        raise page_changed(f"track {track_id} has no title or no artist")
    return Track(
        id=read_id({"id": track_id}),
        title=title,
        artists=artists,
        duration_ms=milliseconds(found.get("duration")),
        explicit=found["isExplicit"] if isinstance(found.get("isExplicit"), bool) else None,
        playable=found.get("isPlayable") is not False,
        cover=_cover(found),
    )


def _cover(entity: Json) -> Cover | None:
    art, identity = entity.get("coverArt"), entity.get("visualIdentity")
    if isinstance(art, dict) and (cover := widest(art.get("sources"))):
        return cover
    return widest(identity.get("image"), width="maxWidth") if isinstance(identity, dict) else None
