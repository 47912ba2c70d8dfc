"""The retry policy under a virtual clock: pauses, jitter, limits, advice, events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from connector.errors import RetryError, StopReason
from connector.retry import RetryEvent, RetryPolicy


@dataclass
class VirtualTime:
    """A clock that only a pause moves; it keeps the pauses."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class BusyError(Exception):
    """A temporary error."""


def is_busy(error: BaseException) -> bool:
    return isinstance(error, BusyError | RetryError)


@dataclass
class FlakyCall:
    """Raises an error a number of times, then returns 'done'."""

    failures: int
    make_error: Callable[[int], Exception] = lambda attempt: BusyError(f"try {attempt}")
    calls: int = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.make_error(self.calls)
        return "done"


def retry_after(seconds: float) -> Callable[[int], Exception]:
    return lambda _: RetryError("busy", reason=StopReason.PLEZI_UNAVAILABLE, after=seconds)


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def policy(time: VirtualTime) -> RetryPolicy:
    return RetryPolicy(
        time.sleep,
        lambda: 1.0,
        time.clock,
        first_pause=1.0,
        max_pause=8.0,
        max_seconds=100.0,
        max_attempts=7,
    )


def test_a_call_that_succeeds_is_made_once(policy: RetryPolicy, time: VirtualTime) -> None:
    call = FlakyCall(0)

    assert policy.call(call, retry_on=is_busy, operation="Get") == "done"

    assert call.calls == 1
    assert time.pauses == []


def test_the_pauses_double_up_to_the_maximum(policy: RetryPolicy, time: VirtualTime) -> None:
    assert policy.call(FlakyCall(6), retry_on=is_busy, operation="Get") == "done"

    assert time.pauses == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


@pytest.mark.parametrize("part", [0.0, 0.25, 0.5, 1.0])
def test_the_jitter_is_a_part_of_the_bound(
    policy: RetryPolicy, time: VirtualTime, part: float
) -> None:
    replace(policy, random=lambda: part).call(FlakyCall(4), retry_on=is_busy, operation="Get")

    assert time.pauses == [part * bound for bound in (1.0, 2.0, 4.0, 8.0)]


def test_the_last_error_is_raised_after_the_last_attempt(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    call = FlakyCall(100)

    with pytest.raises(BusyError, match="try 7"):
        policy.call(call, retry_on=is_busy, operation="Get")

    assert call.calls == 7
    assert len(time.pauses) == 6


def test_no_pause_ends_after_the_time_limit(policy: RetryPolicy, time: VirtualTime) -> None:
    call = FlakyCall(100)

    with pytest.raises(BusyError, match="try 4"):
        replace(policy, max_seconds=10.0).call(call, retry_on=is_busy, operation="Get")

    assert time.pauses == [1.0, 2.0, 4.0]  # the next pause of 8 s would end at 15 s


def test_the_time_of_the_calls_counts_towards_the_limit(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    def slow() -> str:
        time.now += 40.0
        raise BusyError

    with pytest.raises(BusyError):
        policy.call(slow, retry_on=is_busy, operation="Get")

    assert time.pauses == [1.0, 2.0]


def test_the_advice_of_the_server_is_the_shortest_pause(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    policy.call(FlakyCall(4, retry_after(3.0)), retry_on=is_busy, operation="Get")

    assert time.pauses == [3.0, 3.0, 4.0, 8.0]


def test_advice_longer_than_the_maximum_pause_is_followed(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    policy.call(FlakyCall(1, retry_after(60.0)), retry_on=is_busy, operation="Get")

    assert time.pauses == [60.0]


def test_advice_that_does_not_fit_into_the_time_limit_ends_the_call_at_once(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    with pytest.raises(RetryError) as caught:
        policy.call(FlakyCall(1, retry_after(101.0)), retry_on=is_busy, operation="Get")

    assert caught.value.after == 101.0
    assert time.pauses == []


def test_an_error_that_is_not_temporary_is_raised_at_once(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    call = FlakyCall(1, lambda _: ValueError("a defect"))

    with pytest.raises(ValueError, match="a defect"):
        policy.call(call, retry_on=is_busy, operation="Get")

    assert call.calls == 1
    assert time.pauses == []


def test_each_repetition_is_reported_before_its_pause(
    policy: RetryPolicy, time: VirtualTime
) -> None:
    events: list[tuple[RetryEvent, int]] = []
    reporting = replace(policy, on_retry=lambda event: events.append((event, len(time.pauses))))

    reporting.call(FlakyCall(2), retry_on=is_busy, operation="GetItem")

    found = [(event.operation, event.attempt, event.pause, event.elapsed) for event, _ in events]
    assert found == [("GetItem", 1, 1.0, 0.0), ("GetItem", 2, 2.0, 1.0)]
    assert [str(event.error) for event, _ in events] == ["try 1", "try 2"]
    assert [pauses for _, pauses in events] == [0, 1]
