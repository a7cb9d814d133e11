"""From Spotify's JSON to our values. Only what a value cannot do without is demanded; all else may be gone or odd.

Fields as in Spotify's reference of 2026; several that it calls removed still arrive for some apps, and are optional.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from soundforge.errors import Broken

from ._failures import unreadable
from ._model import Album, Cover, Entry, PlaylistHead, Skip, Track

type Json = Mapping[str, Any]

_LETTERS = 500
_ID = re.compile(r"[0-9A-Za-z]{22}", re.ASCII)
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)
_ISRC = re.compile(r"[A-Z]{2}[0-9A-Z]{3}\d{7}", re.ASCII)
_COVER = re.compile(
    r"https://(?:i\.scdn\.co|image-cdn-(?:ak|fa)\.spotifycdn\.com)/image/([0-9a-f]{40})"
    r"|https://mosaic\.scdn\.co/\d{2,3}/([0-9a-f]{160})",
    re.ASCII,
)
_LONGEST_MS = 24 * 3600 * 1000


def read_track(found: Json, *, album: Album | None = None) -> Track:
    """Read a track; ``album`` gives what an album's own tracks leave out."""
    identity = read_id(found)
    title = one_line(found.get("name"))
    artists = names(found.get("artists"))
    if not (title and artists):
        raise unreadable(f"track {identity} has no name or no artist")
    inside = _object(found.get("album"))
    return Track(
        id=identity,
        title=title,
        artists=artists,
        duration_ms=_count(found.get("duration_ms"), most=_LONGEST_MS) or 0,
        album=album.title if album else one_line(inside.get("name")),
        album_id=album.id if album else _id(inside.get("id")),
        track_number=_count(found.get("track_number")),
        disc_number=_count(found.get("disc_number")),
        release_date=album.release_date if album else _matching(_DATE, inside.get("release_date")),
        isrc=_matching(_ISRC, str(_object(found.get("external_ids")).get("isrc", "")).upper().replace("-", "")),
        explicit=found["explicit"] if isinstance(found.get("explicit"), bool) else None,
        playable=found.get("is_playable") is not False and not _object(found.get("restrictions")).get("reason"),
        cover=album.cover if album else widest(inside.get("images")),
    )


def read_album_head(found: Json) -> Album:
    """Read an album without its tracks."""
    return Album(
        id=read_id(found),
        title=one_line(found.get("name")) or "Untitled",
        artists=names(found.get("artists")),
        entries=(),
        release_date=_matching(_DATE, found.get("release_date")),
        upc=one_line(_object(found.get("external_ids")).get("upc")),
        cover=widest(found.get("images")),
    )


def read_playlist_head(found: Json) -> PlaylistHead:
    """Read a playlist without its entries; both names of the field that counts them are known."""
    totals = (_count(_object(found.get(name)).get("total")) for name in ("items", "tracks"))
    return PlaylistHead(
        id=read_id(found),
        title=one_line(found.get("name")) or "Untitled",
        owner=one_line(_object(found.get("owner")).get("display_name")),
        snapshot_id=one_line(found.get("snapshot_id")),
        total=next((total for total in totals if total is not None), None),
        cover=widest(found.get("images")),
    )


def read_album_entries(items: list[Any], offset: int, album: Album) -> tuple[Entry, ...]:
    """Read a page of an album's tracks."""
    return _loudly([_entry(position, item, album=album) for position, item in enumerate(items, offset)])


def read_playlist_entries(items: list[Any], offset: int) -> tuple[Entry, ...]:
    """Read a page of a playlist's entries: ``item`` is the new name of ``track``, and some answers have both."""
    return _loudly([_playlist_entry(position, found) for position, found in enumerate(items, offset)])


def _playlist_entry(position: int, found: object) -> Entry:
    around = _object(found)
    item = around.get("item") or around.get("track")
    if item is None:
        return Entry(position, skip=Skip.REMOVED)
    return _entry(position, item, local=around.get("is_local") is True)


