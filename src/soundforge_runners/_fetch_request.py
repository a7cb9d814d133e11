"""What both downloaders share: the request, the rules that hold for every address, and what becomes of a fetched file.

Fields of a request: ``song`` (``title, artists, album, duration_s, isrc, year, track_number, cover``), ``folder``
(where files go), ``gate`` (the socket that leads out), ``cookies`` (a file, or null), ``max_duration_s``,
``max_bytes``, and ``url`` where a source is given.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from soundforge_runners import _fetch_audio, _fetch_network
from soundforge_runners._fetch_failure import Failed, read_failure, words_of
from soundforge_runners._protocol import Channel, Message

MOST_FOUND = 8
EXTRACTORS = ("youtube", "youtube:search", "soundcloud", "bandcamp")  # whole names; nothing else may read a page
_URL = re.compile(
    r"https://(?:(?:www|music)\.youtube\.com/watch\?v=[0-9A-Za-z_-]{11}"
    r"|soundcloud\.com/[0-9A-Za-z_-]{1,255}/[0-9A-Za-z_-]{1,255}(?:/s-[0-9A-Za-z]{1,64})?"
    r"|[a-z0-9-]{1,63}\.bandcamp\.com/track/[0-9A-Za-z_-]{1,255})"
)
_SHORTER, _SHORTER_S = 0.03, 5.0  # a file that lacks more than this of its announced length broke off


@dataclass(frozen=True)
class Found:
    """One candidate of a search, or what a page says of itself."""

    url: str
    title: str
    channel: str
    duration_s: float | None
    score: float = 0.0


@dataclass(frozen=True)
class Way:
    """How a tool reaches the world, and within which limits."""

    proxy: str
    folder: Path
    cookies: str | None
    max_duration_s: float
    max_bytes: int
    progress: Callable[[float, str], None]


class Tool(Protocol):
    """A program that finds and fetches; made anew for every request."""

    def __init__(self, way: Way) -> None:
        """Take the way out."""

    @property
    def version(self) -> str:
        """Program and version, for people."""

    def find(self, song: dict[str, Any]) -> list[Found]:
        """Search; in any order."""

    def fetch(self, song: dict[str, Any], url: str) -> tuple[Path, Found]:
        """Fetch what the site sends, as it is; what the page said of it comes along."""


def handler(tool: type[Tool]) -> Callable[[Message, Channel], Message]:
    """Make the function that answers requests with a tool."""
    ways: dict[str, str] = {}  # by gate: one listener a process is enough

    def handle(request: Message, channel: Channel) -> Message:
        try:
            if request["gate"] not in ways:
                ways[request["gate"]] = _fetch_network.open_way(request["gate"])
            way = _way(request, ways[request["gate"]], channel)
            return _find(tool, request, way) if request["do"] == "find" else _fetch(tool, request, way)
        except Failed as failure:
            return {"ok": False, "code": failure.code, "cause": failure.cause}
        except (MemoryError, OSError) as error:
            if isinstance(error, OSError) and error.errno is None:  # networks' errors carry no number of the system
                return _unknown(error)
            raise
        except Exception as error:  # noqa: BLE001 - tools raise what they like; its words decide
            return _unknown(error)

    return handle


def check_url(url: str) -> str:
    """Refuse every address that is not one song on one of the three sites; raises Failed ``source_not_allowed``."""
    if not _URL.fullmatch(url):
        raise Failed("source_not_allowed", f"not an address of a song: {url[:200]}")
    return url


def check_announced(found: Found, way: Way) -> None:
    """Refuse before the first byte what says that it is too long; raises Failed ``source_too_long``."""
    if found.duration_s and found.duration_s > way.max_duration_s:
        raise Failed("source_too_long", f"{found.duration_s:.0f} s, longer than max {way.max_duration_s:.0f} s")


def _way(request: Message, proxy: str, channel: Channel) -> Way:
    return Way(
        proxy=proxy,
        folder=Path(request["folder"]),
        cookies=request.get("cookies"),
        max_duration_s=float(request["max_duration_s"]),
        max_bytes=int(request["max_bytes"]),
        progress=channel.progress,
    )


def _find(tool: type[Tool], request: Message, way: Way) -> Message:
    way.progress(0, "searching")
    best = sorted(tool(way).find(request["song"]), key=lambda one: -one.score)
    seen: dict[str, Found] = {}
    for one in best:
        seen.setdefault(one.url.rpartition("/")[2], one)  # the same video on two hosts
    return {"ok": True, "candidates": [vars(one) for one in [*seen.values()][:MOST_FOUND]]}


def _fetch(tool: type[Tool], request: Message, way: Way) -> Message:
    url = check_url(request["url"])
    way.progress(1, "reading")
    program = tool(way)
    try:
        path, page = program.fetch(request["song"], url)
    except Failed as failure:
        if failure.code != "source_forbidden":
            raise
        path, page = tool(way).fetch(
            request["song"], url
        )  # the link to the audio may have run out; once more, from anew
    way.progress(88, "checking")
    path = _fetch_audio.unwrap(path)
    length_s = _fetch_audio.play_through(path, lambda: way.progress(90, "checking"))
    _check_length(length_s, page, way)
    way.progress(96, "tagging")
    sha256 = _fetch_audio.hash_sound(path)
    _fetch_audio.write_tags(path, _as_known(request["song"], page))
    about = {"path": str(path), "duration_s": length_s, "audio_sha256": sha256}
    return {"ok": True, **about, "page": vars(page), "tool": program.version}


def _check_length(length_s: float, page: Found, way: Way) -> None:
    announced_s = page.duration_s or length_s
    if length_s < announced_s - max(_SHORTER_S, _SHORTER * announced_s):
        raise Failed("network", f"the file broke off after {length_s:.0f} of {announced_s:.0f} s")
    if length_s > way.max_duration_s:
        raise Failed("source_too_long", f"{length_s:.0f} s, longer than max {way.max_duration_s:.0f} s")


def _as_known(song: dict[str, Any], page: Found) -> dict[str, Any]:
    """Take title and artist from the page where the studio knows none."""
    return song if song["title"] else {**song, "title": page.title, "artists": [page.channel]}


def _unknown(error: BaseException) -> Message:
    failure = read_failure(*words_of(error))
    return {"ok": False, "code": failure.code, "cause": failure.cause}
