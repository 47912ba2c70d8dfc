"""The measured pace of calls: how long the next call of a kind is expected to take."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from connector.deadline import Deadline, DeadlineError

T = TypeVar("T")

FIRST_GUESS_SECONDS: Final = 10.0
"""What a call is expected to take before one was measured: several times an ordinary call."""
LONGEST_SECONDS: Final = 120.0
"""No call is expected to take longer: Salesforce ends a query after 120 s (Salesforce Developer
Limits and Allocations Quick Reference), and the connector waits no longer for either system."""
MEASURED_CALLS: Final = 5
"""Calls that are remembered; an older one says little about the load of the moment."""
MARGIN: Final = 1.5
"""A call may take half as long again as the slowest of the last ones."""


class MeasuredPace:
    """The durations of one kind of call, by a clock in seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        first_guess: float = FIRST_GUESS_SECONDS,
        longest: float = LONGEST_SECONDS,
    ) -> None:
        self._clock = clock
        self._first_guess = first_guess
        self._longest = longest
        self._durations: deque[float] = deque(maxlen=MEASURED_CALLS)

    def expected_seconds(self) -> float:
        """Return for how long the next call is expected to take, in seconds."""
        slowest = max(self._durations, default=None)
        seconds = self._first_guess if slowest is None else slowest * MARGIN
        return min(seconds, self._longest)

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Measure the call that is made inside, whether it succeeds or not."""
        started = self._clock()
        try:
            yield
        finally:
            self._durations.append(max(0.0, self._clock() - started))


class PacedCalls:
    """Makes calls of several kinds; none that would probably not end before the deadline."""

    def __init__(self, deadline: Deadline, clock: Callable[[], float]) -> None:
        self._deadline = deadline
        self._paces: defaultdict[str, MeasuredPace] = defaultdict(partial(MeasuredPace, clock))

    def expected_seconds(self, kind: str) -> float:
        """Return for how long the next call of a kind is expected to take, in seconds."""
        return self._paces[kind].expected_seconds()

    def make(self, kind: str, call: Callable[[], T]) -> T:
        """Make a call and measure it.

        Raises `DeadlineError`, and calls nothing, when too little time is left for a call of this
        kind.
        """
        pace = self._paces[kind]
        if not self._deadline.allows(pace.expected_seconds()):
            raise DeadlineError("too little time is left for the next call")
        with pace.measure():
            return call()
