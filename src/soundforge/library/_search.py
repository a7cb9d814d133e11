"""Search: ILIKE over title, artist and album, accents folded, an index in front of it; and fields beside words.

The embedded PostgreSQL has neither pg_trgm nor unaccent. So the text is folded here, once, when a
track is written, and every run of one, two and three of its letters stands beside it in an array
under a GIN index. A search first asks the index for rows that have all runs of the words, then
ILIKE decides. Figures are compared by the expressions that lists sort by, which have an index each.
"""

import math
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import (
    DOUBLE_PRECISION,
    ColumnElement,
    SQLColumnExpression,
    Uuid,
    and_,
    cast,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from soundforge.library._terms import HAVE, Bound, Term, read_terms
from soundforge.library._types import Query
from soundforge.tables import ACTIVE, RUNNING, TRACK_SORTS, WHEEL, AnalysisPart, Correction, Job, Status, Stem, Track

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
    """Every distinct run of one, two and three characters of a folded text, sorted."""
    return sorted({text[i : i + size] for size in (1, 2, 3) for i in range(len(text) - size + 1)})


def search_fields(title: str, artist: str, album: str) -> dict[str, object]:
    """The two columns that searching reads, for a track's words."""
    folded = "\n".join(fold(part) for part in (title, artist, album))
    return {"search_text": folded, "search_grams": grams(folded)}


def escape(text: str) -> str:
    r"""Make ``%``, ``_`` and ``\`` of user text mean themselves in a LIKE pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def wanted(query: Query) -> list[ColumnElement[bool]]:
    """What a track must be for a query to find it."""
    must = [_is(term) for term in read_terms(one_line(query.search))]
    if query.among is not None:
        must.append(Track.id.in_(query.among))
    if query.keys:
        must.append(_SORTED["key"].in_([_place(key) for key in query.keys]))
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
    """Rows that hold every word of ``search`` and are what its fields say; raises ``Invalid`` ("bad_search")."""
    return and_(True, *(_is(term) for term in read_terms(one_line(search))))  # noqa: FBT003 - the neutral element


_SORTED: dict[str, ColumnElement[Any]] = {name: literal_column(by) for name, by in TRACK_SORTS.items()}
_LEAST = {"loudness": -999.0}  # below it stands what is not known; elsewhere at nothing
_LINES = ("title", "artist", "album")
_LISTED = {  # stage and place of a list in its document
    "chords": ("harmony", ("chords",)),
    "sections": ("structure", ("sections",)),
    "beats": ("rhythm", ("beats", "times_s")),
}


def _is(term: Term) -> ColumnElement[bool]:
    """What one term asks of a track."""
    found = _found(term)
    return not_(found) if term.is_not else found


def _found(term: Term) -> ColumnElement[bool]:
    if term.field in _LINES:
        return _line_holds(_SORTED[term.field], term)
    return _FOUND.get(term.field, _figure)(term)


def _figure(term: Term) -> ColumnElement[bool]:
    name = {"length": "duration"}.get(term.field, term.field)
    is_whole = name in ("duration", "year")
    least: Bound = term.low if term.low is not None else _LEAST.get(name, 0.001)
    if is_whole:
        return _between(_SORTED[name], _whole(least, math.ceil), _whole(term.high, math.floor))
    return _between(_SORTED[name], least, term.high)


def _whole(bound: Bound, to: Callable[[float], int]) -> Bound:
    """A bound of whole numbers, so that their index is used."""
    return to(bound) if isinstance(bound, float) else bound


def _between(what: SQLColumnExpression[Any], low: Bound, high: Bound) -> ColumnElement[bool]:
    return and_(*([what >= low] if low is not None else []), *([what <= high] if high is not None else []))


def _place(camelot: str) -> int:
    """Where a key stands in the order of the wheel: see TRACK_SORTS."""
    return WHEEL.index(camelot) + 1


def _has(what: str) -> ColumnElement[bool]:
    if what == "audio":
        return Track.mix_file_id.is_not(None)
    if what == "cover":
        return Track.cover_file_id.is_not(None)
    if what == "stems" or what not in HAVE:
        whole = select(Stem.id).where(Stem.track_id == Track.id)
        return exists(whole if what == "stems" else whole.where(Stem.name == what))
    part = select(AnalysisPart.id).where(AnalysisPart.track_id == Track.id)
    if what == "analysis":
        return exists(part)
    stage, path = _LISTED[what]
    first = AnalysisPart.document[(*path, "0")]
    return exists(part.where(AnalysisPart.stage == stage, first.is_not(None)))


def _stands(how: str) -> ColumnElement[bool]:
    if how == "doubtful":
        return Track.is_doubtful.is_(True)
    if how == "corrected":
        return exists(select(Correction.id).where(Correction.track_id == Track.id))
    theirs = select(Job.id).where(Job.track_id == Track.id)
    if how == "failed":
        return exists(theirs.where(Job.status == Status.FAILED, _is_newest()))
    states = {"running": RUNNING, "waiting": ACTIVE - RUNNING}[how]
    return exists(theirs.where(Job.status.in_([state.value for state in states])))


def _is_newest() -> ColumnElement[bool]:
    """No newer job of this kind: rows tell of the newest alone."""
    newer = aliased(Job)
    return ~exists(
        select(newer.id).where(
            newer.track_id == Job.track_id, newer.kind == Job.kind, newer.created_at > Job.created_at
        )
    )


def _line_holds(text: SQLColumnExpression[str], term: Term) -> ColumnElement[bool]:
    """Whether a folded text holds the term's word; where it must not, no index helps, and its runs are not read."""
    word = fold(term.words[0])
    if term.is_whole:
        return text == word
    holds = text.ilike(f"%{escape(word)}%", escape="\\")
    return holds if term.is_not else and_(_has_runs(word), holds)


def _has_runs(word: str) -> ColumnElement[bool]:
    """What the index knows: every run of three letters, or the word itself where it is shorter."""
    longest = min(3, len(word))
    return Track.search_grams.contains([run for run in grams(word) if len(run) == longest])


_FOUND: dict[str, Callable[[Term], ColumnElement[bool]]] = {
    "": partial(_line_holds, Track.search_text),
    "key": lambda term: _SORTED["key"].in_([_place(word) for word in term.words]),
    "has": lambda term: or_(*(_has(word) for word in term.words)),
    "is": lambda term: or_(*(_stands(word) for word in term.words)),
    "source": lambda term: func.lower(Track.source) == term.words[0].lower(),
    "format": lambda term: func.lower(func.coalesce(Track.format, "")) == term.words[0].lower(),
    "added": lambda term: _between(Track.created_at, term.low, term.high),
}  # every other field is a figure
