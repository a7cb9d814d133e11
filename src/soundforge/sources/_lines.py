"""What somebody pastes: lines of links and song names, or a list exported as CSV. Text in, frozen fields out.

The fields of a song are text to search with and to show: one line each, of bounded length. They are never an argument,
a path or an address of a tool.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from soundforge.errors import Invalid

from ._links import Link, is_link, parse_link
from ._names import one_line

MOST_LINES: Final = 100
MOST_ROWS: Final = 2000
MOST_LETTERS: Final = 2_000_000
_HEAD_BYTES = 4096
_SPACE = 0x20
_TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which is full of zeros
_LETTERS = 300
_LINE = 2048
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+|\t+")
_BULLET = re.compile(r"\A(?:\d{1,3}[.)]|[-*•])\s+")
_TRACK_URI = re.compile(r"spotify:track:([0-9A-Za-z]{22})", re.ASCII)
_LONGEST_MS = 24 * 3600 * 1000

# Exportify's columns, in the names that its versions have given them.
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "title": ("Track Name",),
    "artist": ("Artist Name(s)", "Artist Name"),
    "album": ("Album Name",),
    "duration": ("Duration (ms)", "Track Duration (ms)"),
    "isrc": ("ISRC",),
    "link": ("Track URI", "Spotify URI", "Spotify ID"),
}


@dataclass(frozen=True)
class Wanted:
    """A song that somebody named. ``spotify_link`` is for ``spotify.parse_url`` to read; it may be empty, or wrong."""

    title: str
    artist: str
    album: str = ""
    duration_ms: int | None = None
    isrc: str = ""
    spotify_link: str = ""


@dataclass(frozen=True)
class Pasted:
    """One line of a paste that is not blank; ``number`` counts from 1, blank lines too."""

    number: int
    text: str


@dataclass(frozen=True)
class Unread:
    """A row of a list that names no song, and why."""

    number: int
    code: str
    sentence: str


@dataclass(frozen=True)
class Listed:
    """What a CSV holds: the songs in order, and the rows that are none."""

    songs: tuple[Wanted, ...]
    unread: tuple[Unread, ...]


def split_paste(text: object) -> tuple[Pasted, ...]:
    """Split a paste into its lines, blank ones left out.

    Raises Invalid: ``not_text``, ``empty``, ``too_many_lines`` beyond 100.
    """
    if not isinstance(text, str):
        raise Invalid("A paste must be text.", code="not_text")
    lines = text[:MOST_LETTERS].splitlines()
    pasted = tuple(Pasted(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip())
    if not pasted:
        raise Invalid("Paste a link or a line of text first.", code="empty")
    if len(pasted) > MOST_LINES or len(text) > MOST_LETTERS:
        raise Invalid("Paste at most 100 lines at a time; longer lists can be imported as CSV.", code="too_many_lines")
    return pasted


def read_line(text: str) -> Link | Wanted:
    """Read a line that does not name Spotify: a link to one song, or ``artist - title``.

    Raises Invalid: what ``parse_link`` raises for a link; ``no_title``, ``too_long``.
    """
    if is_link(text):
        return parse_link(text)
    if len(text) > _LINE:
        raise Invalid("This line is too long for a song's name.", code="too_long")
    line = _BULLET.sub("", text.strip(), count=1)
    artist, title = (*map(one_line, _DASH.split(line, maxsplit=1)), "")[:2]
    if not (_names(artist) and _names(title)):
        raise Invalid("Write one song a line as “artist - title”, or paste its link.", code="no_title")
    return Wanted(title=title[:_LETTERS].rstrip(), artist=artist[:_LETTERS].rstrip())


def is_exported_list(text: str) -> bool:
    """Whether a text is a CSV as Exportify writes it, by its first line."""
    first = text.lstrip("\ufeff\r\n")[:_LINE].splitlines()[:1]
    try:
        head = next(csv.reader(first), [])
    except csv.Error:
        return False
    return {"title", "artist"} <= _places(head).keys()


def is_list(path: Path, name: str) -> bool:
    """Whether a file is a list of songs: it is text, and called ``.csv`` or begins with Exportify's columns."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_TEXT_MARKS) and any(byte < _SPACE and byte not in b"\t\n\f\r" for byte in head):
        return False  # every kind of audio has such bytes in its first few
    return name.lower().endswith(".csv") or is_exported_list(head.decode("utf-8", "replace"))


def read_exported_list(text: str) -> Listed:
    """Read an Exportify CSV: title, artist, album, length, ISRC and Spotify's link, as far as its columns go.

    Raises Invalid: ``csv_unreadable``, ``csv_columns``, ``list_too_long`` beyond 2000 rows or 2 MB.
    """
    if len(text) > MOST_LETTERS:
        raise Invalid("The list is longer than 2000 songs.", code="list_too_long")
    rows = list(_rows(text))
    if not rows or not {"title", "artist"} <= (places := _places(rows[0][1])).keys():
        raise Invalid("The list needs the columns “Track Name” and “Artist Name(s)” of Exportify.", code="csv_columns")
    if len(rows) - 1 > MOST_ROWS:
        raise Invalid("The list is longer than 2000 songs.", code="list_too_long")
    read = [_song(number, row, places) for number, row in rows[1:]]
    songs = tuple(song for song in read if isinstance(song, Wanted))
    return Listed(songs, tuple(row for row in read if isinstance(row, Unread)))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that are not blank, with the number of the line that each ends on."""
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise Invalid("The list is no CSV that can be read.", code="csv_unreadable", detail=str(error)) from error


def _places(head: list[str]) -> dict[str, int]:
    named = {cell.strip().casefold(): place for place, cell in reversed([*enumerate(head)])}
    found = {
        field: next((named[name.casefold()] for name in names if name.casefold() in named), None)
        for field, names in _COLUMNS.items()
    }
    return {field: place for field, place in found.items() if place is not None}


def _song(number: int, row: list[str], places: Mapping[str, int]) -> Wanted | Unread:
    cells = {field: row[place].strip() if place < len(row) else "" for field, place in places.items()}
    title, artist = _text(cells["title"]), _text(_artists(cells["artist"]))
    if not (title and artist):
        return Unread(number, "no_title", "This row names no song.")
    length = cells.get("duration", "")
    isrc = cells.get("isrc", "").upper()
    return Wanted(
        title=title,
        artist=artist,
        album=_text(cells.get("album", "")),
        duration_ms=_milliseconds(length),
        isrc=isrc if re.fullmatch(r"[A-Z]{2}[0-9A-Z]{3}\d{7}", isrc, re.ASCII) else "",
        spotify_link=_link(cells.get("link", "")),
    )


def _milliseconds(text: str) -> int | None:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return None
    return length if 0 < (length := int(text)) <= _LONGEST_MS else None


def _link(cell: str) -> str:
    """Write a URI or a bare id as the link that it stands for; a local file has none."""
    if found := _TRACK_URI.fullmatch(cell) or re.fullmatch(r"([0-9A-Za-z]{22})", cell, re.ASCII):
        return f"https://open.spotify.com/track/{found[1]}"
    return ""


def _artists(cell: str) -> str:
    """Newer versions divide artists by semicolons; older ones by commas, with a backslash before a name's own."""
    return ", ".join(part.strip() for part in cell.replace("\\,", ",").split(";") if part.strip())


def _text(cell: str) -> str:
    return one_line(cell[: _LETTERS * 4])[:_LETTERS].rstrip()


def _names(text: str) -> bool:
    return bool(text.strip(" .-_"))
