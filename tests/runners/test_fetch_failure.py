"""What the words of spotdl and yt-dlp mean. The sentences are those that the tools and their sites are known for."""

import pytest

from soundforge.sources import FAILURES
from soundforge_runners._fetch_failure import _TEXTS, read_failure, words_of


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("ERROR: [youtube] x: Sign in to confirm you’re not a bot. Use --cookies-from-browser", "source_blocked"),
        ("ERROR: [youtube] x: Sign in to confirm your age. This video may be inappropriate", "age_restricted"),
        ("ERROR: [youtube] x: Private video. Sign in if you've been granted access", "source_gone"),
        ("ERROR: [youtube] x: Video unavailable", "source_gone"),
        ("ERROR: [youtube] x: This video has been removed by the uploader", "source_gone"),
        ("ERROR: [youtube] x: Join this channel to get access to members-only content", "source_gone"),
        ("ERROR: [soundcloud] a/b: Unable to download JSON metadata: HTTP Error 404: Not Found", "source_gone"),
        ("The uploader has not made this video available in your country", "geo_blocked"),
        ("This video is not available from your location due to geo restriction", "geo_blocked"),
        ("ERROR: [youtube] x: Premieres in 3 hours", "source_not_finished"),
        ("ERROR: [youtube] x: This live event will begin in 20 minutes.", "source_not_finished"),
        ("Unable to download API page: HTTP Error 429: Too Many Requests", "rate_limited"),
        ("ERROR: unable to download video data: HTTP Error 403: Forbidden", "source_forbidden"),
        ("WARNING: n challenge solving failed: Some formats may be missing", "tool_outdated"),
        ("ERROR: [youtube] x: Requested format is not available. Use --list-formats", "tool_outdated"),
        ("Unable to download API page: [Errno -3] Temporary failure in name resolution", "network"),
        ("HTTPSConnectionPool(host='music.youtube.com', port=443): Max retries exceeded with url: /", "network"),
        ("ERROR: [youtube] x: Unable to download webpage: The read operation timed out", "network"),
        ("TransportError: 1 bytes read, 900 more expected", "network"),
        ("Tunnel connection failed: 502 The site does not answer", "network"),
        ("Tunnel connection failed: 403 No such site is on the list", "source_not_allowed"),
        ("Tunnel connection failed: 403 The address lies in a private network", "source_not_allowed"),
        ("ERROR: No suitable extractor found for URL http://127.0.0.1:8765/tone.mp3", "source_not_allowed"),
        ("File is larger than max-filesize (9 bytes > 8 bytes). Aborting.", "source_too_long"),
        ("Something that nobody has heard of", "download_failed"),
        ("", "download_failed"),
    ],
)  # fmt: skip
def test_the_words_of_a_tool_have_one_meaning(words: str, code: str) -> None:
    failure = read_failure("AudioProviderError: YT-DLP download error - https://www.youtube.com/watch?v=x", words)
    assert failure.code == code
    assert words[:30] in failure.cause


def test_every_code_is_one_of_the_studio_s_closed_set() -> None:
    assert {code for code, _ in _TEXTS} <= FAILURES


def test_a_cause_that_an_exception_hides_is_brought_out() -> None:
    shown = RuntimeError("YT-DLP download error")
    shown.__cause__ = ValueError("HTTP Error 429")
    assert read_failure(*words_of(shown)).code == "rate_limited"


def test_exceptions_that_point_at_each_other_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__context__ = other, one
    assert words_of(one) == ["ValueError: one", "ValueError: other"]
