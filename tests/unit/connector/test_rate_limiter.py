"""The tenant's rate holds over all functions together; the processes run on a virtual clock."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence

import pytest

from connector.deadline import Deadline, DeadlineError, no_deadline
from connector.errors import RetryError, StopReason
from connector.plezi.rate_limiter import NoSlotError, RateLimiter
from connector.stores import Reservation
from local.world.memory import MemoryLedger
from tests.virtual_time import VirtualTime

RATE = 2.0
WINDOW = 10.0
STORE_SECONDS = 0.005
"""How long a reservation takes."""
LATENCY = 0.2


class Function:
    """One function that calls Plezi; the start of each call is added to `sent`."""

    def __init__(
        self, time: VirtualTime, ledger: CountingLedger, sent: list[float], rate: float = RATE
    ) -> None:
        self.time = time
        self.limiter = RateLimiter(rate, ledger, time.clock, time.sleep, no_deadline())
        self.sent: list[float] = []
        self._all_sent = sent

    def call(self, latency: float = LATENCY) -> float:
        """Make one call; return for how long it waited for its slot."""
        before = self.time.now
        self.limiter.acquire()
        self.sent.append(self.time.now)
        self._all_sent.append(self.time.now)
        self.time.sleep(latency)
        return self.sent[-1] - before

    def call_until(self, end: float, pause: Callable[[], float]) -> Callable[[], None]:
        """Return a process that calls again and again, with pauses."""

        def process() -> None:
            while self.time.now < end:
                self.call()
                self.time.sleep(pause())

        return process


class CountingLedger(MemoryLedger):
    """Counts reservations, each of which takes a moment in which other processes run."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time
        self.reservations = 0
        self.is_unavailable = False

    def reserve_slots(self, now: float, number: int, gap: float) -> Reservation:
        if self.is_unavailable:
            raise RetryError("DynamoDB is busy", reason=StopReason.AWS_UNAVAILABLE)
        self.reservations += 1
        self._time.sleep(STORE_SECONDS)
        reserved = super().reserve_slots(now, number, gap)
        self._time.sleep(STORE_SECONDS)
        return reserved


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def ledger(time: VirtualTime) -> CountingLedger:
    return CountingLedger(time)


def most_in_a_window(sent: Sequence[float], seconds: float = WINDOW) -> int:
    """Return the largest number of calls within any window of this length."""
    calls = sorted(sent)
    return max(bisect_left(calls, start + seconds) - at for at, start in enumerate(calls))


