"""Guessing passwords costs time: so many attempts in a minute, and no more."""

import ipaddress
import time
import unicodedata
from collections import deque
from collections.abc import Callable

from starlette.requests import HTTPConnection

from soundforge.errors import Unavailable

_MOST_KEYS = 10_000
_LONGEST_NAME = 200


class TooManyAttempts(Unavailable):
    """Somebody tries too often (429)."""

    code = "too_many_attempts"


class AttemptLimit:
    """Counts attempts by key, e.g. a client's address, in the memory of this process.

    An attempt is taken before it is checked, so a hundred at once are counted like a hundred in a row.
    """

    def __init__(self, limit: int, window_s: float = 60.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``limit`` attempts with one key in any ``window_s`` seconds."""
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: with the time to wait; a refused attempt does not lengthen it.

        """
        now = self._clock()
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now - self._window_s:
            taken.popleft()
        if len(taken) >= self._limit:
            wait_s = taken[0] + self._window_s - now
            raise TooManyAttempts("Too many attempts; wait a minute and try again.", retry_after_s=max(1.0, wait_s))
        taken.append(now)
        if len(self._taken) > _MOST_KEYS:
            self._tidy(now)

    def forget(self, key: str) -> None:
        """Start anew with a key, after an attempt that succeeded."""
        self._taken.pop(key, None)

    def _tidy(self, now: float) -> None:
        """Drop keys that no longer count, then the oldest, so that memory stays bounded."""
        current = {key: taken for key, taken in self._taken.items() if taken and taken[-1] > now - self._window_s}
        self._taken = dict([*current.items()][-_MOST_KEYS // 2 :])


class PasswordAttempts:
    """How often passwords may be tried from one address: for one name, and for all names together."""

    def __init__(self, for_one_name: int = 5, for_all_names: int = 30) -> None:
        """Allow so many attempts a minute."""
        self._for_one_name = AttemptLimit(for_one_name)
        self._for_all_names = AttemptLimit(for_all_names)

    def take(self, address: str, name: str) -> None:
        """Count an attempt; raises ``TooManyAttempts``."""
        self._for_all_names.take(address)
        self._for_one_name.take(_key(address, name))

    def forget(self, address: str, name: str) -> None:
        """Start anew with a name, after an attempt that succeeded; the address stays counted."""
        self._for_one_name.forget(_key(address, name))


def client_key(request: HTTPConnection) -> str:
    """Return whom to count: an IPv4 address, or the /64 network that one IPv6 customer has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "unknown"
    if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _key(address: str, name: str) -> str:
    """One name however it is written, and never a long key."""
    return f"{address} {unicodedata.normalize('NFKC', name[:_LONGEST_NAME]).strip().casefold()}"
