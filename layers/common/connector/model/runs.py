"""Cursors, pages, runs and their counts, change hints, alerts, journal entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connector.described_enum import DescribedEnum
from connector.errors import StopReason
from connector.model.links import Link, Observation, RecordKind, Side, Value
from connector.model.reasons import JournalKind, SkipReason


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position from which the next read of one kind of record continues.

    `watermark`: every change up to it is in the ledger ('': nothing was ever read). During a read,
    `position` is the place that it has reached, and `next_watermark` is the watermark after it; the
    format of all three belongs to the adapter. `started_at` and `completed_at` are our clock
    (seconds) at the start of the current read, and at the start of the last complete one. `full`:
    the current read takes all records, changed or not, and plans each link again.
    `mapping_version` is the version of the mapping at the start of the read, `applied_version` the
    one that the last full read applied (-1: none yet).
    """

    kind: RecordKind
    watermark: str = ""
    position: str = ""
    next_watermark: str = ""
    started_at: float = 0.0
    completed_at: float = 0.0
    full: bool = False
    mapping_version: int = 0
    applied_version: int = -1

    @property
    def is_full_read(self) -> bool:
        """Whether the current read takes all records: on request, or because it is the first."""
        return self.full or not self.watermark

    def finished(self) -> Cursor:
        """Return the cursor after a complete read."""
        return Cursor(
            self.kind,
            watermark=self.next_watermark,
            completed_at=self.started_at,
            applied_version=self.mapping_version if self.is_full_read else self.applied_version,
        )

    def started(self, *, version: int, full: bool) -> Cursor:
        """Return the cursor from which a read starts or continues.

        A full read starts again when the mapping has another version: the pages already read lack
        the fields of that version.
        """
        in_progress = self.started_at > 0
        if full or (in_progress and self.is_full_read and self.mapping_version != version):
            return Cursor(
                self.kind, full=True, mapping_version=version, applied_version=self.applied_version
            )
        return self if in_progress else replace(self, mapping_version=version)


@dataclass(frozen=True, slots=True)
class Page:
    """Some observations, and the cursor to store once they are durable.

    `skipped` counts the records that cannot take part. `last`: the read is complete.
    """

    observations: tuple[Observation, ...]
    cursor: Cursor
    skipped: Mapping[SkipReason, int] = field(default_factory=dict)
    last: bool = False


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The result of a look-up: the records found, and the ids of records that are deleted."""

    observations: tuple[Observation, ...] = ()
    deleted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A new state of a link for the ledger, which refuses it if the stored link has changed.

    The link carries the revision that it is based on (0: it must not exist yet). `moved_from` is
    the link that this one replaces when the e-mail of a person changed, with its revision.
    """

    link: Link
    moved_from: Link | None = None


class RunKind(DescribedEnum):
    """The task of a run."""

    CHANGES = "changes", "Synchronizes all changes since the last run."
    FULL = "full", "Reads all records of both sides again and applies the mapping to all of them."
    SELECTED = "selected", "Synchronizes the contacts with the given e-mails."
    DRY_RUN = "dry_run", "Reports what a run would do, and writes nothing."
    FORM = "form", "Synchronizes one contact after a form was submitted."


class RunState(DescribedEnum):
    """The state of a run."""

    REQUESTED = "requested", "The run waits in the queue."
    RUNNING = "running", "The run is in progress; it continues in several invocations if needed."
    DONE = "done", "The run is complete."
    HALTED = "halted", "The run stopped and needs an action; `reason` and `message` explain it."
    FAILED = "failed", "The run ended with an error; `reason` and `message` explain it."
    NOT_STARTED = "not_started", "The start switch is off, so the run did nothing."
    PAUSED = "paused", "The API budget is used up; the schedule continues the run later."


class Phase(StrEnum):
    """The two phases of a run."""

    READ = "read"
    RESOLVE = "resolve"


