"""The events that the connector writes to its log; each has one name, one level and its fields.

A log line is one JSON object; `message` holds the event's name. No field holds a value that a
person typed, an e-mail address or a secret: a person is named by `link`, a hash of the key in the
ledger. The table in docs/operations.md is generated from here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

LINK_HASH_CHARACTERS: Final = 12
"""48 bits of SHA-256: two of a million people share a hash with a probability of 0.2 %."""


class Level(Enum):
    """How urgent an event is; the names of Python's `logging`."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class EventKind:
    """What an event means, how urgent it is, and which fields its line has."""

    level: Level
    meaning: str
    fields: tuple[str, ...] = ()


ERROR_FIELDS: Final = ("error", "aws_code", "aws_operation", "frame", "library_frame")


class Event(Enum):
    """The events by their names in the log."""

    run_requested = EventKind(Level.INFO, "A run was requested.", ("run_id", "kind"))
    run_started = EventKind(
        Level.INFO, "The first invocation of a run starts.", ("run_id", "kind", "phase")
    )
    phase_ended = EventKind(
        Level.INFO,
        "An invocation ended its part of a run.",
        ("run_id", "phase", "state", "seconds"),
    )
    run_ended = EventKind(
        Level.INFO,
        "A run ended; `reason` says why it stopped early.",
        ("run_id", "kind", "state", "reason", "invocations"),
    )
    deadline_reached = EventKind(
        Level.INFO,
        "The time of an invocation is used up; the run continues in another one.",
        ("run_id", "phase"),
    )
    page_read = EventKind(
        Level.INFO,
        "A page of changes was read and stored.",
        ("run_id", "record_kind", "records", "changed", "last"),
    )
    batch_resolved = EventKind(
        Level.INFO,
        "A batch of links was resolved.",
        (
            *("run_id", "links", "writes"),
            *("records_created", "records_updated", "links_quarantined", "fields_held"),
        ),
    )
    link_quarantined = EventKind(
        Level.WARNING,
        "Another system refused the write of one link.",
        ("run_id", "link", "side", "code", "field_names"),
    )
    link_failed = EventKind(
        Level.ERROR,
        "A step of one link failed, or its data cannot be used; all other links continue.",
        ("run_id", "link", "code", "detail"),
    )
    record_unreadable = EventKind(
        Level.WARNING,
        "A record of a response cannot be used, and no link is known for it.",
        ("record_kind", "code", "detail"),
    )
    breaker_opened = EventKind(Level.ERROR, "Synchronization stopped itself.", ("run_id", "reason"))
    login = EventKind(Level.INFO, "A login to Salesforce succeeded.", ("flow", "secret_version"))
    login_failed = EventKind(
        Level.ERROR,
        "Salesforce refused a login, or could not be reached for one.",
        ("flow", "secret_version", "reason", "code"),
    )
    retry = EventKind(
        Level.WARNING,
        "A call failed and is tried again.",
        ("operation", "attempt", "pause_seconds", *ERROR_FIELDS),
    )
    alert_sent = EventKind(Level.WARNING, "An alert was sent.", ("alert", "key"))
    alert_failed = EventKind(
        Level.ERROR, "An alert could not be sent; the next run tries again.", ("alert", "key")
    )
    health_measured = EventKind(
        Level.INFO,
        "What the end of a run found; the metrics of quarantine, API calls and credentials.",
        (
            *("quarantine_links", "quarantine_days", "api_share_percent", "password_days"),
            "credential_days",
        ),
    )
    rotation_refused = EventKind(
        Level.ERROR,
        "A new version of a secret did not become current; `cause` says why.",
        ("secret", "cause"),
    )
    password_age_unknown = EventKind(
        Level.WARNING, "The age of the Salesforce password could not be read.", ("reason",)
    )
    plezi_api_not_checked = EventKind(
        Level.WARNING, "The weekly check of Plezi's API could not be made.", ("reason",)
    )
    form_received = EventKind(
        Level.INFO, "A form was accepted and queued.", ("trace_id", "api_request_id", "signed")
    )
    form_refused = EventKind(Level.WARNING, "A form was refused.", ("status", "api_request_id"))
    form_not_stored = EventKind(
        Level.ERROR,
        "A form could not be queued; the sender gets status 503 and sends it again.",
        ("api_request_id", *ERROR_FIELDS),
    )
    forms_secret_unusable = EventKind(
        Level.ERROR,
        "The secret for forms has no usable key, so every form gets status 503.",
        ("cause",),
    )
    form_processed = EventKind(
        Level.INFO,
        "The contact of a form was synchronized, or its hint comes back later.",
        ("trace_id", "result", "retry_in_seconds", "seconds"),
    )
    form_given_up = EventKind(
        Level.WARNING,
        "A hint does not come back although its contact was not synchronized; the next run reads "
        "the contact.",
        ("trace_id", "result"),
    )
    form_hint_failed = EventKind(
        Level.ERROR,
        "The contact of a form could not be synchronized; the queue delivers the hint again.",
        ("trace_id", *ERROR_FIELDS),
    )
    form_message_invalid = EventKind(
        Level.ERROR, "A message of the forms queue cannot be read.", ("message_id",)
    )
    form_deferred = EventKind(
        Level.WARNING,
        "Too little time is left for a hint; the queue delivers it again.",
        ("trace_id",),
    )
    run_failed = EventKind(
        Level.ERROR,
        "An unexpected error ended an invocation; the queue delivers the request again.",
        ("run_id", "phase", *ERROR_FIELDS),
    )
    dead_runs_not_ended = EventKind(
        Level.ERROR,
        "A run that begins could not end the runs that stopped without an end; it goes on.",
        ("run_id", *ERROR_FIELDS),
    )
    admin_action = EventKind(
        Level.INFO, "An administrator changed something.", ("action", "subject")
    )
    invalid_response = EventKind(
        Level.ERROR, "The admin API built an answer that does not fit its description.", ("places",)
    )

    @property
    def level(self) -> Level:
        """How urgent the event is."""
        return self.value.level


class EventLog(Protocol):
    """Where events are written."""

    def __call__(self, event: Event, /, **fields: object) -> None:
        """Write one event with its fields."""


def no_log(event: Event, /, **fields: object) -> None:
    """Write nothing: for simulations of thousands of runs."""


def link_hash(email: str) -> str:
    """Return a hash of a canonical e-mail, under which the ledger's lists of failures have it.

    Who knows the e-mail can compute it: the log names a person by a hash with a key
    (`aws/dynamodb/tombstones.LogNames`).
    """
    return hashlib.sha256(email.encode()).hexdigest()[:LINK_HASH_CHARACTERS]
