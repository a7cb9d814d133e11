import pytest

from soundforge.sources._lengths import is_right_length


@pytest.mark.parametrize(("length_s", "wanted_s"), [(185, 180), (618, 600), (3, None), (0, 4)])
def test_three_percent_and_always_five_seconds_agree(length_s: float, wanted_s: float | None) -> None:
    assert is_right_length(length_s, wanted_s)


@pytest.mark.parametrize(("length_s", "wanted_s"), [(185.5, 180), (174.4, 180), (619, 600), (0, 6)])
def test_more_than_that_is_another_song(length_s: float, wanted_s: float) -> None:
    assert not is_right_length(length_s, wanted_s)
