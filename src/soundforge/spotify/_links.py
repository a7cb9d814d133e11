"""Spotify links: the one place that reads them, before any row, job or request.

Only a kind and an id leave this file. Every later address is built from these two, so no text that
somebody typed ever reaches a tool, a path or a request. One anchored pattern and no URL library: two
parsers that disagree are how such checks are got round.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from soundforge.errors import Invalid


class Kind(StrEnum):
    """What a link names."""

    TRACK = "track"
    ALBUM = "album"
    PLAYLIST = "playlist"


@dataclass(frozen=True)
class Ref:
    """Something on Spotify. ``id`` is 22 characters of 0-9, A-Z, a-z."""

    kind: Kind
    id: str

    @property
    def url(self) -> str:
        """The address that a browser opens, without whatever the pasted link dragged along."""
        return f"https://open.spotify.com/{self.kind}/{self.id}"


SENTENCES: Final[dict[str, str]] = {
    "empty": "Paste a Spotify link first.",
    "not_text": "A Spotify link must be text.",
    "too_long": "This is too long for a Spotify link.",
    "bad_characters": "A Spotify link holds no spaces and no special characters; paste one link at a time.",
    "uri_not_url": "This is a Spotify URI; paste the https link instead (Share, then Copy link).",
    "short_link": "This is a short link; open it in a browser and copy the long address.",
    "unsupported_type": "Only links to a track, an album or a playlist can be imported.",
    "invalid_id": "No track, album or playlist of Spotify has this id; copy the link again.",
    "invalid_url": "Invalid Spotify URL. Expected format: https://open.spotify.com/track/… (or album, playlist).",
}

_LONGEST = 2048
_LONGEST_HOST = 300  # letters, with a scheme and a port; looking through more takes its time
_HOST = r"(?:https?://)?(?i:open\.spotify\.com)(?::443|:80)?/(?:intl-[a-z]{2}(?:-[a-z]{2})?/)?"
_REST = r"/?(?:[?#].*)?"
_LINK = re.compile(rf"{_HOST}(?:embed/)?(track|album|playlist)/([0-9A-Za-z]{{22}}){_REST}")
_SHORT = re.compile(r"(?:https?://)?(?i:spotify\.link|spotify\.app\.link|open\.spotify\.com/s)/.*")
_OTHER = re.compile(rf"{_HOST}(?:embed/)?(?:artist|episode|show|user|collection|concert|genre|prerelease)(?:[/?#].*)?")
_SCHEME = re.compile(r"https?(?=://)", re.IGNORECASE)
_NAMES_IT = re.compile(
    r"\s*(?:[a-z][a-z0-9+.-]*:)?(?://)?[^\s/?#]*spotify[^\s/?#]*\.[a-z]{2,}(?:[:/?#]|\s*$)|\s*spotify:\S", re.IGNORECASE
)
_ID = re.compile(r"[0-9A-Za-z]{22}")
_DIGITS = {digit: value for value, digit in enumerate("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")}


def parse_url(text: object) -> Ref:
    """Read a link to a track, an album or a playlist on ``open.spotify.com``.

    Raises:
        Invalid: with one of the codes of ``SENTENCES``.

    """
    link = _SCHEME.sub(lambda scheme: scheme[0].lower(), _read(text), count=1)
    found = _LINK.fullmatch(link)
    if not found:
        raise _refusal(_why(link))
    if not _fits_128_bits(found[2]):
        raise _refusal("invalid_id")
    return Ref(Kind(found[1]), found[2])


def names_spotify(text: str) -> bool:
    """Whether a pasted line means Spotify, rightly or wrongly written, so that ``parse_url`` must read it.

    The host alone counts: a YouTube link with ``spotify`` in its query does not, nor does a song's title.
    """
    return bool(_NAMES_IT.match(text.lstrip()[:_LONGEST_HOST]))


def check_id(text: object) -> str:
    """Return an id that comes from elsewhere than ``parse_url``; raises Invalid ``invalid_id``."""
    if not isinstance(text, str) or not _ID.fullmatch(text) or not _fits_128_bits(text):
        raise _refusal("invalid_id")
    return text


def _read(text: object) -> str:
    if not isinstance(text, str):
        raise _refusal("not_text")
    if len(text) > _LONGEST:
        raise _refusal("too_long")
    link = text.strip()
    if not link:
        raise _refusal("empty")
    if not all("!" <= character <= "~" for character in link):
        raise _refusal("bad_characters")
    return link


def _why(link: str) -> str:
    if link.lower().startswith("spotify:"):
        return "uri_not_url"
    if _SHORT.fullmatch(link):
        return "short_link"
    if _OTHER.fullmatch(link):
        return "unsupported_type"
    return "invalid_url"


def _fits_128_bits(base62: str) -> bool:
    """Whether an id is one of the 128-bit numbers that Spotify gives out."""
    number = 0
    for character in base62:
        number = number * 62 + _DIGITS[character]
    return number < 1 << 128


def _refusal(code: str) -> Invalid:
    return Invalid(SENTENCES[code], code=code)
