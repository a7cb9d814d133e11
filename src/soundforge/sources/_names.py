"""What the name of a file tells about the song in it, when its tags tell nothing."""

import re
import unicodedata
from dataclasses import dataclass

from ._files import EXTENSIONS

_LETTERS = 200
_ADS = (
    "official( music| lyrics?| hd)? (video|audio|visuali[sz]er)|(official )?(music|lyrics?) video|lyrics?|"
    "official|audio|hd|hq|4k|free (download|dl)|visuali[sz]er"
)
_NOISE = re.compile(rf"\s*[(\[]\s*({_ADS})\s*[)\]]", re.IGNORECASE)
# as yt-dlp leaves it; two letters of either case tell it from a word
_VIDEO_ID = re.compile(r"\s*\[(?=(?:[^\]]*[A-Z]){2})(?=(?:[^\]]*[a-z]){2})(?=[^\]]*[\d_-])[\w-]{11}\]$")
# "01 - Song", "1-03. Song", "07 Song"; but neither "99 Problems", "1-800-273-8255" nor "7.5 Minutes"
_NUMBER = re.compile(r"^(?:(?:\d{1,2}-)?\d{1,3}\s*[-.)]\s*(?=[^\d\s])|0\d\s+(?=\S))")
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")


@dataclass(frozen=True)
class Guess:
    """Title and artist, as far as a name tells them; the artist may be empty, the title never is."""

    title: str
    artist: str = ""


def clean_name(name: str) -> Guess:
    """Guess title and artist from a file name: ``01. Ann - Sea (Official Video).mp3`` is “Sea” by “Ann”.

    The text is fit to show (one line, no control or direction characters, ≤ 200 letters each), and only to show: it
    is never used as a path.
    """
    text = one_line(re.split(r"[/\\]", name)[-1])
    text = _without_extension(text)
    if " " not in text:
        text = text.replace("_", " ")
    text = _VIDEO_ID.sub("", _NUMBER.sub("", text.strip()))
    text = _NOISE.sub("", text).strip()
    artist, title = _split(text)
    title = title[:_LETTERS].strip() if title.strip(" .-_") else "Untitled"
    return Guess(title, artist[:_LETTERS].strip())


def one_line(text: str) -> str:
    """Make text fit to show: one line, composed, without control and direction characters."""
    normal = unicodedata.normalize("NFC", text)
    if not normal.isprintable():  # a list has two million letters, and nearly all of its cells have none to look at
        spaced = (" " if letter.isspace() else letter for letter in normal)
        normal = "".join(letter for letter in spaced if _may_show(letter))
    return " ".join(normal.split())


def _may_show(letter: str) -> bool:
    # Joiners hold emoji and Indic words together; the other format characters reorder or hide text.
    return letter in "\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _without_extension(text: str) -> str:
    stem, dot, extension = text.rpartition(".")
    return stem if dot and f".{extension.lower()}" in EXTENSIONS else text


def _split(text: str) -> tuple[str, str]:
    parts = _DASH.split(text, maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else ("", text)  # noqa: PLR2004 - two halves
