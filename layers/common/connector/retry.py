"""The retry policy: how often a call is repeated, and how long the pauses between the tries are.

Every repeated call of the connector goes through `RetryPolicy.call`. The pauses follow
exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): a
random part of a bound that doubles with each try. Full jitter spreads the calls of invocations
that were refused at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from connector.deadline import Deadline, no_deadline
from connector.errors import RetryError

T = TypeVar("T")

FIRST_PAUSE_SECONDS: Final = 0.05
"""Bound of the first pause: the base that the AWS SDKs use for DynamoDB ("Error retries and
exponential backoff in DynamoDB": 50 ms, then 100 ms, then 200 ms)."""
MAX_PAUSE_SECONDS: Final = 5.0
"""Bound of every pause. DynamoDB adds capacity within seconds; a longer pause gains nothing."""
MAX_SECONDS: Final = 30.0
"""Seconds from the first try to the start of the last one: half a minute of throttling passes,
and a worker's budget of several minutes is not spent on one call."""
MAX_ATTEMPTS: Final = 25
"""Tries in all. With full jitter the pauses of 25 tries add up to 45 s on average, so the time
limit stops a call first; this number bounds the calls when the random pauses are short."""


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """One repetition: which operation, after how many tries, why, and the pause before the next.

    `pause` and `elapsed` (since the first try) are in seconds.
    """

    operation: str
    attempt: int
    pause: float
    elapsed: float
    error: BaseException


def ignore_event(_event: RetryEvent) -> None:
    """Do not report a repetition."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Repeats calls within a number of tries and a time, whichever ends first.

    `sleep` takes seconds, `random` returns a number from 0 to 1, `clock` returns seconds that grow.
    `on_retry` receives one event before each pause. Numbers of another system are set with
    `dataclasses.replace`. No pause is longer than `deadline` allows.
    """

    sleep: Callable[[float], None]
    random: Callable[[], float]
    clock: Callable[[], float]
    on_retry: Callable[[RetryEvent], None] = ignore_event
    first_pause: float = FIRST_PAUSE_SECONDS
    max_pause: float = MAX_PAUSE_SECONDS
    max_seconds: float = MAX_SECONDS
    max_attempts: int = MAX_ATTEMPTS
    deadline: Deadline = field(default_factory=no_deadline)

    def call(
        self, fn: Callable[[], T], *, retry_on: Callable[[BaseException], bool], operation: str
    ) -> T:
        """Call `fn` until it returns, and return its result.

        `retry_on` says whether an error is temporary; any other error is raised at once. After the
        last try the last error is raised unchanged. A pause is never shorter than the advice of
        the server (`RetryError.after`); when the advice does not fit into the time limit, the
        error is raised at once.
        """
        started = self.clock()

        def is_over(state: RetryCallState) -> bool:
            end_of_pause = self.clock() - started + state.upcoming_sleep
            return (
                state.attempt_number >= self.max_attempts
                or end_of_pause > self.max_seconds
                or not self.deadline.allows_pause(state.upcoming_sleep)
            )

        def report(state: RetryCallState) -> None:
            self.on_retry(
                RetryEvent(
                    operation,
                    state.attempt_number,
                    state.upcoming_sleep,
                    self.clock() - started,
                    _error(state),
                )
            )

        retrying = Retrying(
            sleep=self.sleep,
            stop=is_over,
            wait=self._pause,
            retry=retry_if_exception(retry_on),
            before_sleep=report,
            reraise=True,
        )
        return retrying(fn)

    def _pause(self, state: RetryCallState) -> float:
        """Return the seconds before the next try."""
        bound = min(self.max_pause, self.first_pause * 2.0 ** (state.attempt_number - 1))
        error = _error(state)
        advice = error.after if isinstance(error, RetryError) else 0.0
        return max(advice, self.random() * bound)


def _error(state: RetryCallState) -> BaseException:
    """Return the error of the last try."""
    error = state.outcome.exception() if state.outcome is not None else None
    if error is None:
        raise TypeError("a call that succeeded is not repeated")
    return error
