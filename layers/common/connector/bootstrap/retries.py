"""The retry policy of a process, with its log."""

from __future__ import annotations

from collections.abc import Callable

from connector.deadline import Deadline
from connector.log_events import Event, EventLog
from connector.retry import RetryEvent, RetryPolicy
from connector.telemetry import describe_error

SECONDS_DECIMALS = 3


def retry_policy(
    sleep: Callable[[float], None],
    random: Callable[[], float],
    clock: Callable[[], float],
    log: EventLog,
    deadline: Deadline,
) -> RetryPolicy:
    """Return the retry policy; it writes one event to the log before each pause.

    `deadline` is that of the process.
    """

    def on_retry(event: RetryEvent) -> None:
        log(
            Event.retry,
            operation=event.operation,
            attempt=event.attempt,
            pause_seconds=round(event.pause, SECONDS_DECIMALS),
            **describe_error(event.error),
        )

    return RetryPolicy(sleep, random, clock, on_retry, deadline=deadline)
