"""When two lengths are the same song's."""

_SHARE, _LEAST_S = 0.03, 5.0  # covers, cut intros and rounding stay below; another version mostly does not


def is_right_length(length_s: float, wanted_s: float | None) -> bool:
    """Whether a found length agrees with what is known: within 3 %, and always within 5 s. Unknown agrees."""
    return wanted_s is None or abs(length_s - wanted_s) <= max(_LEAST_S, _SHARE * wanted_s)
