"""Search: ILIKE over title, artist and album, accents folded, an index in front of it.

The embedded PostgreSQL has neither pg_trgm nor unaccent. So the text is folded here, once, when a
track is written, and its trigrams stand beside it in an array under a GIN index. A search first
asks the index for rows that have all trigrams of the words, then ILIKE decides. Words of one or two
letters have no trigram: ILIKE reads the owner's rows, a third of a second at 100,000 (docs/benchmarks.md).
"""

import math
import unicodedata
from typing import Any

from sqlalchemy import DOUBLE_PRECISION, ColumnElement, Uuid, and_, cast, func
from sqlalchemy.dialects.postgresql import ARRAY

from soundforge.library._types import Query
from soundforge.tables import Track

BRIDGED_OCTAVES = math.log2(1.06)  # 6 %: as far as a deck's pitch fader commonly goes without being heard

# Letters that Unicode does not decompose, as people type them.
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "þ": "th", "æ": "ae", "œ": "oe"})  # noqa: RUF001 - the letters themselves


def one_line(text: str) -> str:
    """Words as they are kept: one space between two words, nothing unseen.

    No control characters (PostgreSQL knows no NUL), and none that turn the direction of what follows them.
    """
    return " ".join("".join(char for char in text if char.isspace() or _may_stay(char)).split())


def _may_stay(char: str) -> bool:
    # Joiners hold emoji and Indic words together; the other format characters reorder or hide text.
    return char in "\u200c\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def fold(text: str) -> str:
    """Lower case without accents: ``"Beyoncé – ÉTÉ"`` gives ``"beyonce – ete"``."""
    plain = unicodedata.normalize("NFKD", text.casefold())  # a letter in Fraktur becomes a capital here
    decomposed = unicodedata.normalize("NFKD", plain.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_PLAIN)


def grams(text: str) -> list[str]:
    """Every distinct run of three characters of a folded text, sorted."""
    return sorted({text[i : i + 3] for i in range(len(text) - 2)})


def search_fields(title: str, artist: str, album: str) -> dict[str, object]:
    """The two columns that searching reads, for a track's words."""
    folded = "\n".join(fold(part) for part in (title, artist, album))
    return {"search_text": folded, "search_grams": grams(folded)}


def escape(text: str) -> str:
    r"""Make ``%``, ``_`` and ``\`` of user text mean themselves in a LIKE pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def wanted(query: Query) -> list[ColumnElement[bool]]:
    """What a track must be for a query to find it."""
    must: list[ColumnElement[bool]] = []
    if query.search.strip():
        must.append(matches(query.search))
    if query.among is not None:
        must.append(Track.id.in_(query.among))
    if query.keys:
        must.append(func.coalesce(Track.camelot, "").in_(query.keys))
    if query.bpm is not None:
        must.append(_octaves_from(query.bpm) <= BRIDGED_OCTAVES)
    if query.apart_from is not None:
        must.append(Track.id != query.apart_from)
    return must


def nearness(query: Query) -> ColumnElement[Any] | None:
    """By what the nearest come first: the order of ``among``, or the distance in tempo; None where neither is asked."""
    if query.among is not None:
        return func.array_position(cast(query.among, ARRAY(Uuid)), Track.id)
    return None if query.bpm is None else _octaves_from(query.bpm)


def _octaves_from(bpm: float) -> ColumnElement[float]:
    """How far a track's tempo is from another, counted at half or twice the speed where that is nearer."""
    octaves = cast(func.ln(Track.bpm / bpm) / math.log(2), DOUBLE_PRECISION)
    return func.least(func.abs(octaves), func.abs(octaves - 1), func.abs(octaves + 1))


def matches(search: str) -> ColumnElement[bool]:
    """Rows whose title, artist and album together hold every word of ``search``."""
    return and_(True, *(_holds(fold(word)) for word in one_line(search).split()))  # noqa: FBT003 - the neutral element


def _holds(word: str) -> ColumnElement[bool]:
    found = Track.search_text.ilike(f"%{escape(word)}%", escape="\\")
    return and_(Track.search_grams.contains(grams(word)), found) if len(word) > 2 else found  # noqa: PLR2004 - a trigram
