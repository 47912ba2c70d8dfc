"""The end of an invocation: everything that calls another system asks it first.

There are three ends, in this order. When the *budget* is spent, no new unit of work begins. At the
*last call*, no call to Plezi or Salesforce may still wait for its response. Until the *last save*,
results are stored: AWS stops the invocation soon after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from connector.errors import ConnectorError, StopReason

SAVE_SECONDS: Final = 10.0
"""Seconds that an invocation keeps, after its last call, to record results and its position."""
STOP_SECONDS: Final = 1.0
"""Seconds before AWS stops the invocation in which nothing is tried again."""
MIN_CALL_SECONDS: Final = 1.0
"""A call that may wait for less than this is not made: its response would often be lost."""


class DeadlineError(ConnectorError):
    """The invocation has no time for this call. Nothing was sent; another invocation continues."""

    reason = StopReason.OUT_OF_TIME


class Deadline:
    """The ends of the present invocation, by the process's clock (seconds).

    A process has one object, which `start` sets for each invocation. Before the first `start`, and
    in a process without a time-out, there is no end.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._budget_end = math.inf
        self._last_call = math.inf
        self._last_save = math.inf

    def start(self, *, remaining: float, budget: float = math.inf) -> None:
        """Set the ends: AWS stops the invocation in `remaining` seconds, `budget` is for work."""
        now = self._clock()
        self._last_call = now + remaining - SAVE_SECONDS
        self._last_save = now + remaining - STOP_SECONDS
        self._budget_end = min(now + budget, self._last_call)

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent: no new unit of work begins."""
        return self._clock() >= self._budget_end

    def seconds_left(self) -> float:
        """Return the seconds until the budget is spent; 0 when it is."""
        return max(0.0, self._budget_end - self._clock())

    def allows(self, seconds: float) -> bool:
        """Whether calls that take this long end before the last call must."""
        return self._clock() + seconds <= self._last_call

    def allows_pause(self, seconds: float) -> bool:
        """Whether a pause of this length ends in time to store a result."""
        return self._clock() + seconds <= self._last_save

    def call_seconds(self, longest: float) -> float:
        """Return for how long a call may wait for its response, `longest` at most.

        Raises `DeadlineError` when too little time is left to make the call.
        """
        seconds = min(longest, self._last_call - self._clock())
        if seconds < MIN_CALL_SECONDS:
            raise DeadlineError("the time of this invocation is used up")
        return seconds


def no_deadline() -> Deadline:
    """Return a deadline that never ends."""
    return Deadline(lambda: 0.0)
