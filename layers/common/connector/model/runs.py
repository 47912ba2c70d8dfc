"""Reading and running: pages, cursors, runs and what they counted, the journal's lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connector.model.links import Kind, Link, Observation, Side, Value


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of one kind of record resumes.

    `watermark`: every change up to it is in the ledger ('' : nothing was ever read). While a
    reading is under way, `place` says how far it came and `cover` what the watermark becomes at its
    end; all three are in the words of the adapter that reads. `begun` and `completed` are our clock
    (seconds) at the beginning of the reading under way, and of the last one that came to its end.
    """

    kind: Kind
    watermark: str = ""
    place: str = ""
    cover: str = ""
    begun: float = 0.0
    completed: float = 0.0

    def resting(self) -> Cursor:
        """Return the cursor after a reading that came to its end."""
        return Cursor(self.kind, watermark=self.cover, completed=self.begun)


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
class Lookup:
    """The answer to a look-up: the records found, and the ids that are gone for certain."""

    seen: tuple[Observation, ...] = ()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of a link for the ledger, which refuses it if the line moved meanwhile.

    The link carries the revision that it rests on (0: it must not exist yet). `moved_from` is the
    line that this one replaces, when a person's e-mail changed, with the revision of that line.
    """

    link: Link
    moved_from: Link | None = None


class RunKind(StrEnum):
    """What a run was asked to do."""

    CHANGES = "changes"


class RunState(StrEnum):
    """How far a run came."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    HALTED = "halted"
    FAILED = "failed"
    NOT_STARTED = "not_started"


class Part(StrEnum):
    """The two strokes of a run."""

    OBSERVE = "observe"
    RECONCILE = "reconcile"


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
    or did not start.
    """

    id: str
    kind: RunKind
    state: RunState
    requested_at: float
    started_at: float = 0.0
    finished_at: float = 0.0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reason: str = ""
    message: str = ""
    invocations: int = 0


@dataclass(frozen=True, slots=True)
class Breaker:
    """The rule that keeps runs from starting, once it is open.

    A refused login keeps it open until the secret has another version than `secret_version`.
    """

    reason: str
    message: str
    since: float
    secret_version: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A Salesforce session shared by all invocations; never printed."""

    access_token: str = field(repr=False)
    instance_url: str
    secret_version: str


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One thing that was done, kept, held or lost, field by field.

    `what` is `written`, `lost`, `held` or `refused`; `field` is the mapping line's key; `rule` is
    the merge's word for why.
    """

    email: str
    at: float
    run: str
    what: str
    side: Side
    record: str
    field: str
    before: Value
    after: Value
    rule: str
