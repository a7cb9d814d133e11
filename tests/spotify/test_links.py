"""Links to Spotify: what is read, what is refused and why, whatever somebody types."""

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soundforge.errors import Invalid
from soundforge.spotify import SENTENCES, Kind, Ref, names_spotify, parse_url
from soundforge.spotify._links import check_id

T = "4cOdK2wGLETKBW3PvgPWqT"
A = "6QPkyl04rXwTGlGlcYaRoW"
P = "37i9dQZF1DXcBWIGoYBM5M"
TRACK, ALBUM, PLAYLIST = Ref(Kind.TRACK, T), Ref(Kind.ALBUM, A), Ref(Kind.PLAYLIST, P)
HOST = "https://open.spotify.com"

READ = [
    (f"{HOST}/track/{T}", TRACK),
    (f"{HOST}/album/{A}", ALBUM),
    (f"{HOST}/playlist/{P}", PLAYLIST),
    (f"http://open.spotify.com/track/{T}", TRACK),
    (f"open.spotify.com/track/{T}", TRACK),
    (f"{HOST}/track/{T}?si=abc123DEF456", TRACK),
    (f"{HOST}/track/{T}?si=a&utm_source=copy-link&context=spotify%3Aplaylist%3A{P}", TRACK),
    (f"{HOST}/track/{T}/", TRACK),
    (f"{HOST}/track/{T}#0:42", TRACK),
    (f"  {HOST}/track/{T}\n", TRACK),
    (f"HTTPS://OPEN.SPOTIFY.COM/track/{T}", TRACK),
    (f"https://open.spotify.com:443/track/{T}", TRACK),
    (f"{HOST}/intl-de/track/{T}?si=1", TRACK),
    (f"{HOST}/embed/track/{T}?utm_source=generator", TRACK),
    (f"{HOST}/album/{A}?highlight=spotify:track:{T}", ALBUM),
]

REFUSED = [
    (f"spotify:track:{T}", "uri_not_url"),
    (f"spotify:user:spotify:playlist:{P}", "uri_not_url"),
    ("https://spotify.link/AbCdEfGhIjK", "short_link"),
    ("https://spotify.app.link/AbCdEfGhIjK?_p=x", "short_link"),
    (f"https://play.spotify.com/track/{T}", "invalid_url"),
    (f"https://spotify.com/track/{T}", "invalid_url"),
    (f"https://www.spotify.com/track/{T}", "invalid_url"),
    (f"{HOST}/artist/0OdUWJ0sBjDrqHygGUXeCF", "unsupported_type"),
    (f"{HOST}/episode/512ojhOuo1ktJprKbVcKyQ", "unsupported_type"),
    (f"{HOST}/show/38bS44xjbVVZ3No3ByF1dJ", "unsupported_type"),
    (f"{HOST}/collection/tracks", "unsupported_type"),
    (f"{HOST}@evil.example/track/{T}", "invalid_url"),
    (f"{HOST}.evil.example/track/{T}", "invalid_url"),
    (f"https://evil.example/open.spotify.com/track/{T}", "invalid_url"),
    (f"https://evil.example/?u={HOST}/track/{T}", "invalid_url"),
    (f"{HOST}:8443/track/{T}", "invalid_url"),
    (f"https://\u043epen.spotify.com/track/{T}", "bad_characters"),
    (f"{HOST}/track/4cOdK2wGLETKBW3PvgPWq\xe9", "bad_characters"),
    (f"javascript://open.spotify.com/track/{T}", "invalid_url"),
    (f"//open.spotify.com/track/{T}", "invalid_url"),
    (f"{HOST}/track/4cOdK2wGLETKBW3PvgPWq", "invalid_url"),
    (f"{HOST}/track/abc123", "invalid_url"),
    (f"{HOST}/track/4cOdK2wGLE-KBW3PvgPWqT", "invalid_url"),
    (f"{HOST}/track//{T}", "invalid_url"),
    (f"{HOST}/TRACK/{T}", "invalid_url"),
    (f"{HOST}/track/{T} {HOST}/album/{A}", "bad_characters"),
    (f"{HOST}/track/{T}?x={'a' * 3000}", "too_long"),
    ("", "empty"),
    (None, "not_text"),
    (123, "not_text"),
]

