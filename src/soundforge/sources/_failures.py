"""How a download fails, one sentence each. The closed set that ``Downloader`` names, by code in ``FAILURES``."""

from collections.abc import Callable, Sequence
from typing import Final

from soundforge.errors import Broken, Rejected, SoundForgeError, Unavailable

from ._downloader import Candidate

RATE_LIMIT_S = 900.0  # sites that count requests by address forget after a quarter of an hour at the earliest
_CAUSE = 160  # letters of a tool's own words that are shown


class SourceRefused(Rejected):
    """This source will not do, and another try will not mend it: somebody chooses another one of ``candidates``."""

    def __init__(self, sentence: str, *, code: str, detail: str = "", candidates: Sequence[Candidate] = ()) -> None:
        """``candidates``: what a search found, the best first; empty where none was made."""
        super().__init__(sentence, code=code, detail=detail)
        self.candidates = tuple(candidates)


def no_match(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """Nothing was found that is surely this song; ``candidates`` may still hold it."""
    return SourceRefused(
        "No source was found that is surely this song: choose one, paste its link, or upload the file.",
        code="no_match",
        detail=detail,
        candidates=candidates,
    )


def wrong_length(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """A search found it, but it is much longer or shorter than the song should be."""
    return SourceRefused(
        "What was found is not as long as the song should be: choose a source, or upload the file.",
        code="wrong_length",
        detail=detail,
        candidates=candidates,
    )


def source_blocked(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """The site takes us for a robot; only a person's cookies, or another address, help."""
    return SourceRefused(
        "The site asks this machine to prove that it is no robot: give the downloader the cookies of a browser in"
        " Settings, or choose another source.",
        code="source_blocked",
        detail=detail,
        candidates=candidates,
    )


def age_restricted(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """Only for people who have logged in and are of age."""
    return SourceRefused(
        "This source is only for adults who are logged in: choose another source, or upload the file.",
        code="age_restricted",
        detail=detail,
        candidates=candidates,
    )


def source_gone(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """Deleted, private, or for members only."""
    return SourceRefused(
        "This source is gone or is not public: choose another source, or upload the file.",
        code="source_gone",
        detail=detail,
        candidates=candidates,
    )


def geo_blocked(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """Not in the country that this machine seems to be in."""
    return SourceRefused(
        "This source is not available in the country of this machine: choose another source, or upload the file.",
        code="geo_blocked",
        detail=detail,
        candidates=candidates,
    )


def source_not_finished(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """A broadcast that still runs, or has not begun."""
    return SourceRefused(
        "This source is a broadcast that has not ended: choose another source.",
        code="source_not_finished",
        detail=detail,
        candidates=candidates,
    )


def source_too_long(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """Longer than may be imported here, or more bytes than such a length could need."""
    return SourceRefused(
        "This source is longer than may be imported here: choose another source.",
        code="source_too_long",
        detail=detail,
        candidates=candidates,
    )


def source_not_audio(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """It came, and cannot be played."""
    return SourceRefused(
        "What this source sent cannot be played: choose another source, or upload the file.",
        code="source_not_audio",
        detail=detail,
        candidates=candidates,
    )


def source_not_allowed(detail: str, candidates: Sequence[Candidate] = ()) -> SourceRefused:
    """An address that no site on the list answers for, or one that leads into a private network."""
    return SourceRefused(
        "This source lies on a site that the downloader may not ask: choose another source.",
        code="source_not_allowed",
        detail=detail,
        candidates=candidates,
    )


def rate_limited(detail: str, retry_after_s: float = RATE_LIMIT_S) -> Unavailable:
    """Too many requests from this address; the job is postponed."""
    return Unavailable(
        "The site asks this machine to wait; the download goes on by itself later.",
        code="rate_limited",
        detail=detail,
        retry_after_s=retry_after_s,
    )


def source_forbidden(detail: str) -> Unavailable:
    """The page was readable and its audio was refused, twice: mostly a link that ran out on the way."""
    return Unavailable(
        "The site refused to send the audio; it is tried again, and after that an update of the downloader may help.",
        code="source_forbidden",
        detail=detail,
    )


def network(detail: str) -> Unavailable:
    """No route, no name, no answer in time, or cut off in the middle."""
    return Unavailable("The site cannot be reached, or stopped answering.", code="network", detail=detail)


def tool_outdated(detail: str) -> Broken:
    """The site has changed, and this version of the tool does not know it yet."""
    return Broken(
        "The site has changed and the downloader does not know it yet: update the downloader in Settings, or with"
        " `soundforge tools upgrade downloader`.",
        code="tool_outdated",
        detail=detail,
    )


def download_failed(detail: str) -> Broken:
    """Anything else, in the words of the tool."""
    return Broken(
        f"The download failed: {' '.join(detail.split())[:_CAUSE].rstrip('. ') or 'no cause was given'}.",
        code="download_failed",
        detail=detail,
    )


_REFUSALS: Final[dict[str, Callable[[str, Sequence[Candidate]], SourceRefused]]] = {
    "no_match": no_match,
    "wrong_length": wrong_length,
    "source_blocked": source_blocked,
    "age_restricted": age_restricted,
    "source_gone": source_gone,
    "geo_blocked": geo_blocked,
    "source_not_finished": source_not_finished,
    "source_too_long": source_too_long,
    "source_not_audio": source_not_audio,
    "source_not_allowed": source_not_allowed,
}
_FAULTS: Final[dict[str, Callable[[str], SoundForgeError]]] = {
    "rate_limited": rate_limited,
    "source_forbidden": source_forbidden,
    "network": network,
    "tool_outdated": tool_outdated,
    "download_failed": download_failed,
}
FAILURES: Final = frozenset({*_REFUSALS, *_FAULTS, "tool_missing"})


def failure(code: str, detail: str, candidates: Sequence[Candidate] = ()) -> SoundForgeError:
    """Make the error of a code of ``FAILURES``; any other code is ``download_failed``."""
    if refusal := _REFUSALS.get(code):
        return refusal(detail, candidates)
    return _FAULTS.get(code, download_failed)(detail)
