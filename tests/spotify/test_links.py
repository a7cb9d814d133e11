"""Links to Spotify: what is read, what is refused and why, whatever somebody types."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soundforge.errors import Invalid
from soundforge.spotify import SENTENCES, Kind, Ref, parse_url

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
