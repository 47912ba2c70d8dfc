"""Reading and running: pages, cursors, runs and what they counted, the journal's lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connector.errors import StopReason
from connector.model.links import Link, Observation, RecordKind, Side, Value


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of one kind of record resumes.

    `watermark`: every change up to it is in the ledger ('' : nothing was ever read). While a
    reading is under way, `position` says how far it came and `next_watermark` what the watermark becomes at its
    end; all three are in the words of the adapter that reads. `started_at` and `completed_at` are our clock
    (seconds) at the beginning of the reading under way, and of the last one that came to its end.
    `full`: the reading under way takes everybody, changed or not, and weighs each link anew.
    `version` is the version of the mapping with which it began, `applied` the one that the last
    reading of everybody applied to them (-1: none yet).
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
        """Whether the reading under way is of everybody: asked to be, or the first one."""
        return self.full or not self.watermark

    def finished(self) -> Cursor:
        """Return the cursor after a reading that came to its end."""
        return Cursor(
            self.kind,
            watermark=self.next_watermark,
            completed_at=self.started_at,
            applied_version=self.mapping_version if self.is_full_read else self.applied_version,
        )

    def started(self, *, version: int, full: bool) -> Cursor:
        """Return the cursor from which a reading begins, or goes on.

        A reading of everybody begins anew when another version of the mapping is to be applied: the
        pages behind it lack the fields of that version.
        """
        under_way = self.started_at > 0
        if full or (under_way and self.is_full_read and self.mapping_version != version):
            return Cursor(
                self.kind, full=True, mapping_version=version, applied_version=self.applied_version
            )
        return self if under_way else replace(self, mapping_version=version)


@dataclass(frozen=True, slots=True)
class Page:
    """Some observations, and the cursor to keep once they are durable.

    `skipped` counts records that cannot take part, by reason. `last`: the reading came to its end.
    """

    observations: tuple[Observation, ...]
    cursor: Cursor
    skipped: Mapping[str, int] = field(default_factory=dict)
    last: bool = False


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The answer to a look-up: the records found, and the ids that are gone for certain."""

    observations: tuple[Observation, ...] = ()
    deleted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A new state of a link for the ledger, which refuses it if the line moved meanwhile.

    The link carries the revision that it rests on (0: it must not exist yet). `moved_from` is the
    line that this one replaces, when a person's e-mail changed, with the revision of that line.
    """

    link: Link
    moved_from: Link | None = None


class RunKind(StrEnum):
    """What a run was asked to do.

    `changes`: what changed since the last run. `full`: read both sides again and apply the mapping
    to everybody. `selected`: the people named. `dry_run`: tell what a run would do, and do nothing.
    `form`: one person, because a form was submitted.
    """

    CHANGES = "changes"
    FULL = "full"
    SELECTED = "selected"
    DRY_RUN = "dry_run"
    FORM = "form"


class RunState(StrEnum):
    """How far a run came."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    HALTED = "halted"
    FAILED = "failed"
    NOT_STARTED = "not_started"
    PAUSED = "paused"


class Phase(StrEnum):
    """The two strokes of a run."""

    READ = "read"
    RESOLVE = "resolve"


class Counts:
    """What a run counted, by side: seen, unchanged, changed, created, updated, held, ...

    Addable, so that each page and each batch reports its own and the ledger keeps the sum.
    """

    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, str]] = Counter()

    def add(self, side: Side, what: str, number: int = 1) -> None:
        """Count something on a side."""
        self.numbers[side.value, what] += number

    def skip(self, side: Side, reason: str, number: int = 1) -> None:
        """Count records that cannot take part, by reason."""
        self.numbers[side.value, f"skipped.{reason}"] += number

    def get(self, side: Side, what: str) -> int:
        """Return one count."""
        return self.numbers[side.value, what]

    def update(self, other: Counts) -> None:
        """Add another count to this one."""
        self.numbers.update(other.numbers)

    def __bool__(self) -> bool:
        return any(self.numbers.values())

    def __repr__(self) -> str:
        return f"Counts({dict(self.numbers)!r})"


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one run; times are our clock, in seconds since 1970.

    `counts` is by side, then by what was counted. `reason` and `message` say why a run was halted
    or did not start. `emails` are the people that a `selected` run or a `dry_run` is for (none:
    everybody). `draft` is the JSON document of a mapping that is not saved yet ('': the saved one),
    and `include_unchanged` whether all people are weighed and not only who changed: both are for a
    `dry_run`. `mapping_version` is the version that the run worked with.
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
    """Somebody says that a Plezi contact may have changed: only a hint, never a value.

    One of `email` (canonical) and `contact` (Plezi's id) is given. `trace` is the id that follows
    the form to the Lead; `attempt` counts from 0 how often the contact could not be read yet.
    """

    trace_id: str
    email: str = ""
    contact_id: str = ""
    attempt: int = 0


class HintResult(StrEnum):
    """What became of a hint.

    `settled`: both sides agree, or what is left is recorded. `not_readable`: Plezi does not show
    the contact yet. `busy`: somebody else is at work on the link; come back. `not_started`: the
    start switch is off. `paused`: the API budget is spent; the schedule will see to it.
    """

    RESOLVED = "resolved"
    NOT_READABLE = "not_readable"
    BUSY = "busy"
    NOT_STARTED = "not_started"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is remembered of a signed message: its trace id, and whether its hint was sent."""

    trace_id: str
    sent: bool


class AlertKind(StrEnum):
    """What people are told; CloudWatch adds two: no run for 2.5 h, dead letters."""

    CREDENTIALS_REFUSED = "credentials_refused"
    CREDENTIALS_EXPIRING = "credentials_expiring"
    RUN_FAILED = "run_failed"
    BREAKER = "breaker"
    QUARANTINE = "quarantine"
    API_BUDGET = "api_budget"
    SUSPENDED_FIELD = "suspended_field"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that people must know, in plain words: what, since when, what to do, what is safe.

    `since` is our clock, in seconds. Never a personal value. `key` tells alerts of one kind apart
    (a field, a secret's version), so that each is told once.
    """

    kind: AlertKind
    summary: str
    since: float
    remedy: str
    impact: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Breaker:
    """The rule that keeps runs from starting, once it is open.

    A refused login keeps it open until the secret has another version than `secret_version`; a mass
    emptying of fields, until a person has said that it is meant.
    """

    reason: StopReason
    message: str
    since: float
    secret_version: str = ""


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A Salesforce session shared by all invocations; never printed."""

    access_token: str = field(repr=False)
    instance_url: str
    secret_version: str


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing that was done, kept, held or lost, field by field.

    `what` is `written`, `lost`, `held` or `refused`; `field` is the mapping line's key; `rule` is
    the merge's word for why. A `lost` value gives way to `after`: there, or across if nobody writes
    to its record. `run` is the run's id; for a form it is the form's trace id. The lines of a dry
    run say what would be done, and who is there several times (`duplicate`); they are kept apart
    from people's history.
    """

    email: str
    at: float
    run_id: str
    kind: str
    side: Side
    record_id: str
    field: str
    before: Value
    after: Value
    rule: str
