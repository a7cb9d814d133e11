"""Covers: what they are is told by their first bytes, not by what a server calls them."""

import re
from http import HTTPStatus

from ._failures import cover_not_found, unreadable
from ._model import Picture
from ._wire import Reply

_KINDS = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


def read_picture(reply: Reply) -> Picture:
    """Read a cover; raises ``spotify_cover_not_found``, and ``spotify_unreadable`` for what is no picture."""
    if reply.status in (
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
    ):  # as its store answers for a name that it does not know
        raise cover_not_found()
    kind = next((kind for kind, magic in _KINDS.items() if magic.match(reply.body)), None)
    if reply.status != HTTPStatus.OK or kind is None:
        raise unreadable(f"{reply.status}: no picture: {reply.body[:16]!r}")
    return Picture(reply.body, kind)
