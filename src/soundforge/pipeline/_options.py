"""The options of a separation, in a job's parameters and out of them again."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from soundforge.engines import SeparateOptions

# For people who do not want to know of overlap and shifts.
QUALITIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "usual": {},
    "fast": {"overlap": 0.1},
    "fine": {"overlap": 0.5, "shifts": 3},
}
_NAMES = frozenset(field.name for field in fields(SeparateOptions))
_PLAIN = asdict(SeparateOptions())


def to_params(options: SeparateOptions) -> dict[str, Any]:
    """What was asked for beyond the usual, as JSON can hold it."""
    return {name: value for name, value in asdict(options).items() if value != _PLAIN[name]}


def from_params(params: Mapping[str, Any]) -> SeparateOptions:
    """The options of a job's parameters; what a later version may have added is passed over."""
    told = {name: value for name, value in (params.get("options") or {}).items() if name in _NAMES}
    lists = {name: tuple(told[name]) for name in ("stems", "region_s") if told.get(name) is not None}
    return SeparateOptions(**{**told, **lists})


def region_word(options: SeparateOptions) -> str:
    """The region as a part of a key: "10-40.5", or "whole"."""
    return "-".join(f"{second:g}" for second in options.region_s) if options.region_s else "whole"
