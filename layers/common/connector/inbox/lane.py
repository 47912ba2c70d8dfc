"""The lane of forms: what is done next about a hint that could not be settled at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from connector.model import Heard, Hint

UNREADABLE_DELAYS: Final = (5, 30, 120)
"""Seconds until a contact that Plezi does not show yet is read again; then the schedule sees it."""
BUSY_DELAY: Final = 5
"""Seconds until a link that somebody else works on is tried again: a batch of 200 takes about 2."""


def busy_tries(worker_timeout: float) -> int:
    """Return how often a hint waits for a busy link.

    An intent older than the worker's time-out (seconds) belongs to the dead, and the next hint
    takes it over: whoever waited that long, and once more, waits for nothing.
    """
    return int(worker_timeout // BUSY_DELAY) + 2


class HintQueue(Protocol):
    """Where hints go that must come back."""

    def send(self, hint: Hint, *, waits: int = 0, delay: int = 0) -> None:
        """Ask for a hint to be heard after `delay` seconds."""


class FormLane:
    """Has hints heard, and sends again those that must come back."""

    def __init__(
        self, hear: Callable[[Hint], Heard], inbox: HintQueue, worker_timeout: float
    ) -> None:
        self._hear = hear
        self._inbox = inbox
        self._busy_tries = busy_tries(worker_timeout)

    def serve(self, hint: Hint, waits: int) -> tuple[Heard, int]:
        """Have a hint heard; return what became of it, and when it comes back (0: never).

        `waits` is how often it found somebody else at work. What never comes back is not lost: the
        scheduled run reads the same contact.
        """
        heard = self._hear(hint)
        if heard is Heard.NOT_READABLE and hint.attempt < len(UNREADABLE_DELAYS):
            delay = UNREADABLE_DELAYS[hint.attempt]
            self._inbox.send(replace(hint, attempt=hint.attempt + 1), waits=waits, delay=delay)
            return heard, delay
        if heard is Heard.BUSY and waits < self._busy_tries:
            self._inbox.send(hint, waits=waits + 1, delay=BUSY_DELAY)
            return heard, BUSY_DELAY
        return heard, 0