MORE_REFUSED = [
    (" \n\t ", "empty"),
    (b"bytes", "not_text"),
    (f"{HOST}/s/AbCdEf", "short_link"),
    (f"{HOST}/track/{T}\x00", "bad_characters"),
    (f"{HOST}/track/{T} --output /etc", "bad_characters"),
    (f"{HOST}/track/{T}\r\nHost: evil.example", "bad_characters"),
    (f"{HOST}/track/{T}.spotdl", "invalid_url"),
    (f"{HOST}/track/{T}/../../album/{A}", "invalid_url"),
    (f"{HOST}/track/7Zzzzzzzzzzzzzzzzzzzz!", "invalid_url"),
    (f"{HOST}/track/ZZZZZZZZZZZZZZZZZZZZZZ", "invalid_id"),
    (f"{HOST}/user/somebody", "unsupported_type"),
    ("/etc/passwd", "invalid_url"),
    ("file:///etc/passwd", "invalid_url"),
    ("--help", "invalid_url"),
    ("wonderwall", "invalid_url"),
]


def code_of(text: object) -> str:
    with pytest.raises(Invalid) as refused:
        parse_url(text)
    assert refused.value.sentence == SENTENCES[refused.value.code]
    return refused.value.code


def test_there_are_45_vectors() -> None:
    assert len(READ) + len(REFUSED) == 45


@pytest.mark.parametrize(("text", "ref"), READ)
def test_a_link_is_read(text: str, ref: Ref) -> None:
    assert parse_url(text) == ref


@pytest.mark.parametrize(("text", "code"), [*REFUSED, *MORE_REFUSED])
def test_what_is_no_link_is_refused_with_its_reason(text: object, code: str) -> None:
    assert code_of(text) == code


def test_links_of_every_country_are_read() -> None:
    assert parse_url(f"{HOST}/intl-pt-br/embed/album/{A}") == ALBUM


def test_every_reason_has_one_sentence_and_every_sentence_its_test() -> None:
    assert {code for _, code in [*REFUSED, *MORE_REFUSED]} == set(SENTENCES)
    for sentence in SENTENCES.values():
        assert sentence.endswith((".", ")."))
        assert "\n" not in sentence


# The first digit of an id stays below 8, or it would be more than 128 bits.
IDS = st.from_regex(r"[0-6][0-9A-Za-z]{21}", fullmatch=True)
REFS = st.builds(Ref, st.sampled_from(Kind), IDS)


@given(REFS)
def test_a_link_that_we_write_is_read_back(ref: Ref) -> None:
    assert parse_url(ref.url) == ref


@given(st.text() | st.from_regex(re.compile(r"(https?://)?open\.spotify\.com/.*", re.ASCII)))
@example(f"{HOST}/track/{T}?\u202e")
def test_any_text_is_read_cleanly_or_refused_with_a_sentence(text: str) -> None:
    try:
        ref = parse_url(text)
    except Invalid:
        assert code_of(text) in SENTENCES
    else:
        assert re.fullmatch(r"https://open\.spotify\.com/(track|album|playlist)/[0-9A-Za-z]{22}", ref.url)


@given(
    REFS,
    st.integers(0, 60),
    st.sampled_from("@\\%\0\r\n/:#?"),
    st.sampled_from(["", "evil.example", "//evil.example/"]),
)
def test_no_character_put_in_leads_to_another_thing(ref: Ref, place: int, character: str, host: str) -> None:
    text = ref.url[:place] + character + host + ref.url[place:]
    try:
        read = parse_url(text)
    except Invalid:
        return
    assert read == ref


