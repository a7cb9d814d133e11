"""How well a found video agrees with the song that is wanted: 0 to 100, from title, artist and length.

After the rules of spotdl 4.6: a score of 80 is sure, 60 is likely; words like "live" or "cover" count against a
candidate when the song's own title has them not; a length that is off by more than 14 s rules it out.
"""

import math
import re
import unicodedata
from typing import Any

_OTHER_VERSIONS = frozenset(
    {"remix", "live", "cover", "acoustic", "karaoke", "instrumental", "slowed", "reverb", "8d", "nightcore", "reaction"}
    | {"tutorial", "mashup", "demo", "parody", "concert", "rehearsal", "extended", "loop", "hour", "hours", "sped"}
    | {"bassboosted", "acapella", "piano"}
)
_NOISE = re.compile(
    r"\b(official|music|lyrics?|video|audio|visuali[sz]er|hd|hq|4k|remaster(ed)?|topic|vevo|feat|ft|prod)\b"
)
_NAME, _ARTIST, _TIME = 60.0, 70.0, 25.0  # below one of these it is another song
_RULED_OUT = 40.0
_UNSURE = 79.0  # the most that a candidate gets whose length cannot be compared, or that says it is another version
_PER_WORD = 15.0


def score(song: dict[str, Any], title: str, channel: str, duration_s: float | None) -> float:
    """Score one candidate; the title of a video may hold the artist's name too."""
    name, artist = _name(song, title), _artist(song, title, channel)
    other = len(_versions(title) - _versions(str(song["title"])))
    name -= _PER_WORD * other
    time = _time(song.get("duration_s"), duration_s)
    both = (name + artist) / 2
    if name < _NAME or artist < _ARTIST or (time is not None and time < _TIME):
        return round(max(0.0, min(both, _RULED_OUT)), 1)
    value = both if time is None else 0.75 * both + 0.25 * time
    return round(min(value, _UNSURE) if time is None or other else value, 1)


def _name(song: dict[str, Any], title: str) -> float:
    from rapidfuzz import fuzz

    wanted, found = plain(str(song["title"])), plain(title)
    artists = [plain(one) for one in song.get("artists") or []]
    forms = [wanted, *(f"{one} {wanted}" for one in artists), f"{' '.join(artists)} {wanted}"]
    return max(float(fuzz.token_sort_ratio(form, found)) for form in forms)


def _artist(song: dict[str, Any], title: str, channel: str) -> float:
    from rapidfuzz import fuzz

    artists = [plain(one) for one in song.get("artists") or []]
    if not any(artists):
        return _ARTIST
    where = f" {plain(title)} "
    return max(100.0 if f" {one} " in where else float(fuzz.ratio(one, plain(channel))) for one in artists if one)


def _time(wanted_s: float | None, found_s: float | None) -> float | None:
    if not wanted_s or not found_s:
        return None
    return 100 * math.exp(-0.1 * abs(wanted_s - found_s))


def _versions(text: str) -> frozenset[str]:
    return _OTHER_VERSIONS.intersection(_words(text).split())


def plain(text: str) -> str:
    """Lower case, without accents, punctuation and what videos are decorated with."""
    words = _words(text)
    return " ".join(_NOISE.sub(" ", words).split()) or words


def _words(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(" " if not letter.isalnum() else letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.split())