def _entry(position: int, item: object, *, local: bool = False, album: Album | None = None) -> Entry:
    found = _object(item)
    title = one_line(found.get("name"))
    if local or found.get("is_local") is True or str(found.get("uri")).startswith("spotify:local:"):
        return Entry(position, skip=Skip.LOCAL, title=title)
    if found.get("type") == "episode":  # an album object may be there all the same
        return Entry(position, skip=Skip.EPISODE, title=title)
    try:
        return Entry(position, read_track(found, album=album))
    except Broken:  # one odd entry must not cost the other 499
        return Entry(position, skip=Skip.UNREADABLE, title=title)


def _loudly(entries: list[Entry]) -> tuple[Entry, ...]:
    """Refuse a page on which nothing could be read: then it is the reading that is wrong."""
    if entries and all(entry.skip is Skip.UNREADABLE for entry in entries):
        raise unreadable(f"none of {len(entries)} entries has an id, a name and an artist")
    return tuple(entries)


def read_items(found: Json, offset: int, limit: int) -> tuple[list[Any], int | None]:
    """Read a page's list, and at which offset the next page begins; None at the end.

    ``limit`` is how many were asked for. A page may hold fewer, or none, in the middle of a list; what counts is that a
    next page is named, whose address is not even looked at.
    """
    items = found.get("items")
    if not isinstance(items, list):
        raise unreadable("a page without items")
    step = max(_count(found.get("limit"), most=limit) or limit, len(items))
    return items, offset + step if found.get("next") else None


def read_id(found: Json) -> str:
    """Return the id, or raise ``spotify_unreadable``."""
    if identity := _id(found.get("id")):
        return identity
    raise unreadable("an object without an id")


def read_cover(address: object) -> Cover | None:
    """Read a picture's name from an address on a closed list of hosts; any other address is no cover."""
    found = _COVER.fullmatch(address) if isinstance(address, str) else None
    return Cover(found[1] or found[2]) if found else None


def is_cover(cover: Cover) -> bool:
    """Whether a cover, wherever it was kept, has a name as ``read_cover`` gives them out."""
    return read_cover(cover.url) == cover


def widest(images: object, *, width: str = "width") -> Cover | None:
    """Choose the widest picture that may be fetched; pictures may come without a width, or not at all."""
    known = [
        (_count(image.get(width)) or 0, -place, cover)
        for place, image in enumerate(map(_object, images if isinstance(images, list) else []))
        if (cover := read_cover(image.get("url")))
    ]
    return max(known, key=lambda found: found[:2])[2] if known else None


def names(people: object) -> tuple[str, ...]:
    """Read the names of artists; those without one are left out."""
    found = (one_line(_object(person).get("name")) for person in (people if isinstance(people, list) else []))
    return tuple(name for name in found if name)


def one_line(text: object) -> str:
    """Make any text fit to show and to store: one line, composed, no control or direction characters, ≤ 500 letters."""
    if not isinstance(text, str):
        return ""
    spaced = (" " if letter.isspace() else letter for letter in text[: _LETTERS * 4])
    shown = "".join(letter for letter in unicodedata.normalize("NFC", "".join(spaced)) if _may_show(letter))
    return " ".join(shown.split())[:_LETTERS].rstrip()


def _may_show(letter: str) -> bool:
    # Joiners hold emoji and Indic words together; the other format characters reorder or hide text.
    return letter in "\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _object(thing: object) -> Json:
    return thing if isinstance(thing, Mapping) else {}


def _id(thing: object) -> str:
    return _matching(_ID, thing)


def _matching(pattern: re.Pattern[str], thing: object) -> str:
    return thing if isinstance(thing, str) and pattern.fullmatch(thing) else ""


def _count(thing: object, *, most: int = 2**31 - 1) -> int | None:
    return thing if isinstance(thing, int) and not isinstance(thing, bool) and 0 <= thing <= most else None


def artists_of(line: str) -> tuple[str, ...]:
    """Split a page's line of artists; only a comma with a hard space divides: “Tyler, The Creator” is one name."""
    return tuple(name for part in line.split(",\u00a0") if (name := one_line(part)))


def first_text(found: Json, fields: Iterable[str]) -> str:
    """Return the first of some fields that holds text."""
    return next((text for name in fields if (text := one_line(found.get(name)))), "")


def milliseconds(thing: object) -> int:
    """Read a length; 0 where there is none."""
    return _count(thing, most=_LONGEST_MS) or 0
