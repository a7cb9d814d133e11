"""Guessing costs time."""

import pytest
from starlette.requests import Request

from soundforge.web._security import AttemptLimit, TooManyAttempts, client_key


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_sixth_attempt_in_a_minute_waits_and_others_do_not() -> None:
    clock = Clock()
    limit = AttemptLimit(5, 60, clock=clock)
    for _ in range(5):
        limit.take("eve")
        clock.now += 1
    with pytest.raises(TooManyAttempts) as refused:
        limit.take("eve")
    assert refused.value.code == "too_many_attempts"
    assert refused.value.retry_after_s == 55
    limit.take("ann")
    clock.now += 55
    limit.take("eve")
    with pytest.raises(TooManyAttempts):
        limit.take("eve")


def test_refused_attempts_do_not_lengthen_the_wait_and_success_ends_it() -> None:
    clock = Clock()
    limit = AttemptLimit(1, 60, clock=clock)
    limit.take("ann")
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            limit.take("ann")
    limit.forget("ann")
    limit.take("ann")


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    limit = AttemptLimit(5)
    for number in range(25_000):
        limit.take(str(number))
    assert len(limit._taken) <= 10_001
    limit.take("24999")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("testclient", "testclient"),
    ],
)
def test_one_customer_counts_as_one(address: str, key: str) -> None:
    assert client_key(Request({"type": "http", "headers": [], "client": (address, 1234)})) == key