@given(st.integers() | st.none() | st.binary() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_what_is_not_text_is_refused(thing: object) -> None:
    assert code_of(thing) == "not_text"


# What mutations are made of: pieces of addresses that are read differently by different readers.
PIECES = [
    *"@\\%/:?#&=.;,+ \t\r\n\0'\"<>|^`{}[]()~!*$_-0aZ\u00e9\u043e\u202e\uff0f\u3002\ud800",
    *("//", "../", "..%2f", "%00", "%0d%0a", "http://", "https://", "file://", "javascript:", "spotify:", "data:,"),
    *("evil.example", "@evil.example", ".evil.example", "127.0.0.1", "[::1]", "169.254.169.254", "localhost"),
    *("open.spotify.com", "spotify.link", "open.spotify.com/track/", "intl-de/", "embed/", ":443", ":80", ":8080"),
    *("track", "album", "playlist", "artist", T, A, P, "--output", ".spotdl", "?si=1", "#x"),
]
WRITTEN = re.compile(r"https://open\.spotify\.com/(track|album|playlist)/[0-9A-Za-z]{22}")
# An independent reading of what may be accepted at all; whatever is not this must have been refused.
GOOD_HOST = re.compile(
    r"\s*(?:[hH][tT][tT][pP][sS]?://)?[oO][pP][eE][nN]\.[sS][pP][oO][tT][iI][fF][yY]\.[cC][oO][mM](?::443|:80)?/"
)


def mutated(text: str, chance: random.Random) -> str:
    """Change a text in one to four places: put in, leave out, double, turn a letter's case, swap, cut off."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 1, 2, 8)))
        match chance.randrange(5):
            case 0:
                text = text[:start] + chance.choice(PIECES) + text[start:]
            case 1:
                text = text[:start] + text[end:]
            case 2:
                text = text[:end] + text[start:]
            case 3:
                text = text[:start] + text[start:end].swapcase() + text[end:]
            case _:
                text = text[:start] + chance.choice(PIECES) + text[end:]
    return text


def count_accepted(count: int, seed: int) -> int:
    """Parse mutations of every vector; fail for a foreign host, and for any exception that is not ours."""
    chance, accepted = random.Random(seed), 0
    texts = [text for text, _ in READ] + [text for text, _ in REFUSED if isinstance(text, str) and len(text) < 500]
    for _ in range(count):
        text = mutated(chance.choice(texts), chance)
        try:
            ref = parse_url(text)
        except Invalid as refused:
            if refused.code in SENTENCES:
                continue
            raise
        assert WRITTEN.fullmatch(ref.url), text
        assert GOOD_HOST.match(text), text
        assert ref.id in text, text
        accepted += 1
    return accepted


def test_no_mutation_of_twenty_thousand_gets_a_foreign_host_in() -> None:
    assert count_accepted(20_000, seed=random.randrange(2**32)) > 500


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_no_mutation_of_a_million_gets_a_foreign_host_in() -> None:
    assert count_accepted(1_000_000, seed=1) > 25_000


@pytest.mark.parametrize(
    "line",
    [
        *(text for text, _ in READ),
        *(
            text
            for text, code in REFUSED
            if isinstance(text, str) and "spotify" in text[:40] and code != "bad_characters"
        ),
        "https://open.spotify.com",
        "https://spotify.link/x",
        "spotify:track:x",
        "//open.spotify.com/x",
        "https://open.spotify.com@evil.example/track/x",
    ],
)
def test_a_line_that_names_spotify_is_told_by_its_host(line: str) -> None:
    if "evil.example/open" in line or "evil.example/?u" in line:
        assert not names_spotify(line)  # the host is another's, and the other parser refuses it
    else:
        assert names_spotify(line)


@pytest.mark.parametrize(
    "line",
    [
        "Spotify Girl - Hit",
        "Artist - spotify.com (Live)",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&from=spotify.com",
        "https://soundcloud.com/spotify/song",
        "spotify: the musical - Overture",
        "spotify",
        "",
        "a" * 100_000,
        f"spotify{'-' * 400}.com/track/{T}",  # no host is that long
    ],
)
def test_another_line_does_not_name_spotify(line: str) -> None:
    assert not names_spotify(line)


@pytest.mark.parametrize("identity", [None, "", "x", T + "x", f"{T[:-1]}/", f"{T[:-1]}\n", "Z" * 22])
def test_an_id_that_comes_from_elsewhere_is_checked_as_well(identity: object) -> None:
    assert check_id(T) == T
    with pytest.raises(Invalid) as refused:
        check_id(identity)
    assert refused.value.code == "invalid_id"
