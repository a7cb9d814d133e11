"""Each error has a stable code and one sentence, and docs/errors.md lists them all."""

import re

from scripts.docs import ERRORS, FAMILIES, ROOT, error_uses, errors_page
from soundforge import errors

# Read as text, so that what the page is made with cannot hide what it does not see.
_MADE = (
    re.compile(r"""\bcode="([a-z_]+)\""""),  # given to an error, or written to a job's row
    re.compile(r"""^    code = "([a-z_]+)\"""", re.MULTILINE),  # of a class of errors
    re.compile(r"""explain\([^)]*?\)?, \w+, "([a-z_]+)\""""),  # an answer that no error was raised for
)
# What a family is called that nobody gave a code; the test below this one sees to it that everybody gives one.
_OF_FAMILIES = {"rejected", "invalid", "not_found", "conflict", "forbidden", "unavailable", "broken"}


def test_every_code_in_the_sources_stands_on_the_page() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")]
    made = {code for text in sources for pattern in _MADE for code in pattern.findall(text)}
    assert {"storage_away", "not_logged_in", "request_too_large", "http_error"} <= made  # each pattern finds something
    listed = {*re.findall(r"^\| `([a-z_]+)` \|", ERRORS.read_text("utf-8"), re.MULTILINE)}
    assert sorted(made - listed - _OF_FAMILIES) == []


def test_every_error_has_a_code_that_can_be_read_in_the_source() -> None:
    nameless = [f"{use.path}:{use.line} {use.family}" for use in error_uses() if use.code is None]
    assert not nameless, "\n".join(nameless)


def test_the_list_of_errors_is_what_the_code_says() -> None:
    assert ERRORS.read_text("utf-8") == errors_page(), "run `make docs`"


def test_every_family_says_who_must_act() -> None:
    families = {
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, errors.SoundForgeError)
    }
    assert families - {"SoundForgeError"} == set(FAMILIES)


def test_a_sentence_is_one_sentence_or_two_and_ends_like_one() -> None:
    odd = [
        f"{use.path}:{use.line} {use.sentence}"
        for use in error_uses()
        if use.sentence != "…" and (not use.sentence.endswith((".", "…", "…).")) or len(use.sentence) > 250)
    ]
    assert not odd, "\n".join(odd)
