"""Links to songs on YouTube, SoundCloud and Bandcamp: what is read, what is refused and why."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.errors import Invalid
from soundforge.sources import Link, LinkKind, Site, is_link, parse_link
from soundforge.sources._links import SENTENCES

V = "dQw4w9WgXcQ"
VIDEO = Link(Site.YOUTUBE, LinkKind.VIDEO, V)
SOUND = Link(Site.SOUNDCLOUD, LinkKind.TRACK, "some-one/a_song-2")
SECRET = Link(Site.SOUNDCLOUD, LinkKind.TRACK, "some-one/a-song/s-AbC123")
BAND = Link(Site.BANDCAMP, LinkKind.TRACK, "the-band/a-song")

READ = [
    (f"https://www.youtube.com/watch?v={V}", VIDEO),
    (f"http://youtube.com/watch?v={V}", VIDEO),
    (f"youtube.com/watch?v={V}", VIDEO),
    (f"HTTPS://WWW.YOUTUBE.COM/watch?v={V}", VIDEO),
    (f"https://m.youtube.com/watch?v={V}&feature=share", VIDEO),
    (f"https://music.youtube.com/watch?v={V}&list=RDAMVM{V}", VIDEO),
    (f"https://www.youtube.com/watch?list=PL123&v={V}&t=42s", VIDEO),
    (f"https://www.youtube.com/watch/?v={V}#t=1", VIDEO),
    (f"https://www.youtube.com:443/watch?v={V}", VIDEO),
    (f"https://www.youtube.com/shorts/{V}", VIDEO),
    (f"https://www.youtube.com/live/{V}?si=x", VIDEO),
    (f"https://www.youtube.com/embed/{V}", VIDEO),
    (f"https://youtu.be/{V}", VIDEO),
    (f"https://youtu.be/{V}?si=abc&t=10", VIDEO),
    (f"  https://youtu.be/{V}/\n", VIDEO),
    ("https://soundcloud.com/some-one/a_song-2", SOUND),
    ("https://m.soundcloud.com/some-one/a_song-2/?utm_source=clipboard&in=x/sets/y", SOUND),
    ("soundcloud.com/some-one/a_song-2#t=0:10", SOUND),
    ("https://soundcloud.com/some-one/a-song/s-AbC123?si=1", SECRET),
    ("https://the-band.bandcamp.com/track/a-song", BAND),
    ("http://THE-BAND.bandcamp.com/track/a-song/?from=x", BAND),
]

REFUSED = [
    ("", "empty"),
    (" \n", "empty"),
    (None, "not_text"),
    (7, "not_text"),
    (b"https://youtu.be/x", "not_text"),
    (f"https://youtu.be/{V}?x={'a' * 3000}", "too_long"),
    (f"https://youtu.be/{V} https://youtu.be/{V}", "bad_characters"),
    (f"https://youtu.be/{V} --exec rm", "bad_characters"),
    (f"https://youtu.be/{V}\x00", "bad_characters"),
    (f"https://y\u043eutube.com/watch?v={V}", "bad_characters"),
    (f"https://www.youtube.com/watch?v={V}\r\nHost: evil.example", "bad_characters"),
    ("https://on.soundcloud.com/AbCdE", "short_link"),
    ("https://bit.ly/AbCdE", "short_link"),
    ("https://www.youtube.com/playlist?list=PL1234567890", "unsupported_type"),
    ("https://www.youtube.com/@somebody", "unsupported_type"),
    ("https://www.youtube.com/channel/UC1234567890", "unsupported_type"),
    ("https://www.youtube.com/results?search_query=x", "unsupported_type"),
    (f"https://www.youtube.com/redirect?q=https://evil.example/&v={V}", "unsupported_type"),
    ("https://www.youtube.com", "unsupported_type"),
    ("https://www.youtube.com/watch", "invalid_id"),
    ("https://www.youtube.com/watch?v=short", "invalid_id"),
    (f"https://www.youtube.com/watch?v={V}x", "invalid_id"),
    (f"https://www.youtube.com/watch?v={V}&v=AAAAAAAAAAA", "invalid_id"),
    (f"https://www.youtube.com/watch?x=%26v={V}", "invalid_id"),
    ("https://www.youtube.com/watch?v=%64Qw4w9WgXc", "invalid_id"),
    (f"https://www.youtube.com/shorts/{V}/../x", "invalid_id"),
    ("https://youtu.be/", "invalid_id"),
    (f"https://youtu.be//{V}", "invalid_id"),
    ("https://soundcloud.com/some-one", "unsupported_type"),
    ("https://soundcloud.com/some-one/sets/an-album", "unsupported_type"),
    ("https://soundcloud.com/some-one/likes", "unsupported_type"),
    ("https://soundcloud.com/discover/something", "unsupported_type"),
    ("https://soundcloud.com/some-one/%2e%2e", "invalid_id"),
    ("https://soundcloud.com/../etc", "invalid_id"),
    ("https://the-band.bandcamp.com/album/an-album", "unsupported_type"),
    ("https://the-band.bandcamp.com/", "unsupported_type"),
    ("https://the-band.bandcamp.com/track/a/b", "invalid_id"),
    ("https://the-band.bandcamp.com/track/", "invalid_id"),
    ("https://bandcamp.com/track/a-song", "unknown_site"),
    ("https://www.bandcamp.com/track/a-song", "unknown_site"),
    ("https://a.b.bandcamp.com/track/a-song", "unknown_site"),
    ("https://-x.bandcamp.com/track/a-song", "unknown_site"),
    ("https://x.bandcamp.com.evil.example/track/a-song", "unknown_site"),
    ("https://x.bandcamp.com@evil.example/track/a-song", "unknown_site"),
    (f"https://www.youtube.com@evil.example/watch?v={V}", "unknown_site"),
    (f"https://www.youtube.com:8443/watch?v={V}", "unknown_site"),
    (f"https://www.youtube.com.evil.example/watch?v={V}", "unknown_site"),
    (f"https://www.youtube.com./watch?v={V}", "unknown_site"),
    (f"https://www.youtube.com\\@evil.example/watch?v={V}", "unknown_site"),
    (f"https://evil.example/https://youtu.be/{V}", "unknown_site"),
    (f"https://evil.example?https://youtu.be/{V}", "unknown_site"),
    (f"https://notyoutube.com/watch?v={V}", "unknown_site"),
    (f"//www.youtube.com/watch?v={V}", "unknown_site"),
    (f"file://www.youtube.com/watch?v={V}", "unknown_site"),
    (f"javascript://youtu.be/{V}", "unknown_site"),
    ("file:///etc/passwd", "unknown_site"),
    ("http://127.0.0.1/track/x", "unknown_site"),
    ("http://169.254.169.254/latest/meta-data", "unknown_site"),
    ("http://[::ffff:127.0.0.1]/", "unknown_site"),
    ("http://localhost:8080/", "unknown_site"),
    ("https://open.spotify.com/track/4cOdK2wGLETKBW3PvgPWqT", "unknown_site"),
    ("https://vimeo.com/1234", "unknown_site"),
    ("ytsearch:song", "unknown_site"),
    ("--help", "unknown_site"),
]

WRITTEN = re.compile(
    r"https://(?:www\.youtube\.com/watch\?v=[0-9A-Za-z_-]{11}"
    r"|soundcloud\.com/[0-9A-Za-z_-]+/[0-9A-Za-z_-]+(?:/s-[0-9A-Za-z]+)?"
    r"|[a-z0-9][a-z0-9-]*\.bandcamp\.com/track/[0-9A-Za-z_-]+)"
)
PIECES = [
    *"@\\%/:?#&=.;+ \t\n\0'\"[]-_0aZ\u043e\u202e\uff0f",
    *("//", "../", "%2f", "@evil.example", ".evil.example", "evil.example/", "&v=", "v=", ":443", ":80", "youtu.be"),
    *("soundcloud.com", ".bandcamp.com", "/track/", V, "sets/"),
]


def code_of(text: object) -> str:
    with pytest.raises(Invalid) as refused:
        parse_link(text)
    assert refused.value.sentence == SENTENCES[refused.value.code]
    return refused.value.code


@pytest.mark.parametrize(("text", "link"), READ)
def test_a_link_to_a_song_is_read(text: str, link: Link) -> None:
    assert parse_link(text) == link


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_what_is_no_link_to_a_song_is_refused_with_its_reason(text: object, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize("link", [VIDEO, SOUND, SECRET, BAND])
def test_a_link_that_we_write_is_read_back(link: Link) -> None:
    assert WRITTEN.fullmatch(link.url)
    assert parse_link(link.url) == link


def test_every_reason_has_one_sentence_and_every_sentence_its_test() -> None:
    assert {code for _, code in REFUSED} == set(SENTENCES)


@given(st.text() | st.from_regex(r"(https?://)?(www\.youtube\.com|soundcloud\.com|x\.bandcamp\.com)/.{0,40}"))
def test_any_text_is_read_cleanly_or_refused_with_a_sentence(text: str) -> None:
    try:
        link = parse_link(text)
    except Invalid:
        assert code_of(text) in SENTENCES
    else:
        assert WRITTEN.fullmatch(link.url)


def test_no_mutation_of_twenty_thousand_gets_another_host_in() -> None:
    """Whatever is accepted is written as one of three addresses, and its host stood at the front of the text."""
    host = re.compile(
        r"(?:https?://)?(?:(?:(?:www|m|music)\.)?youtube\.com|youtu\.be|(?:(?:www|m)\.)?soundcloud\.com|[a-z0-9-]+\.bandcamp\.com)"
        r"(?::443|:80)?(?:[/?]|$)",
        re.IGNORECASE,
    )
    texts = [text for text, _ in [*READ, *REFUSED] if isinstance(text, str) and len(text) < 300]
    accepted = 0
    for _ in range(20_000):
        text = random.choice(texts)
        for _ in range(random.randint(1, 2)):
            start = random.randint(0, len(text))
            text = text[:start] + random.choice(PIECES) + text[start + random.choice((0, 0, 1, 3)) :]
        try:
            link = parse_link(text)
        except Invalid:
            continue
        assert WRITTEN.fullmatch(link.url), text
        assert host.match(text.strip()), text
        accepted += 1
    assert accepted > 300


@pytest.mark.parametrize("text", [text for text, _ in READ])
def test_a_link_is_told_from_the_name_of_a_song(text: str) -> None:
    assert is_link(text)


@pytest.mark.parametrize("text", ["file:///etc/passwd", "//host/x", "example.com", "https://x - y", "spotify.link/x"])
def test_a_bad_link_is_a_link_as_well(text: str) -> None:
    assert is_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "will.i.am - Song",
        "M.I.A. - Paper Planes",
        "AC/DC - T.N.T.",
        "Deadmau5 - f.lux/x.ab",
        "song",
        "",
        "A - B.com (Live)",
    ],
)
def test_the_name_of_a_song_is_no_link(text: str) -> None:
    assert not is_link(text)
