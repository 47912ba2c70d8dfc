"""The token bucket: its capacity and its refill."""

from __future__ import annotations

from datetime import UTC, datetime

from local.control import SimulatedClock
from local.plezi_tenant.limits import TokenBucket


def frozen_clock() -> SimulatedClock:
    clock = SimulatedClock()
    clock.set(datetime(2026, 11, 23, tzinfo=UTC), frozen=True)
    return clock


def test_without_a_limit_no_call_waits() -> None:
    bucket = TokenBucket(frozen_clock())
    assert [bucket.take(0) for _ in range(1000)] == [0] * 1000


def test_the_returned_wait_is_sufficient_and_one_second_less_is_not() -> None:
    clock = frozen_clock()
    bucket = TokenBucket(clock)
    assert [bucket.take(3) for _ in range(4)] == [0, 0, 0, 20]
    clock.advance(19)
    assert bucket.take(3) == 1
    clock.advance(1)
    assert bucket.take(3) == 0


def test_the_bucket_never_exceeds_one_minute_of_calls() -> None:
    clock = frozen_clock()
    bucket = TokenBucket(clock)
    bucket.take(2)
    clock.advance(3600)
    assert [bucket.take(2) for _ in range(3)] == [0, 0, 30]


def test_a_clock_set_back_refills_nothing() -> None:
    clock = frozen_clock()
    bucket = TokenBucket(clock)
    bucket.take(1)
    clock.advance(-3600)
    assert bucket.take(1) == 60
