"""Links to single songs on YouTube, SoundCloud and Bandcamp: the one place that reads them.

A closed list of hosts, anchored patterns, no URL library: two parsers that disagree are how such checks are got round.
Only a site, a kind and an id leave this file, each of a strict alphabet; the address that a tool is given is made of
them, so nothing that somebody typed ever reaches it. Spotify's links are none of these: ``soundforge.spotify`` reads
them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from soundforge.errors import Invalid


class Site(StrEnum):
    """Where a song may be fetched from by its link."""

    YOUTUBE = "youtube"
    SOUNDCLOUD = "soundcloud"
    BANDCAMP = "bandcamp"


class LinkKind(StrEnum):
    """What a link names on its site."""

    VIDEO = "video"  # YouTube; id: 11 characters
    TRACK = "track"  # SoundCloud; id: user/track, with a third part where the track is private. Bandcamp: artist/track


@dataclass(frozen=True)
class Link:
    """One song on one site. ``id`` holds letters, digits, ``-``, ``_`` and at most two ``/``."""

    site: Site
    kind: LinkKind
    id: str

    @property
    def url(self) -> str:
        """The address, made anew of site and id."""
        if self.site is Site.YOUTUBE:
            return f"https://www.youtube.com/watch?v={self.id}"
        if self.site is Site.SOUNDCLOUD:
            return f"https://soundcloud.com/{self.id}"
        artist, _, track = self.id.partition("/")
        return f"https://{artist}.bandcamp.com/track/{track}"


SENTENCES: Final[dict[str, str]] = {
    "empty": "Paste a link or a line of text first.",
    "not_text": "A link must be text.",
    "too_long": "This is too long for a link.",
    "bad_characters": "A link holds no spaces and no special characters; paste one link a line.",
    "short_link": "This is a short link; open it in a browser and copy the long address.",
    "unsupported_type": "Only links to a single song can be imported, not to a channel, a set or an album.",
    "invalid_id": "This link names no song; copy it again.",
    "unknown_site": "Songs are fetched by link from Spotify, YouTube, SoundCloud and Bandcamp alone; other files can be"
    " uploaded.",
}

_LONGEST = 2048
# [scheme://]host[:port][/path][?query][#fragment]; a host of another form, a user or another port match nothing.
_PARTS = re.compile(
    r"(?:https?://)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::443|:80)?(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE
)
_LOOKS_LIKE = re.compile(r"[a-z][a-z0-9+.-]*://|//", re.IGNORECASE)
_BARE = re.compile(r"[^\s/?#]+\.[a-z]{2,}(?:[:/?#]\S*)?", re.IGNORECASE)

_YOUTUBE = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"})
_SOUNDCLOUD = frozenset({"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"})
_SHORT = frozenset({"on.soundcloud.com", "soundcloud.app.goo.gl", "snd.sc", "bit.ly", "t.co", "tinyurl.com"})
_BANDCAMP = re.compile(r"([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.bandcamp\.com")
_NOT_ARTISTS = frozenset({"www", "daily", "blog", "get", "help", "bandcamp"})

_VIDEO_ID = r"[0-9A-Za-z_-]{11}"
_VIDEO_PATH = re.compile(rf"/(?:shorts|live|embed|v)/({_VIDEO_ID})/?")
_VIDEO_SHORT = re.compile(rf"/({_VIDEO_ID})/?")
_SLUG = r"[0-9A-Za-z_-]{1,255}"
_SOUND = re.compile(rf"/({_SLUG})/({_SLUG})(/s-[0-9A-Za-z]{{1,64}})?/?")
_NOT_USERS = frozenset({"discover", "search", "you", "stream", "upload", "charts", "settings", "pages", "tags", "feed"})
_NOT_SOUNDS = frozenset(
    {
        "tracks",
        "albums",
        "sets",
        "likes",
        "reposts",
        "followers",
        "following",
        "comments",
        "popular-tracks",
        "toptracks",
    }
)
_BAND_TRACK = re.compile(r"/track/([0-9A-Za-z_-]{1,255})/?")


def is_link(text: str) -> bool:
    """Whether a line means a link, rightly or wrongly written, rather than the name of a song."""
    line = text.strip()
    return bool(_LOOKS_LIKE.match(line) or _BARE.fullmatch(line))


def parse_link(text: object) -> Link:
    """Read a link to one song on YouTube, SoundCloud or Bandcamp.

    Raises:
        Invalid: with one of the codes of ``SENTENCES``.

    """
    parts = _PARTS.fullmatch(_read(text))
    if not parts:
        raise _refusal("unknown_site")
    host, path, query = parts[1].lower(), parts[2] or "/", parts[3] or ""
    if host in _SHORT:
        raise _refusal("short_link")
    if host == "youtu.be":
        return _found(Site.YOUTUBE, _VIDEO_SHORT.fullmatch(path))
    if host in _YOUTUBE:
        return _youtube(path, query)
    if host in _SOUNDCLOUD:
        return _soundcloud(path)
    artist = _BANDCAMP.fullmatch(host)
    if artist and artist[1] not in _NOT_ARTISTS:
        return _bandcamp(artist[1], path)
    raise _refusal("unknown_site")


def _youtube(path: str, query: str) -> Link:
    if path.rstrip("/") == "/watch":
        named = [value for name, _, value in (part.partition("=") for part in query.split("&")) if name == "v"]
        # Two of them would be read differently by different programs.
        return _found(Site.YOUTUBE, re.fullmatch(f"({_VIDEO_ID})", named[0]) if len(named) == 1 else None)
    if re.match(r"/(?:shorts|live|embed|v)/", path):
        return _found(Site.YOUTUBE, _VIDEO_PATH.fullmatch(path))
    raise _refusal("unsupported_type")


def _soundcloud(path: str) -> Link:
    found = _SOUND.fullmatch(path)
    if found and found[1].lower() not in _NOT_USERS and found[2].lower() not in _NOT_SOUNDS:
        return Link(Site.SOUNDCLOUD, LinkKind.TRACK, f"{found[1]}/{found[2]}{found[3] or ''}")
    raise _refusal("unsupported_type" if re.fullmatch(r"[/0-9A-Za-z_-]*", path) else "invalid_id")


def _bandcamp(artist: str, path: str) -> Link:
    if found := _BAND_TRACK.fullmatch(path):
        return Link(Site.BANDCAMP, LinkKind.TRACK, f"{artist}/{found[1]}")
    raise _refusal("invalid_id" if path.startswith("/track/") else "unsupported_type")


def _found(site: Site, found: re.Match[str] | None) -> Link:
    if not found:
        raise _refusal("invalid_id")
    return Link(site, LinkKind.VIDEO, found[1])


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


def _refusal(code: str) -> Invalid:
    return Invalid(SENTENCES[code], code=code)
