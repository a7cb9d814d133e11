"""Covers: told by their first bytes."""

import pytest

from soundforge.errors import Broken, NotFound
from soundforge.spotify._pictures import read_picture
from soundforge.spotify._wire import Reply


@pytest.mark.parametrize(
    ("head", "media_type"),
    [(b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"RIFF\n\0\0\0WEBP", "image/webp")],
)
def test_a_picture_is_known_by_its_first_bytes(head: bytes, media_type: str) -> None:
    assert read_picture(Reply(200, body=head + b"more")).media_type == media_type


@pytest.mark.parametrize("body", [b"", b"<svg onload=alert(1)>", b"<html>", b"GIF89a", b"x\xff\xd8\xff"])
def test_what_is_no_picture_is_refused_whatever_it_is_called(body: bytes) -> None:
    with pytest.raises(Broken):
        read_picture(Reply(200, body=body))


def test_a_cover_that_is_gone_is_not_found() -> None:
    for status in (403, 404):
        with pytest.raises(NotFound):
            read_picture(Reply(status, body=b"\xff\xd8\xff"))
