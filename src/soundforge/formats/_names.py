"""Names for downloaded files that every system takes: ``Artist - Title (vocals).flac``.

A name is legal on Linux, macOS and Windows, at most 200 bytes long, shows what it is (no invisible
characters, none that turn the reading direction round) and is the same whoever asks for it.
"""

import unicodedata
from urllib.parse import quote

_LONGEST_BYTES = 200  # Linux takes 255 bytes; the folder that it is unpacked into wants some of Windows' 260 letters
_SHORTEST_TITLE_BYTES = 60
_FORBIDDEN = str.maketrans({"/": "-", "\\": "-", "|": "-", ":": "-", '"': "'", "<": "(", ">": ")", "?": "", "*": ""})
_JOINERS = "\u200c\u200d"  # Persian and joined emoji need them; other invisible characters only hide things
_DIGITS = "123456789¹²³"
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in _DIGITS}
)


def file_name(artist: str, title: str, part: str = "", extension: str = "", *, number: int = 1) -> str:
    """Make a file's name, e.g. ``file_name("Artist", "Title", "vocals", ".flac")``.

    ``part`` and ``extension`` are ours (a stem's name, ``.zip``); artist and title may be any text. From 2 on, the
    ``number`` tells songs of one name apart: ``Artist - Title 2 (vocals).flac``.
    What is too long is cut from the title, then from the artist, between two whole characters.
    """
    end = f" ({part}){extension}" if part else extension
    end = f" {number}{end}" if number > 1 else end
    room = _LONGEST_BYTES - len(end.encode())
    who, what = _clean(artist), _clean(title) or "Untitled"
    if who:
        who = _cut(who, room - min(len(what.encode()), _SHORTEST_TITLE_BYTES) - len(" - "))
        what = f"{who} - {what}"
    name = _tidy_ends(_cut(what, room)) or "Untitled"
    if name.split(".")[0].strip().lower() in _RESERVED:  # Windows reads NUL.anything as a device
        name = f"_{name}"
    return f"{name}{end}"


def attachment(name: str) -> str:
    """Make the value of a Content-Disposition header that saves under ``name`` (RFC 6266, RFC 8187)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join("_" if character in '"\\%' else character for character in plain if character.isprintable())
    return f"attachment; filename=\"{plain.strip()}\"; filename*=UTF-8''{quote(name, safe='')}"


def _clean(text: str) -> str:
    composed = unicodedata.normalize("NFC", text.encode(errors="ignore").decode())
    shown = "".join(_shown(character) for character in composed.translate(_FORBIDDEN))
    return _tidy_ends(" ".join(shown.split()))


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\r":
        return " "
    if category.startswith("C") and category != "Cn" and character not in _JOINERS:
        return ""
    return "" if _is_noncharacter(character) else character


def _is_noncharacter(character: str) -> bool:
    code = ord(character)
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE  # noqa: PLR2004 - Unicode's list


def _tidy_ends(text: str) -> str:
    """Take off what hides a file (a dot in front), reads as an option, or what Windows drops (dots, spaces)."""
    return text.lstrip(f" .-~{_JOINERS}").rstrip(f" .{_JOINERS}")


def _cut(text: str, room_bytes: int) -> str:
    """Cut ``text`` to at most ``room_bytes`` of UTF-8 without splitting what is read as one character."""
    if len(text.encode()) <= room_bytes:
        return text
    length = len(text.encode()[:room_bytes].decode(errors="ignore"))
    while length and _belongs_together(text, length):
        length -= 1
    return text[:length].rstrip()


def _belongs_together(text: str, place: int) -> bool:
    """Whether the characters on both sides of ``place`` are shown as one (much of UAX #29, no tables)."""
    before, after = text[place - 1], text[place]
    if after in _JOINERS or before in _JOINERS or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # skin tones
        return True
    return _is_flag_letter(after) and _flag_letters_before(text, place) % 2 == 1


def _flag_letters_before(text: str, place: int) -> int:
    count = 0
    while count < place and _is_flag_letter(text[place - 1 - count]):
        count += 1
    return count


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
