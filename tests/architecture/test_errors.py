"""Each error has a stable code and one sentence, and docs/errors.md lists them all."""

from scripts.docs import ERRORS, FAMILIES, error_uses, errors_page
from soundforge import errors


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
