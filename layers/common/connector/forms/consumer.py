"""The consumer of the forms queue: a hint is processed, and comes back later if it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from connector.deadline import Deadline
from connector.log_events import Event, EventLog
from connector.model import ChangeHint, HintDelivery, HintedContact, HintResult

UNREADABLE_DELAYS: Final = (5, 30, 120)
"""Seconds until a contact that Plezi does not return is read again; then the schedule reads it."""
BUSY_DELAY: Final = 5
"""Seconds until a link that another worker resolves is tried again: a batch of 200 takes 2. It
doubles with each try, because the other cause is a system that is down, often for hours."""
MAX_BUSY_DELAY: Final = 60
"""Seconds between two tries at most."""
MIN_MILLISECONDS: Final = 30_000
"""No hint starts with less time: one call without an answer takes 25 s (connect and read)."""


def busy_delay(tries: int) -> int:
    """Return the seconds until the next try of a hint that was tried `tries` times before."""
    return min(BUSY_DELAY << min(tries, MAX_BUSY_DELAY), MAX_BUSY_DELAY)


def max_busy_retries(worker_timeout: float) -> int:
    """Return how often a hint waits for a busy link.

    An intent older than the worker's time-out (seconds) belongs to a worker that is gone, and the
    next hint takes it over. So it is useless to wait longer than that, and once more.
    """
    tries, waited = 0, 0
    while waited <= worker_timeout:
        waited += busy_delay(tries)
        tries += 1
    return tries + 1


GIVEN_UP: Final = frozenset({HintResult.NOT_READABLE, HintResult.BUSY, HintResult.PAUSED})
"""Results with which a hint that does not come back has not had its effect. `not_started` is none:
an administrator paused synchronization."""


class DelayQueue(Protocol):
    """Where hints are queued that come back later."""

    def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
        """Queue a hint that is delivered after `delay` seconds."""


class FormHints(Protocol):
    """Where it is stored whom hints are about."""

    def save(self, trace: str, contact: HintedContact, now: float) -> None:
        """Store whom a hint is about; it may be repeated."""

    def load(self, trace: str) -> HintedContact | None:
        """Return whom a hint is about, or None."""

    def delete(self, trace: str) -> None:
        """Forget whom a hint was about."""


class FormConsumer:
    """Processes hints, and queues again those that must come back."""

    def __init__(  # noqa: PLR0913  # what a consumer needs, each by its name
        self,
        sync_contact: Callable[[ChangeHint], HintResult],
        hints: FormHints,
        queue: DelayQueue,
        log: EventLog,
        *,
        worker_timeout: float,
        describe_error: Callable[[BaseException], dict[str, str]],
        clock: Callable[[], float],
        deadline: Deadline,
    ) -> None:
        self._sync_contact = sync_contact
        self._hints = hints
        self._queue = queue
        self._log = log
        self._max_busy_retries = max_busy_retries(worker_timeout)
        self._describe_error = describe_error
        self._clock = clock
        self._deadline = deadline

    def consume(self, delivery: HintDelivery, remaining_millis: Callable[[], int]) -> bool:
        """Process one delivery; return False if the queue must deliver it again.

        An error belongs to this hint alone: the others of its batch are processed, and after five
        deliveries the message moves to the dead-letter queue.
        """
        hint = delivery.hint
        if hint is None:
            self._log(Event.form_message_invalid, message_id=delivery.message_id)
            return False
        if remaining_millis() < MIN_MILLISECONDS:
            self._log(Event.form_deferred, trace_id=hint.trace_id)
            return False
        self._deadline.start(remaining=remaining_millis() / 1000)
        try:
            result, delay = self.handle(hint, delivery.busy_retries)
        except Exception as error:  # noqa: BLE001  # the queue delivers the hint again
            described = self._describe_error(error)
            self._log(Event.form_hint_failed, trace_id=hint.trace_id, **described)
            return False
        self._report(hint, result, delay)
        return True

    def _report(self, hint: ChangeHint, result: HintResult, delay: int) -> None:
        """Log how a hint ended, with the seconds from its form to the applied contact."""
        is_timed = result is HintResult.RESOLVED and hint.received_at > 0
        seconds = max(0.0, round(self._clock() - hint.received_at, 1)) if is_timed else None
        self._log(
            Event.form_processed,
            trace_id=hint.trace_id,
            result=result.value,
            retry_in_seconds=delay,
            seconds=seconds,
        )
        if not delay and result in GIVEN_UP:
            self._log(Event.form_given_up, trace_id=hint.trace_id, result=result.value)

    def handle(self, hint: ChangeHint, busy_retries: int) -> tuple[HintResult, int]:
        """Process a hint; return its result, and after how many seconds it comes back (0: never).

        A hint that does not come back is not lost: the scheduled run reads the same contact.
        """
        named = self._named(hint)
        if named is None:
            return HintResult.FORGOTTEN, 0
        result, delay = self._process(named, busy_retries)
        if not delay:
            self._hints.delete(hint.trace_id)
        return result, delay

    def _named(self, hint: ChangeHint) -> ChangeHint | None:
        """Return a hint with whom it is about; None if that was forgotten since.

        A message of a version before 0.2 says it itself. It is stored, because the message that may
        follow it does not.
        """
        if hint.email or hint.contact_id:
            contact = HintedContact(hint.email, hint.contact_id)
            self._hints.save(hint.trace_id, contact, self._clock())
            return hint
        stored = self._hints.load(hint.trace_id)
        if stored is None:
            return None
        return replace(hint, email=stored.email, contact_id=stored.id)

    def _process(self, hint: ChangeHint, busy_retries: int) -> tuple[HintResult, int]:
        result = self._sync_contact(hint)
        if result is HintResult.NOT_READABLE and hint.attempt < len(UNREADABLE_DELAYS):
            delay = UNREADABLE_DELAYS[hint.attempt]
            next_hint = replace(hint, attempt=hint.attempt + 1)
            self._queue.send(next_hint, busy_retries=busy_retries, delay=delay)
            return result, delay
        if result is HintResult.BUSY and busy_retries < self._max_busy_retries:
            delay = busy_delay(busy_retries)
            self._queue.send(hint, busy_retries=busy_retries + 1, delay=delay)
            return result, delay
        return result, 0
