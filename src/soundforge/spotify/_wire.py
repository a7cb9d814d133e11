"""One request to Spotify and its answer: where it goes, how often it is tried, what comes back as bytes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

from soundforge.errors import Unavailable
from soundforge.http import HTTP_SERVICES, Client, Service

from ._failures import away, unreadable
from ._model import Cover
from ._pace import BACK_OFF_S, LONGEST_WAIT_S, Pace, jittered

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True)
class Places:
    """Where Spotify is. There are two: out there, and a server of a test on this machine's loopback."""

    api: str
    accounts: str
    pages: str
    covers: str  # empty: where each cover says
    service: Service
    page_service: Service
    cover_service: Service

    def cover(self, cover: Cover) -> str:
        """Build the address of a cover."""
        return f"{self.covers}/{cover.id}" if self.covers else cover.url


SPOTIFY: Final = Places(
    api="https://api.spotify.com/v1",
    accounts="https://accounts.spotify.com/api/token",
    pages="https://open.spotify.com/embed",
    covers="",
    service=HTTP_SERVICES["spotify"],
    page_service=HTTP_SERVICES["spotify_pages"],
    cover_service=HTTP_SERVICES["spotify_images"],
)


def places_on_loopback(port: int) -> Places:
    """Return the places of a server on 127.0.0.1, the only other one that may take Spotify's place."""
    here = f"http://127.0.0.1:{port}"
    rows = [
        replace(row, hosts=frozenset({"127.0.0.1"}), inside=True)
        for row in (SPOTIFY.service, SPOTIFY.page_service, SPOTIFY.cover_service)
    ]
    return Places(f"{here}/v1", f"{here}/api/token", f"{here}/embed", f"{here}/image", *rows)


@dataclass(frozen=True)
class Reply:
    """An answer that was read whole."""

    status: int
    retry_after_s: float | None = None
    body: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """The beginning of the body, for reading an error and for the log."""
        return self.body[:500].decode("utf-8", "replace")

    def json(self) -> Mapping[str, Any]:
        """Read the body as one JSON object, or raise ``spotify_unreadable``."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:  # RecursionError: a megabyte of brackets
            raise unreadable(f"{self.status}: {error!r}: {self.text[:100]}") from error
        if not isinstance(found, dict):
            raise unreadable(f"{self.status}: {type(found).__name__} instead of an object")
        return found

    @property
    def reason(self) -> str:
        """Spotify's own short word for what is wrong, where it gives one."""
        found = re.search(r'"reason"\s*:\s*"(\w+)"', self.text)
        return found[1] if found else ""


class Wire:
    """Sends requests to one service of Spotify's, at its pace, with patience for what passes by itself."""

    def __init__(self, client: Client, pace: Pace) -> None:
        """``client`` is the caller's to close; it follows no redirects."""
        self._client = client
        self._pace = pace

    async def send(self, method: str, url: str, **options: Any) -> Reply:
        """Send, and send again up to three times when the failure is one that passes.

        ``options`` are headers, params and the like. Any answer comes back that is neither 429 nor 5xx; a redirect is
        an answer like others and is never followed.

        Raises Unavailable: ``spotify_busy``, ``spotify_quota_used``, ``spotify_away``, ``service_away``,
        ``service_slow``; and Broken as ``http.client`` does.
        """
        back_offs = iter(BACK_OFF_S)
        while True:
            async with self._pace.turn():
                outcome = await self._once(method, url, options)
            if isinstance(outcome, Reply) and not _passes(outcome.status):
                return outcome
            await self._pace.wait(self._patience(outcome, next(back_offs, None)))

    async def _once(self, method: str, url: str, options: Mapping[str, Any]) -> Reply | Unavailable:
        try:
            answer = await self._client.request(method, url, **options)
        except Unavailable as failure:
            if failure.code == "service_slow":  # half a minute is gone already
                raise
            return failure
        return Reply(answer.status_code, _seconds(answer.headers.get("retry-after")), answer.content)

    def _patience(self, outcome: Reply | Unavailable, back_off_s: float | None) -> float:
        """Return how long to wait before the next try, or raise when there should be none."""
        if isinstance(outcome, Reply) and outcome.status == HTTPStatus.TOO_MANY_REQUESTS:
            quota = outcome.reason == "QUOTA_EXCEEDED"
            wait_s = outcome.retry_after_s
            if quota or back_off_s is None or (wait_s or 0) > LONGEST_WAIT_S:
                self._pace.stay_away(wait_s if quota or wait_s is not None else LONGEST_WAIT_S, quota=quota)
            elif wait_s is not None:
                return wait_s
        if back_off_s is not None:
            return jittered(back_off_s)
        raise away(f"{outcome.status}: {outcome.text[:100]}") if isinstance(outcome, Reply) else outcome


def _passes(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _seconds(text: str | None) -> float | None:
    """Read ``Retry-After``; a date, which Spotify does not send, counts as none."""
    return float(text) if text and _SECONDS.fullmatch(text.strip()) else None
