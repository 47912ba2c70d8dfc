"""Runs, their phases and their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connector.described_enum import DescribedEnum
from connector.errors import StopReason
from connector.model.reasons import SkipReason
from connector.model.sides import Side
from connector.model.work import WorkList


class RunKind(DescribedEnum):
    """The task of a run."""

    CHANGES = "changes", "Synchronizes all changes since the last run."
    FULL = "full", "Reads all records of both sides again and applies the mapping to all of them."
    SELECTED = "selected", "Synchronizes the contacts with the given e-mails."
    DRY_RUN = "dry_run", "Reports what a run would do, and writes nothing."
    FORM = "form", "Synchronizes one contact after a form was submitted."
    UNDO = "undo", "Puts back what another run replaced, where nobody changed it since."
    VERIFY = "verify", "Compares both systems completely, and writes to neither of them."


class RunState(DescribedEnum):
    """The state of a run."""

    REQUESTED = "requested", "The run waits in the queue."
    RUNNING = "running", "The run is in progress; it continues in several invocations if needed."
    DONE = "done", "The run is complete."
    HALTED = "halted", "The run stopped and needs an action; `reason` and `message` explain it."
    FAILED = "failed", "The run ended with an error; `reason` and `message` explain it."
    NOT_STARTED = (
        "not_started",
        "The start switch is off: the run did not start, or does not continue.",
    )
    PAUSED = "paused", "The API budget is used up; the next run of the schedule continues its work."


class Phase(StrEnum):
    """The phases of a run, in their order.

    `read`: store what changed in both systems. `stage`: resolve some people completely, in a first
    synchronization only. `resolve`: resolve every link that needs no call to
    Plezi. `write_plezi`: resolve the others, as fast as the tenant's rate limit allows.
    """

    READ = "read"
    STAGE = "stage"
    RESOLVE = "resolve"
    WRITE_PLEZI = "write_plezi"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the number of its work lists, of the links on them, of those resolved.

    A link that is on several lists is counted on each.
    """

    lists: int = 0
    listed: int = 0
    resolved: int = 0


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One problem of the mapping of a dry run, as a save reports it (`mapping.issues.Issue`).

    `code` is the rule. `pair` is the Salesforce field of the pair, or the name of a filter; `field`
    is the property of the pair ('' for the whole pair).
    """

    code: str
    pair: str
    field: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RunDelivery:
    """One delivery of a message of the runs queue: the run, its phase, the number of deliveries."""

    run_id: str
    phase: Phase
    deliveries: int = 1


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """What a run of the kind `undo`, or the dry run that is its preview, puts back.

    `run_id` is the run that is undone. `field` is the key of the only field pair to put back ('':
    all). `opt_outs`: also opt-outs, which are else left as they are. `both_sides`: a value that is
    put back is put back in the record too in which somebody typed the one that the run spread.
    """

    run_id: str
    field: str = ""
    opt_outs: bool = False
    both_sides: bool = False


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
    `first` begins the stages of a first synchronization again, `skip_stages` leaves them out; both
    are for runs of all people. `undo` is what an `undo`, or the dry run that previews it, puts
    back; `emails` then selects some of the contacts of the run that is undone. `repairs` is the
    verification whose unexplained differences a `selected` run resolves ('': none).

    `phase` is the phase of the last invocation, `active_at` its start, and `position` the work list
    behind which the next invocation of this phase goes on. Of the lists below number
    `visited_lists`, only links that need calls to Plezi are left. `idle` is the number of
    the last invocations in a row that made no progress. `error` names the last unexpected error
    ('': there was none). `problems` are those of the mapping of a `dry_run`.
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
    first: bool = False
    skip_stages: bool = False
    undo: UndoRequest | None = None
    repairs: str = ""
    mapping_version: int = 0
    phase: Phase | None = None
    active_at: float = 0.0
    progress: Progress = Progress()
    idle: int = 0
    error: str = ""
    position: WorkList | None = None
    visited_lists: int = 0
    problems: tuple[MappingProblem, ...] = ()
