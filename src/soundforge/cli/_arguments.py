"""What several commands take alike: how much of a list, from where, and a moment."""

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from soundforge.errors import Invalid

MOST = 500  # as in the API

type Limit = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST), help=f"How many at most, 1 to {MOST}.")]
type After = Annotated[str | None, Parameter(help="Go on behind this place, which the page before ends with.")]


def read_moment(text: str) -> datetime:
    """Read a moment with its zone, as `tracks batch delete` says it; raises ``Invalid`` ("bad_moment")."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        sentence = "Give the moment as `tracks batch delete` said it, like 2026-11-26T12:00:00.123456+00:00."
        raise Invalid(sentence, code="bad_moment")
    return moment
