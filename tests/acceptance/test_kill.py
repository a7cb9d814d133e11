"""kill -9 of server, worker, child and PostgreSQL, at named steps and at random: nothing is lost, doubled or left."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.gates import install_gates
from tests.support.kill import Outcome, check_whole, strike
from tests.support.moments import Moment, every_moment, failing_moments, ten_moments, unhurried_moments
from tests.support.studio import OVER_S, Studio, open_studio
from tests.support.zygote import Zygote

FIRST_SONG_S = 12.0  # it is separated and analysed again and again: long enough to catch a child at work


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[list[Outcome]]:
    """What became of each kill; reported at the end."""
    found: list[Outcome] = []
    yield found
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write("\n".join(["", *map(str, found), ""]))


@contextmanager
def furnished(**how: Any) -> Iterator[Studio]:
    """A house with finished songs; it goes through all kills, and ``db verify`` has the last word."""
    with open_studio(**how) as house:
        house.start()
        house.request_import(FIRST_SONG_S)
        house.wait_until_over(OVER_S)
        house.request_import()  # tells how long a song takes here
        house.wait_until_over(OVER_S)
        install_gates(house.dsn)
        yield house
        status, said = house.command("db", "verify")
        assert status == 0, said


@pytest.fixture(scope="module")
def studio(zygote: Zygote | None) -> Iterator[Studio]:
    """One house with scaled clocks."""
    with furnished(zygote=zygote) as house:
        yield house


@pytest.fixture(scope="module")
def unhurried() -> Iterator[Studio]:
    """One whose clocks run as they do for people: heartbeats, back-offs, everything."""
    with furnished(scale=1.0) as house:
        yield house


def numbered(moments: list[Moment]) -> list[object]:
    return [pytest.param(moment, id=f"{number}: {moment}") for number, moment in enumerate(moments, 1)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", numbered(ten_moments()))
def test_a_kill_loses_doubles_and_leaves_nothing(studio: Studio, outcomes: list[Outcome], moment: Moment) -> None:
    outcomes.append(strike(studio, moment))
    check_whole(studio)


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", numbered(every_moment()))
def test_a_hundred_kills_lose_double_and_leave_nothing(studio: Studio, outcomes: list[Outcome], moment: Moment) -> None:
    outcomes.append(strike(studio, moment))
    check_whole(studio)


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", numbered(failing_moments()))
def test_a_kill_at_an_ending_without_success_leaves_nothing_either(
    studio: Studio, outcomes: list[Outcome], moment: Moment
) -> None:
    outcomes.append(strike(studio, moment))
    check_whole(studio)


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", numbered(unhurried_moments()))
def test_all_is_in_place_within_a_minute_also_with_clocks_as_people_have_them(
    unhurried: Studio, outcomes: list[Outcome], moment: Moment
) -> None:
    outcome = strike(unhurried, moment)
    outcomes.append(outcome)
    assert max(outcome.runs.values(), default=1) <= 2, "one kill costs one run"
    check_whole(unhurried)
