"""What a file says of itself: title, artist, album, year, ISRC and a cover."""

import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

from tinytag import TinyTag

_LETTERS = 500
_COVER_BYTES = 8 << 20
_COVERS = {b"\xff\xd8\xff": "cover.jpg", b"\x89PNG\r\n\x1a\n": "cover.png"}
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")  # ISO 3901


def read_tags(path: Path, folder: Path) -> tuple[dict[str, str], str | None]:
    """Return the tags as clean text, and the name of the cover written into ``folder``, if there is a usable one.

    Tags are a courtesy: a file whose tags cannot be read has none.
    """
    try:
        tag = TinyTag.get(str(path), image=True)
    except Exception as error:  # noqa: BLE001 - a stranger's bytes in a parser that promises no set of errors
        sys.stderr.write(f"tags unreadable: {type(error).__name__}: {error}\n")
        return {}, None
    other: dict[str, Any] = tag.other or {}
    isrc = _isrc(other.get("isrc"))
    tags = {"title": clean(tag.title), "artist": clean(tag.artist or tag.albumartist), "album": clean(tag.album)}
    return {**tags, "isrc": isrc, "year": _year(tag.year)}, _write_cover(tag, folder)


def clean(text: object) -> str:
    """Make one line of text fit to show: no control, format or lone surrogate characters, ≤ 500 letters."""
    if not isinstance(text, str):
        return ""
    kept = (" " if letter.isspace() else letter for letter in unicodedata.normalize("NFC", text))
    shown = "".join(letter for letter in kept if _may_show(letter))
    return " ".join(shown.split())[:_LETTERS]


def _may_show(letter: str) -> bool:
    # Joiners hold emoji and Indic words together; the other format characters reorder or hide text.
    return letter in "\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _isrc(values: object) -> str:
    for value in values if isinstance(values, list) else []:
        code = str(value).upper().replace("-", "").strip()
        if _ISRC.fullmatch(code):
            return code
    return ""


def _year(text: object) -> str:
    """The year of "1983", "1983-03-07" or "07/03/1983"; empty for any other text, and for no year of recorded sound."""
    found = re.search(r"(?<!\d)(1[89]\d\d|2[01]\d\d)(?!\d)", str(text or ""))
    return found[1] if found else ""


def _write_cover(tag: TinyTag, folder: Path) -> str | None:
    image = tag.images.any
    data = image.data if image else b""
    if not data or len(data) > _COVER_BYTES:
        return None
    name = next((name for magic, name in _COVERS.items() if data.startswith(magic)), None)
    if name:
        (folder / name).write_bytes(data)
    return name
