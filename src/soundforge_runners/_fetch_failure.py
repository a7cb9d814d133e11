"""Why a download failed, in a code of the studio's closed set and in the tool's own words."""

import re

# What tools print, in the order in which it counts: the first that matches.
_TEXTS = (
    ("source_blocked", r"not a bot|confirm you.re not|captcha|unusual traffic"),
    ("age_restricted", r"confirm your age|age.restricted|inappropriate for some users|login to confirm.*age"),
    ("geo_blocked", r"not (made this video )?available (in|from) your (country|location)|geo.?restrict|geo.?block"),
    ("source_not_finished", r"live event will begin|premieres in|not currently live"),
    ("rate_limited", r"HTTP Error 429|Too Many Requests|rate.?limit"),
    ("tool_outdated", r"n challenge|nsig|signature (solving|extraction)|no supported javascript|challenge solving"),
    ("tool_outdated", r"Requested format is not available|No (video|suitable) formats|Only images are available"),
    (
        "source_gone",
        r"private (video|track)|video unavailable|has been (removed|deleted|terminated)|no longer available",
    ),
    ("source_gone", r"members.only|join this channel|this video is (not |un)available|HTTP Error (404|410)"),
    ("source_gone", r"requires payment|purchase|premium.*(subscri|members)|account associated.*terminated"),
    ("source_too_long", r"File is larger than max-filesize|does not pass filter.*duration|longer than max"),
    ("source_not_allowed", r"Tunnel connection failed: 403|No suitable extractor|Unsupported URL|unable to open url"),
    ("source_not_allowed", r"is not a valid URL|URL scheme|Unable to handle request"),
    ("source_forbidden", r"HTTP Error 403|403: Forbidden"),
    ("network", r"timed? ?out|timeout|Connection (refused|reset|aborted)|Temporary failure in name resolution"),
    ("network", r"Name or service not known|getaddrinfo|Network is unreachable|IncompleteRead|Remote end closed"),
    (
        "network",
        r"ConnectionError|Max retries exceeded|HTTP Error 5\d\d|EOF occurred|SSL|bytes read, \d+ more expected",
    ),
    ("network", r"Tunnel connection failed|Unable to connect to proxy|ProxyError|Did not get any data blocks"),
)
_PATTERNS = tuple((code, re.compile(pattern, re.IGNORECASE)) for code, pattern in _TEXTS)
_WORDS = 1000


class Failed(Exception):
    """The download cannot be done; ``code`` is one of the studio's closed set, ``cause`` the tool's own words."""

    def __init__(self, code: str, cause: str) -> None:
        super().__init__(cause)
        self.code = code
        self.cause = " ".join(cause.split())[:_WORDS]


def read_failure(*causes: str) -> Failed:
    """Find what the words of a tool mean; ``download_failed`` where nobody knows."""
    text = " | ".join(cause for cause in causes if cause)
    code = next((code for code, pattern in _PATTERNS if pattern.search(text)), "download_failed")
    return Failed(code, text or "the tool gave no cause")


def words_of(error: BaseException) -> list[str]:
    """All that an exception and those behind it say; tools hide the cause behind a sentence that names none."""
    said: list[str] = []
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        said.append(f"{type(one).__name__}: {one}")
        inner = getattr(one, "exc_info", None)
        left += [one.__cause__, one.__context__, inner[1] if isinstance(inner, tuple) else None]
    return said
