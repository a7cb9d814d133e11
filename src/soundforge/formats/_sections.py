"""What a person may do to the sections of a song: rename, move a boundary, part in two, join. Pure.

Sections lie one behind the other without gaps. They are named by where they begin, so that who edits a list that
changed meanwhile is told, and hits no other section.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from soundforge.errors import Conflict, Invalid

type Sections = Sequence[Mapping[str, Any]]

SECTION_NAMES: Final = ("intro", "verse", "chorus", "bridge", "break", "build", "drop", "solo", "outro")
LONGEST_NAME: Final = 40
MOST_SECTIONS: Final = 200
SHORTEST_S: Final = 0.5
_SAME_S: Final = 0.005


def renamed(sections: Sections, start_s: float, label: str) -> list[dict[str, Any]]:
    """The section that begins at ``start_s`` under another name; an empty one takes the name away."""
    index = _index(sections, start_s)
    return _changed(sections, index, label=read_label(label))


def moved(sections: Sections, start_s: float, to_s: float) -> list[dict[str, Any]]:
    """A boundary between two sections moved; raises ``Invalid`` where it would leave one of them without room."""
    index = _index(sections, start_s)
    if index == 0:
        raise Invalid("The first section begins with the song.", code="invalid_correction")
    before, after = sections[index - 1], sections[index]
    if not before["start_s"] + SHORTEST_S <= to_s <= after["end_s"] - SHORTEST_S:
        raise Invalid("This would leave a section without room.", code="invalid_correction")
    changed = _changed(sections, index - 1, end_s=to_s)
    return _changed(changed, index, start_s=to_s)


def parted(sections: Sections, at_s: float) -> list[dict[str, Any]]:
    """The section that sounds at a moment as two, both of its group; the second one has no name yet."""
    index = next((i for i, one in enumerate(sections) if one["start_s"] <= at_s < one["end_s"]), None)
    if index is None or len(sections) >= MOST_SECTIONS:
        raise Invalid("There is no section to part here.", code="invalid_correction")
    one = sections[index]
    if min(at_s - one["start_s"], one["end_s"] - at_s) < SHORTEST_S:
        raise Invalid("A section begins here already.", code="invalid_correction")
    halves = [{**one, "end_s": at_s}, {**one, "start_s": at_s, "label": None}]
    return [*map(dict, sections[:index]), *halves, *map(dict, sections[index + 1 :])]


def joined(sections: Sections, start_s: float) -> list[dict[str, Any]]:
    """The section that begins at ``start_s`` made part of the one before."""
    index = _index(sections, start_s)
    if index == 0:
        raise Invalid("There is no section before the first one.", code="invalid_correction")
    longer = {**sections[index - 1], "end_s": sections[index]["end_s"]}
    return [*map(dict, sections[: index - 1]), longer, *map(dict, sections[index + 1 :])]


def read_sections(raw: Any, duration_s: float) -> list[dict[str, Any]]:
    """A list of sections as somebody sent it: ``start_s``, ``end_s``, ``group``, ``label``; raises ``Invalid``."""
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_SECTIONS:
        raise Invalid(f"Sections are a list of 1 to {MOST_SECTIONS}.", code="invalid_correction")
    sections = [_read(one) for one in raw]
    ordered = all(one["end_s"] == after["start_s"] for one, after in pairwise(sections))
    roomy = all(one["end_s"] - one["start_s"] >= min(SHORTEST_S, duration_s) for one in sections)
    inside = sections[0]["start_s"] >= 0 and sections[-1]["end_s"] <= duration_s + 0.01
    if not (ordered and roomy and inside):
        raise Invalid(
            "Sections follow one another without gaps, inside the song, each half a second or longer.",
            code="invalid_correction",
        )
    return sections


def read_label(text: str) -> str | None:
    """A section's name on one line; None for an empty one; raises ``Invalid`` where it is too long."""
    label = " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())
    if len(label) > LONGEST_NAME:
        raise Invalid(f"A section's name has at most {LONGEST_NAME} characters.", code="invalid_correction")
    return label or None


def _read(raw: Any) -> dict[str, Any]:
    try:
        span = {name: round(float(raw[name]), 4) for name in ("start_s", "end_s")}
        group, label = str(raw.get("group") or "A")[:2], read_label(str(raw.get("label") or ""))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Invalid("A section has start_s and end_s in seconds.", code="invalid_correction") from error
    return {**span, "group": group if group.isalnum() else "A", "label": label}


def _index(sections: Sections, start_s: float) -> int:
    found = next((i for i, one in enumerate(sections) if abs(one["start_s"] - start_s) <= _SAME_S), None)
    if found is None:
        raise Conflict("The sections were changed meanwhile: look at them again.", code="sections_changed")
    return found


def _changed(sections: Sections, index: int, **fields: Any) -> list[dict[str, Any]]:
    return [{**one, **fields} if i == index else dict(one) for i, one in enumerate(sections)]
