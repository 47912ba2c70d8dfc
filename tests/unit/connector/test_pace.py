"""The measured pace of calls, and calls that are not made when they would end too late."""

from __future__ import annotations

import pytest

from connector.deadline import Deadline, DeadlineError
from connector.pace import (
    FIRST_GUESS_SECONDS,
    LONGEST_SECONDS,
    MEASURED_CALLS,
    MeasuredPace,
    PacedCalls,
)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def take(self, seconds: float) -> None:
        self.now += seconds


def measure(pace: MeasuredPace, time: Time, *durations: float) -> None:
    for seconds in durations:
        with pace.measure():
            time.take(seconds)


def test_a_call_takes_half_as_long_again_as_the_slowest_of_the_last_ones() -> None:
    time = Time()
    pace = MeasuredPace(time.clock)
    assert pace.expected_seconds() == FIRST_GUESS_SECONDS
    measure(pace, time, 1, 4, 2)
    assert pace.expected_seconds() == 6
    measure(pace, time, *[1] * MEASURED_CALLS)
    assert pace.expected_seconds() == 1.5
    measure(pace, time, 500)
    assert pace.expected_seconds() == LONGEST_SECONDS


def test_a_clock_that_is_set_back_measures_no_negative_time() -> None:
    time = Time()
    pace = MeasuredPace(time.clock)
    measure(pace, time, -60)

    assert pace.expected_seconds() == 0


def test_a_call_that_fails_is_measured_too() -> None:
    time = Time()
    pace = MeasuredPace(time.clock)

    def lose_the_response() -> None:
        with pace.measure():
            time.take(8)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        lose_the_response()

    assert pace.expected_seconds() == 12


def test_each_kind_of_call_has_its_own_pace() -> None:
    time = Time()
    deadline = Deadline(time.clock)
    calls = PacedCalls(deadline, time.clock)
    calls.make("slow", lambda: time.take(30))
    calls.make("fast", lambda: time.take(1))
    deadline.start(remaining=40)

    assert calls.make("fast", lambda: "made") == "made"
    with pytest.raises(DeadlineError):
        calls.make("slow", lambda: "made")
