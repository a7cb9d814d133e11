"""Whatever an import reads, as sheets of songs: a page of a playlist, of an album, of a list, or a single song."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soundforge import sources, spotify
from soundforge.errors import Invalid
from soundforge.library import NewPlaylist, NewSong
from soundforge.pipeline._spotify import note_playlists, open_api, read_album, read_track

ROWS = 50


@dataclass(frozen=True)
class Item:
    """One entry: a song with what its download must know, or why there is none."""

    position: int
    entry_id: str
    title: str
    song: NewSong | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    skip: str | None = None


@dataclass(frozen=True)
class Sheet:
    """Some entries, from ``offset`` on; ``playlist`` is the list that they stand in, None for single songs.

    A sheet with offset 0 begins a walk. ``is_last`` ends it: what the walk did not see is then gone, unless ``is_cut``.
    ``following`` is where the next one begins; 0: with a walk of its own.
    """

    items: tuple[Item, ...]
    playlist: NewPlaylist | None = None
    offset: int = 0
    following: int = 0
    is_last: bool = True
    is_cut: bool = False
    snapshot_id: str = ""
    notice: str | None = None


async def read_sheets(order: Mapping[str, str], *, start: int, snapshot_id: str) -> AsyncIterator[Sheet]:
    """Read what one line of a paste names, sheet by sheet; ``start`` goes on with a list that still is the same.

    Raises what ``SpotifyApi`` and ``sources.parse_link`` raise.
    """
    match order["kind"]:
        case "track":
            yield Sheet((of_track(0, await read_track(order["id"])),))
        case "album":
            for sheet in _album_sheets(await read_album(order["id"]), start):
                yield sheet
        case "playlist":
            async for sheet in _playlist_sheets(order["id"], start, snapshot_id):
                yield sheet
        case "link":
            yield Sheet((_of_link(sources.parse_link(order["url"])),))
        case "song":
            yield Sheet((of_wanted(0, sources.Wanted(order["title"], order["artist"])),))
        case other:
            raise Invalid("This version knows no such kind of line.", code="unknown_line", detail=other)


def list_sheets(text: str, name: str, start: int) -> Iterator[Sheet]:
    """Read a list that was exported as CSV; raises what ``sources.read_exported_list`` does."""
    songs = sources.read_exported_list(text).songs
    identity = hashlib.sha256(text.encode()).hexdigest()
    title = sources.clean_name(name[:-4] if name.lower().endswith(".csv") else name).title
    playlist = NewPlaylist("list", identity, title, total=len(songs))
    yield from _cut(playlist, [of_wanted(position, song) for position, song in enumerate(songs)], start)


def of_track(position: int, track: spotify.Track) -> Item:
    """One of Spotify's tracks."""
    artist = ", ".join(track.artists)
    song = NewSong(
        title=track.title,
        artist=artist,
        album=track.album,
        duration_ms=track.duration_ms or None,
        source="spotify",
        spotify_id=track.id,
        isrc=track.isrc,
    )
    wanted = {
        "title": track.title,
        "artists": list(track.artists),
        "album": track.album,
        "duration_ms": track.duration_ms or None,
        "isrc": track.isrc,
        "year": int(track.release_date[:4]) if track.release_date[:4].isdecimal() else None,
        "track_number": track.track_number,
        "cover": track.cover.id if track.cover else "",
        "spotify_id": track.id,
    }
    return Item(position, track.id, track.title, song, wanted)


def of_wanted(position: int, named: sources.Wanted) -> Item:
    """A song that somebody named, with Spotify's id where its list tells one that can be read."""
    spotify_id = _spotify_id(named.spotify_link)
    song = NewSong(
        title=named.title,
        artist=named.artist,
        album=named.album,
        duration_ms=named.duration_ms,
        source="spotify" if spotify_id else "text",
        spotify_id=spotify_id,
        isrc=named.isrc,
    )
    wanted = {
        "title": named.title,
        "artists": [named.artist],
        "album": named.album,
        "duration_ms": named.duration_ms,
        "isrc": named.isrc,
        "spotify_id": spotify_id,
    }
    return Item(position, spotify_id or f"text:{named.artist}\n{named.title}", named.title, song, wanted)


def _of_link(link: sources.Link) -> Item:
    title = link.url.removeprefix("https://").removeprefix("www.")
    song = NewSong(title=title, artist="", source=link.site.value, source_url=link.url)
    return Item(0, link.url, title, song, {"url": link.url, "title": "", "placeholder": title})


def _spotify_id(link: str) -> str:
    try:
        ref = spotify.parse_url(link)
    except Invalid:  # the song is wanted all the same
        return ""
    return ref.id if ref.kind is spotify.Kind.TRACK else ""


def _of_entry(entry: spotify.Entry) -> Item:
    if entry.track:
        return of_track(entry.position, entry.track)
    skip = entry.skip or spotify.Skip.UNREADABLE
    return Item(entry.position, f"{skip}:{entry.title}", entry.title, skip=skip.value)


def _album_sheets(album: spotify.Album, start: int) -> Iterator[Sheet]:
    playlist = NewPlaylist("album", album.id, album.title, ", ".join(album.artists), len(album.entries))
    notice = album.notice.sentence if album.notice else None
    yield from _cut(playlist, [_of_entry(entry) for entry in album.entries], start, notice)


def _cut(playlist: NewPlaylist, items: Sequence[Item], start: int, notice: str | None = None) -> Iterator[Sheet]:
    """Sheets of 50, from ``start`` on; one without entries where there are none."""
    for offset in range(start, max(len(items), start + 1), ROWS):
        part = tuple(items[offset : offset + ROWS])
        is_last = offset + ROWS >= len(items)
        yield Sheet(part, playlist, offset, offset + ROWS, is_last=is_last, is_cut=notice is not None, notice=notice)


async def _playlist_sheets(playlist_id: str, start: int, snapshot_id: str) -> AsyncIterator[Sheet]:
    api = await open_api()
    try:
        async for page in api.fetch_playlist(playlist_id, start=start, snapshot_id=snapshot_id):
            head = page.head
            yield Sheet(
                tuple(_of_entry(entry) for entry in page.entries),
                NewPlaylist("playlist", head.id, head.title, head.owner, head.total),
                page.offset,
                page.following or 0,
                is_last=page.is_last,
                is_cut=page.is_cut,
                snapshot_id=head.snapshot_id,
                notice=page.notice.sentence if page.notice else None,
            )
    finally:
        await note_playlists(api)
