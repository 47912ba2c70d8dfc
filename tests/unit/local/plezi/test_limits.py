"""The token bucket: what a minute allows, and what a wait gives back."""

from __future__ import annotations

from datetime import UTC, datetime

from local.control import SimulatedClock
from local.plezi_tenant.limits import TokenBucket


def standing_clock() -> SimulatedClock:
    clock = SimulatedClock()
    clock.set(datetime(2026, 11, 23, tzinfo=UTC), frozen=True)
    return clock


def test_no_limit_never_makes_anybody_wait() -> None:
    bucket = TokenBucket(standing_clock())
    assert [bucket.wait_for_one(0) for _ in range(1000)] == [0] * 1000


def test_waiting_as_long_as_told_is_enough_and_a_second_less_is_not() -> None:
    clock = standing_clock()
    bucket = TokenBucket(clock)
    assert [bucket.wait_for_one(3) for _ in range(4)] == [0, 0, 0, 20]
    clock.advance(19)
    assert bucket.wait_for_one(3) == 1
    clock.advance(1)
    assert bucket.wait_for_one(3) == 0


def test_a_quiet_hour_saves_up_no_more_than_a_minute() -> None:
    clock = standing_clock()
    bucket = TokenBucket(clock)
    bucket.wait_for_one(2)
    clock.advance(3600)
    assert [bucket.wait_for_one(2) for _ in range(3)] == [0, 0, 30]


def test_a_clock_that_goes_backwards_gives_nothing_back() -> None:
    clock = standing_clock()
    bucket = TokenBucket(clock)
    bucket.wait_for_one(1)
    clock.advance(-3600)
    assert bucket.wait_for_one(1) == 60