@pytest.mark.parametrize("rate", [0.5, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("seed", range(5))
def test_four_functions_with_random_pauses_keep_the_rate_and_use_it(
    time: VirtualTime, ledger: CountingLedger, rate: float, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # pauses
    start, sent = time.now, list[float]()
    functions = [Function(time, ledger, sent, rate) for _ in range(4)]
    longest_pause = 2 * (4 / rate - LATENCY) / 1.5  # four of them want 1.5 times the rate
    pauses = [lambda: rng.uniform(0, max(0.0, longest_pause))] * 4
    seconds = 600 / rate

    time.run(
        *(
            each.call_until(start + seconds, pause)
            for each, pause in zip(functions, pauses, strict=True)
        )
    )

    assert most_in_a_window(sent) <= rate * WINDOW + 1
    assert len(sent) >= 0.9 * rate * seconds


@pytest.mark.parametrize("seed", range(3))
def test_bursts_and_long_pauses_never_exceed_the_rate(
    time: VirtualTime, ledger: CountingLedger, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # pauses
    sent = list[float]()
    functions = [Function(time, ledger, sent) for _ in range(4)]

    def pause() -> float:
        return rng.choice([0.0, 0.0, 0.0, 0.0, 0.4, 0.9, 3.0, 15.0])

    time.run(*(each.call_until(time.now + 600, pause) for each in functions))

    assert most_in_a_window(sent) <= RATE * WINDOW + 1


def test_a_busy_run_uses_its_whole_rate_with_one_reservation_in_two_seconds(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    sent = list[float]()
    run = Function(time, ledger, sent)

    time.run(run.call_until(time.now + 600, lambda: 0.0))

    assert len(sent) == pytest.approx(600 * RATE, rel=0.01)
    assert most_in_a_window(sent) <= RATE * WINDOW + 1
    assert ledger.reservations <= 600 / 2 + 10


def test_a_slow_answer_of_plezi_does_not_lose_slots(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    """T2: with 1.6 s for each call, one process cannot use the rate, and two get twice as far."""
    sent = list[float]()
    first, second = Function(time, ledger, sent), Function(time, ledger, sent)

    def slow(function: Function) -> Callable[[], None]:
        def process() -> None:
            for _ in range(100):
                function.call(1.6)

        return process

    start = time.now
    time.run(slow(first), slow(second))

    assert time.now - start <= 100 * 1.6 * 1.1


def test_forty_forms_beside_a_run_keep_the_rate_and_wait_their_turn(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    """T5, with the five form workers of the template: a form reads once and writes once."""
    start, sent = time.now, list[float]()
    run = Function(time, ledger, sent)
    workers = [Function(time, ledger, sent) for _ in range(5)]
    forms, waits = iter(range(40)), list[float]()

    def work(worker: Function) -> Callable[[], None]:
        def process() -> None:
            time.sleep(5.0)
            for _ in forms:
                waits.append(worker.call())
                time.sleep(1.8)  # a look-up and a write in Salesforce
                waits.append(worker.call())

        return process

    time.run(run.call_until(start + 120, lambda: 0.0), *(work(each) for each in workers))

    assert most_in_a_window(sent) <= RATE * WINDOW + 1
    assert len(sent) >= 0.9 * RATE * 120
    assert len(waits) == 80
    # two seconds of the run's slots, one slot of each other form, and the half second of its own
    assert max(waits) <= 2.0 + 5 * 0.5 + 0.1


def test_one_form_beside_a_busy_run_waits_for_two_seconds_at_most(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    run, form = Function(time, ledger, []), Function(time, ledger, [])
    waits = list[float]()

    def submit() -> None:
        for number in range(50):
            time.sleep(7.0 + number * 0.13)
            waits.append(form.call())

    time.run(run.call_until(time.now + 600, lambda: 0.0), submit)

    assert max(waits) <= 2.5 + 2 * STORE_SECONDS


def test_a_slot_that_is_more_than_a_gap_late_is_not_used(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    function = Function(time, ledger, [])
    time.run(lambda: [function.call(0.0) for _ in range(8)])
    reservations = ledger.reservations

    def after_a_pause() -> None:
        time.sleep(3600.0)  # AWS stops the process between two invocations
        for _ in range(3):
            function.call(0.0)

    time.run(after_a_pause)

    first, second, third = function.sent[-3:]
    assert ledger.reservations > reservations
    assert second - first == pytest.approx(0.5, abs=0.02)
    assert third - second == pytest.approx(0.5, abs=0.02)


def test_an_answer_of_too_many_calls_stops_all_functions(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    one, other = Function(time, ledger, []), Function(time, ledger, [])

    def refused() -> None:
        one.call()
        one.limiter.postpone(20.0)
        one.call()

    def later() -> None:
        time.sleep(1.0)
        other.call()

    start = time.now
    time.run(refused, later)

    assert min(one.sent[1], other.sent[0]) >= start + 20.0


def test_nobody_waits_for_a_tenant_that_is_closed_for_minutes(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    one, other = Function(time, ledger, []), Function(time, ledger, [])
    one.limiter.postpone(3600.0)
    start = time.now

    with pytest.raises(NoSlotError) as refused:
        time.run(other.call)

    assert refused.value.reason is StopReason.PLEZI_UNAVAILABLE
    assert refused.value.after == pytest.approx(600.0)
    assert time.now - start < 1.0


def test_an_invocation_does_not_wait_into_its_end(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    deadline = Deadline(time.clock)
    limiter = RateLimiter(0.1, ledger, time.clock, time.sleep, deadline)
    deadline.start(remaining=18.0)
    time.run(limiter.acquire)  # the next one may be made in 10 s, and the last one in 8 s
    before = time.now

    with pytest.raises(DeadlineError):
        time.run(limiter.acquire)

    assert time.now - before < 1.0
    deadline.start(remaining=60.0)
    time.run(limiter.acquire)
    assert time.now - before >= 10.0


def test_no_call_is_made_while_the_store_is_away(time: VirtualTime, ledger: CountingLedger) -> None:
    ledger.is_unavailable = True
    with pytest.raises(NoSlotError) as refused:
        time.run(Function(time, ledger, []).call)
    assert refused.value.reason is StopReason.AWS_UNAVAILABLE


def test_without_a_limit_no_slot_is_reserved(time: VirtualTime, ledger: CountingLedger) -> None:
    function = Function(time, ledger, [], rate=0)
    time.run(lambda: [function.call(0.0) for _ in range(100)])
    function.limiter.postpone(100.0)
    assert (ledger.reservations, len(set(function.sent))) == (0, 1)


def test_functions_whose_clocks_differ_keep_the_rate_in_the_long_run(
    time: VirtualTime, ledger: CountingLedger
) -> None:
    """A second of difference may move calls together by a second, and no more."""
    sent = list[float]()
    ahead, behind = Function(time, ledger, sent), Function(time, ledger, sent)
    ahead.limiter = RateLimiter(RATE, ledger, lambda: time.now + 1.0, time.sleep, no_deadline())

    time.run(*(each.call_until(time.now + 600, lambda: 0.1) for each in (ahead, behind)))

    assert most_in_a_window(sent) <= RATE * (WINDOW + 1.0) + 1
    assert len(sent) <= RATE * 601 + 1
