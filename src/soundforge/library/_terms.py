"""What somebody typed to search, read into terms: words, and fields such as ``bpm:120-128`` (docs/search.md).

Pure. A word finds what holds it in title, artist or album; in quotes it may have spaces. A field is turned round by a
minus before it. What looks like a field and is none ("re:zero") is a word.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from soundforge.errors import Invalid

type Bound = float | datetime | None

_TOKEN: Final = re.compile(r'-?(?:[A-Za-z]+:)?=?"(?:[^"]|"")*"|\S+')
_NAMED: Final = re.compile(r"(-?)([A-Za-z]+):(.*)")
_RANGE: Final = re.compile(r"(.*?)(?:\.\.|(?<=[0-9])[-–](?=[0-9]|$))(.*)")
_SIGNED_RANGE: Final = re.compile(r"(.*?)\.\.(.*)")
_NUMBER: Final = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,3})?")
_CLOCK: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]\d)|(\d{1,6})s?")
_DAY: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_CAMELOT: Final = re.compile(r"(1[0-2]|[1-9])([ABab]?)")
_KEY: Final = re.compile(r"([A-Ga-g])([#b♯♭]?)\s*(m|min|minor|maj|major)?", re.IGNORECASE)
_SEMITONES: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

HAVE: Final = ("stems", "analysis", "chords", "sections", "beats", "audio", "cover")
STEMS: Final = ("vocals", "drums", "bass", "other", "guitar", "piano")
ARE: Final = ("failed", "running", "waiting", "doubtful", "corrected")


@dataclass(frozen=True)
class Term:
    """One condition. ``words`` are alternatives; a range goes from ``low`` to ``high``, both included, None: open."""

    field: str  # "" for a word that may stand in title, artist or album
    words: tuple[str, ...] = ()
    low: Bound = None
    high: Bound = None
    is_not: bool = False
    is_whole: bool = False  # the words are all there is, not a part of it


@dataclass(frozen=True)
class Field:
    """What can be asked for by name; ``read`` raises ``ValueError``."""

    name: str
    example: str
    means: str
    read: Callable[[str], Term]


def read_terms(search: str) -> tuple[Term, ...]:
    """Read what was typed; raises ``Invalid`` ("bad_search") with one sentence."""
    return tuple(_term(token) for token in _TOKEN.findall(search))


def check_search(search: str) -> None:
    """Refuse a search that cannot be read; raises ``Invalid`` ("bad_search")."""
    read_terms(search)


def is_about(search: str, *fields: str) -> bool:
    """Whether a search asks for any of these fields; False for one that cannot be read."""
    try:
        return any(term.field in fields for term in read_terms(search))
    except Invalid:
        return False


def _term(token: str) -> Term:
    named = _NAMED.fullmatch(token)
    field = FIELDS.get(named[2].lower()) if named else None
    if named is None or field is None:
        return Term("", (_plain(token),))
    is_whole = named[3].startswith("=")
    try:
        term = field.read(_plain(named[3].removeprefix("=")))
    except ValueError as error:
        example = f"{field.name}:{field.example}"
        raise Invalid(f"“{token}” cannot be searched for; write it like {example}.", code="bad_search") from error
    return replace(term, is_not=bool(named[1]), is_whole=is_whole)


def _plain(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1].replace('""', '"').strip() if quoted else value


def _words(name: str) -> Callable[[str], Term]:
    def read(value: str) -> Term:
        if not value:
            raise ValueError(name)
        return Term(name, (value,))

    return read


def _one_of(name: str, known: tuple[str, ...]) -> Callable[[str], Term]:
    def read(value: str) -> Term:
        words = tuple(word.strip().lower() for word in value.split(","))
        if not all(word in known for word in words):
            raise ValueError(value)
        return Term(name, words)

    return read


def _span(
    name: str, read: Callable[[str], tuple[Bound, Bound]], pattern: re.Pattern[str] = _RANGE
) -> Callable[[str], Term]:
    """A value, or from one to another; ``read`` gives the first and the last that a text stands for."""

    def read_span(value: str) -> Term:
        value = value.strip()
        compared = re.fullmatch(r"(>=?|<=?)(.+)", value)
        if compared:
            first, last = read(compared[2].strip())
            sides = {">": (_above(last), None), ">=": (first, None), "<": (None, _below(first)), "<=": (None, last)}
            return Term(name, (), *sides[compared[1]])
        ends = pattern.fullmatch(value)
        if not ends:
            return Term(name, (), *read(value))
        low = read(ends[1].strip())[0] if ends[1].strip() else None
        high = read(ends[2].strip())[1] if ends[2].strip() else None
        if low is None and high is None:
            raise ValueError(value)
        return Term(name, (), low, high)

    return read_span


def _above(bound: Bound) -> Bound:
    return math.nextafter(bound, math.inf) if isinstance(bound, float | int) else bound


def _below(bound: Bound) -> Bound:
    if isinstance(bound, datetime):
        return bound - timedelta(microseconds=1)
    return math.nextafter(bound, -math.inf) if bound is not None else None


def _exactly(text: str) -> tuple[float, float]:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text), float(text)


def _number(name: str, pattern: re.Pattern[str] = _RANGE) -> Callable[[str], Term]:
    """A number as lists show it: 128 finds what rounds to it, 128.4 the same with a decimal."""
    spans = _span(name, _exactly, pattern)

    def read(value: str) -> Term:
        term = spans(value)
        if not _NUMBER.fullmatch(value.strip()):
            return term
        half = 0.5 * 10 ** -len(value.strip().partition(".")[2])
        number = float(value)
        return replace(term, low=number - half, high=math.nextafter(number + half, -math.inf))

    return read


def _clock(text: str) -> tuple[float, float]:
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ValueError(text)
    hours, minutes, seconds, alone = found.groups()
    whole = int(alone) if alone else 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return 1000.0 * whole, 1000.0 * whole + 999


def _year(text: str) -> tuple[float, float]:
    if not re.fullmatch(r"\d{4}", text):
        raise ValueError(text)
    return float(text), float(text)


def _day(text: str) -> tuple[datetime, datetime]:
    """A day, a month or a year of UTC; or "7d": the last seven days."""
    if back := re.fullmatch(r"(\d{1,4})d", text):
        now = datetime.now(UTC)
        return now - timedelta(days=int(back[1])), now + timedelta(days=1)
    found = _DAY.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day = int(found[1]), found[2], found[3]
    first = datetime(year, int(month or 1), int(day or 1), tzinfo=UTC)
    after = first + timedelta(days=1 if day else 31 if month else 366)
    after = after if day else after.replace(day=1, month=after.month if month else 1)
    return first, after - timedelta(microseconds=1)


def _keys(value: str) -> Term:
    """Places of the Camelot wheel, also by the names of keys; a number alone is both of its modes."""
    return Term("key", tuple(dict.fromkeys(place for part in value.split(",") for place in _places(part.strip()))))


def _places(text: str) -> tuple[str, ...]:
    if found := _CAMELOT.fullmatch(text):
        return (text.upper(),) if found[2] else (f"{text}A", f"{text}B")
    name = _KEY.fullmatch(text)
    if not name:
        raise ValueError(text)
    semitone = _SEMITONES[name[1].upper()] + {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(name[2], 0)
    is_minor = name[3] == "m" or (name[3] or "").lower().startswith("min")
    return (f"{(semitone * 7 + (4 if is_minor else 7)) % 12 + 1}{'A' if is_minor else 'B'}",)


FIELDS: Final[Mapping[str, Field]] = {
    field.name: field
    for field in (
        Field("title", '"blue monday"', "in the title alone", _words("title")),
        Field("artist", '"new order"', "in the artist alone; artist:=abba is nothing but Abba", _words("artist")),
        Field("album", "movement", "in the album alone", _words("album")),
        Field("bpm", "120-128", "tempo: a value, a range, >120, <=128", _number("bpm")),
        Field("key", "8A,9A", "places on the Camelot wheel, or keys: key:Am, key:8", _keys),
        Field("length", "3:00-4:30", "how long it is", _span("length", _clock)),
        Field("loudness", "-12..-8", "in LUFS; a range has two dots", _number("loudness", _SIGNED_RANGE)),
        Field("year", "1990-1999", "when it came out", _span("year", _year)),
        Field("added", "2026-11", "when it came here: a day, a month, a year, 7d", _span("added", _day, _SIGNED_RANGE)),
        Field("has", "stems", f"{', '.join(HAVE)}, or a stem: has:vocals", _one_of("has", HAVE + STEMS)),
        Field("is", "failed", ", ".join(ARE), _one_of("is", ARE)),
        Field("source", "upload", "where it is from: upload, spotify, youtube, …", _words("source")),
        Field("format", "flac", "what the file is", _words("format")),
    )
}
