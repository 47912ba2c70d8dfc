"""Change hints of submitted forms: queued, delivered, processed."""

from __future__ import annotations

from dataclasses import dataclass

from connector.described_enum import DescribedEnum


@dataclass(frozen=True, slots=True)
class ChangeHint:
    """A notice that a Plezi contact may have changed; it carries no values.

    Either `email` (canonical) or `contact_id` (Plezi's id) is given; a message of the queue has
    neither, and they are stored apart (`FormHints`). `trace_id` identifies the form
    submission up to the Lead; `attempt` counts, from 0, the attempts at which the contact was not
    readable yet. `received_at` is when the form was accepted, in seconds by our clock (0: not
    known).
    """

    trace_id: str
    email: str = ""
    contact_id: str = ""
    attempt: int = 0
    received_at: float = 0.0


@dataclass(frozen=True, slots=True)
class HintedContact:
    """Whom a hint is about: a canonical e-mail or Plezi's id of a contact ('': not given)."""

    email: str
    id: str


@dataclass(frozen=True, slots=True)
class HintDelivery:
    """A message of the forms queue as delivered; `hint` is None if it cannot be read.

    `busy_retries` is how often the hint found its link busy.
    """

    message_id: str
    hint: ChangeHint | None
    busy_retries: int = 0


class HintResult(DescribedEnum):
    """The result of processing a change hint."""

    RESOLVED = "resolved", "Both sides agree, or the rest is recorded for a later run."
    NOT_READABLE = "not_readable", "Plezi does not show the contact yet."
    BUSY = "busy", "Another process works on the link; the hint is tried again."
    NOT_STARTED = "not_started", "The start switch is off."
    FORGOTTEN = (
        "forgotten",
        "It is not known whom the form was of: the person was erased, or the hint came once more.",
    )
    PAUSED = "paused", "The API budget is used up; the schedule synchronizes the contact later."


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The stored state of a signed message: its trace id, and whether its hint was sent."""

    trace_id: str
    sent: bool