class Counts:
    """The counters of a run, by side: seen, unchanged, changed, created, updated, held, ...

    Each page and each batch has its own counts; the ledger stores the sum.
    """

    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, str]] = Counter()

    def add(self, side: Side, name: str, number: int = 1) -> None:
        """Add to a counter of a side."""
        self.numbers[side.value, name] += number

    def skip(self, side: Side, reason: SkipReason, number: int = 1) -> None:
        """Count records that cannot take part, by reason."""
        self.numbers[side.value, f"skipped.{reason}"] += number

    def get(self, side: Side, name: str) -> int:
        """Return one counter."""
        return self.numbers[side.value, name]

    def update(self, other: Counts) -> None:
        """Add the counters of another object to this one."""
        self.numbers.update(other.numbers)

    def __bool__(self) -> bool:
        return any(self.numbers.values())

    def __repr__(self) -> str:
        return f"Counts({dict(self.numbers)!r})"


@dataclass(frozen=True, slots=True)
class Run:
    """One run; times are our clock, in seconds since 1970.

    `counts` is by side, then by counter. `reason` and `message` explain why a run was halted,
    failed or did not start. `emails` selects the contacts of a `selected` run or a `dry_run`
    (empty: all). Two fields are for a `dry_run` only: `draft` is the JSON document of a mapping
    that is not saved yet ('': the saved one), and `include_unchanged` plans all links, also those
    without a change. `mapping_version` is the version that the run used.
    """

    id: str
    kind: RunKind
    state: RunState
    requested_at: float
    started_at: float = 0.0
    finished_at: float = 0.0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reason: StopReason | None = None
    message: str = ""
    invocations: int = 0
    emails: tuple[str, ...] = ()
    draft: str = ""
    include_unchanged: bool = False
    mapping_version: int = 0


@dataclass(frozen=True, slots=True)
class ChangeHint:
    """A notice that a Plezi contact may have changed; it carries no values.

    Either `email` (canonical) or `contact_id` (Plezi's id) is given. `trace_id` identifies the form
    submission up to the Lead; `attempt` counts, from 0, the attempts at which the contact was not
    readable yet.
    """

    trace_id: str
    email: str = ""
    contact_id: str = ""
    attempt: int = 0


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
    PAUSED = "paused", "The API budget is used up; the schedule synchronizes the contact later."


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The stored state of a signed message: its trace id, and whether its hint was sent."""

    trace_id: str
    sent: bool


class AlertKind(DescribedEnum):
    """The alerts of the connector; CloudWatch adds two: no run for 2.5 h, dead letters."""

    CREDENTIALS_REFUSED = "credentials_refused", "A system refuses the stored credentials."
    CREDENTIALS_EXPIRING = "credentials_expiring", "The stored credentials expire soon."
    RUN_FAILED = "run_failed", "A run failed or was halted."
    BREAKER = "breaker", "The breaker is open: no run starts until an admin acts."
    QUARANTINE = "quarantine", "Many links are in quarantine because a system refuses their writes."
    API_BUDGET = "api_budget", "The share of the daily API calls of Salesforce is used up."
    SUSPENDED_FIELD = "suspended_field", "A field pair is suspended; all other pairs still work."


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to the admins: the problem, since when, the remedy, and the impact.

    `since` is our clock, in seconds. It holds no personal value. `key` distinguishes alerts of one
    kind (a field, a version of the secret), so that each is sent once.
    """

    kind: AlertKind
    summary: str
    since: float
    remedy: str
    impact: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Breaker:
    """An open breaker: no run starts.

    After a refused login it stays open until the secret has another version than `secret_version`;
    after a mass clearing of fields, until an admin confirms that the clearing is intended.
    """

    reason: StopReason
    message: str
    since: float
    secret_version: str = ""


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A Salesforce session that all invocations share; `repr` hides the token."""

    access_token: str = field(repr=False)
    instance_url: str
    secret_version: str


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One field that was written, overwritten, held or refused.

    `field` is the key of the field pair. `rule` is a `MergeRule`; for `held` it is a `HoldReason`,
    for `refused` the code of the other system, for `duplicate` the duplicate policy. An
    `overwritten` value gives way to `after`: in its own record, or on the other side if its record
    is not written to. `run_id` is the id of the run; for a form it is the trace id. The entries of
    a dry run state what a run would do; they are stored apart from the history of the contacts.
    """

    email: str
    at: float
    run_id: str
    kind: JournalKind
    side: Side
    record_id: str
    field: str
    before: Value
    after: Value
    rule: str


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of entries, and the token of the next page ('': this is the last one)."""

    entries: tuple[JournalEntry, ...]
    next: str = ""
