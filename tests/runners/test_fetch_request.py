"""Which addresses a downloader takes at all, before any tool sees them."""

import pytest

from soundforge.sources import parse_link
from soundforge_runners._fetch_failure import Failed
from soundforge_runners._fetch_request import check_url

GOOD = (
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "https://soundcloud.com/ann-lee/harbour",
    "https://soundcloud.com/ann-lee/harbour/s-abc123",
    "https://ann.bandcamp.com/track/harbour-lights",
)


@pytest.mark.parametrize("url", GOOD)
def test_what_our_own_links_are_made_of_is_taken(url: str) -> None:
    assert check_url(parse_link(url).url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8765/tone.mp3",
        "http://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://127.0.0.1/watch?v=dQw4w9WgXcQ",
        "https://[::1]/watch?v=dQw4w9WgXcQ",
        "https://[::ffff:169.254.169.254]/latest",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "ftp://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "data:audio/mp3;base64,AAAA",
        "ytsearch1:harbour",
        "https://www.youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com@evil.example/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com:8443/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PL1",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ\n",
        "https://www.youtube.com/redirect?q=http://127.0.0.1",
        "https://evil.example/?u=https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://a.b.bandcamp.com/track/x",
        "https://evil.example#.bandcamp.com/track/x",
        "https://soundcloud.com/../../etc/passwd",
        "--exec=id",
        "",
    ],
)
def test_no_other_address_reaches_a_tool(url: str) -> None:
    with pytest.raises(Failed) as refused:
        check_url(url)
    assert refused.value.code == "source_not_allowed"
