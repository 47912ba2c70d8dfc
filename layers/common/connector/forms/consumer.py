"""The lane of forms: what is done next about a hint that could not be settled at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from connector.model import ChangeHint, HintResult

UNREADABLE_DELAYS: Final = (5, 30, 120)
"""Seconds until a contact that Plezi does not show yet is read again; then the schedule sees it."""
BUSY_DELAY: Final = 5
"""Seconds until a link that somebody else works on is tried again: a batch of 200 takes about 2."""


def max_busy_retries(worker_timeout: float) -> int:
    """Return how often a hint busy_retries for a busy link.

    An intent older than the worker's time-out (seconds) belongs to the dead, and the next hint
    takes it over: whoever waited that long, and once more, busy_retries for nothing.
    """
    return int(worker_timeout // BUSY_DELAY) + 2


class HintQueue(Protocol):
    """Where hints go that must come back."""

    def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
        """Ask for a hint to be heard after `delay` seconds."""


class FormConsumer:
    """Has hints heard, and sends again those that must come back."""

    def __init__(
        self, hear: Callable[[ChangeHint], HintResult], inbox: HintQueue, worker_timeout: float
    ) -> None:
        self._sync_contact = hear
        self._inbox = inbox
        self._busy_tries = max_busy_retries(worker_timeout)

    def handle(self, hint: ChangeHint, busy_retries: int) -> tuple[HintResult, int]:
        """Have a hint heard; return what became of it, and when it comes back (0: never).

        `busy_retries` is how often it found somebody else at work. What never comes back is not lost: the
        scheduled run reads the same contact.
        """
        heard = self._sync_contact(hint)
        if heard is HintResult.NOT_READABLE and hint.attempt < len(UNREADABLE_DELAYS):
            delay = UNREADABLE_DELAYS[hint.attempt]
            self._inbox.send(
                replace(hint, attempt=hint.attempt + 1), busy_retries=busy_retries, delay=delay
            )
            return heard, delay
        if heard is HintResult.BUSY and busy_retries < self._busy_tries:
            self._inbox.send(hint, busy_retries=busy_retries + 1, delay=BUSY_DELAY)
            return heard, BUSY_DELAY
        return heard, 0
