"""How the programs of a house are started."""

from collections.abc import Iterator

import pytest

from tests.support.zygote import Zygote, open_zygote


@pytest.fixture(scope="module")
def zygote(request: pytest.FixtureRequest) -> Iterator[Zygote | None]:
    """It forks the programs in no time; ``make soak`` starts them for real."""
    if request.config.option.markexpr == "soak":
        yield None
        return
    with open_zygote() as opened:
        yield opened
