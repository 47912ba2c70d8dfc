"""What the engine asks of the world. Adapters satisfy these by shape; nothing inherits them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from connector.errors import StopReason
from connector.mapping import MappingConfig, ReadScope, Schema
from connector.model import (
    Alert,
    Breaker,
    Counts,
    Cursor,
    JournalEntry,
    Link,
    LinkChange,
    LookupResult,
    Observation,
    Page,
    Phase,
    RecordKind,
    Run,
    RunState,
    Write,
)
from connector.planning.outcome import WriteOutcome

Clock = Callable[[], float]
"""Our clock: seconds since 1970."""


class Ledger(Protocol):
    """Our memory: links, cursors, runs, the breaker. Every put of a link is conditional."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that is known, the e-mail of its link."""

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Store new states of links; return the e-mails refused because the line had moved.

        No address may be named twice, be it as the one that a link goes to or comes from.
        """

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, beginning after one."""

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record; an empty one at first."""

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:
        """Keep a cursor and add to the run's counts, in one step."""

    def create_run(self, run: Run) -> None:
        """Write down the record of a run that was requested."""

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run."""

    def start_phase(self, run: str, now: float, mapping_version: int) -> None:
        """Note that an invocation works on a run, and with which version of the mapping."""

    def add_counts(self, run: str, counts: Counts) -> None:
        """Add to a run's counts."""

    def finish_run(
        self,
        run: str,
        state: RunState,
        now: float,
        reason: StopReason | None = None,
        message: str = "",
    ) -> None:
        """Note how a run ended."""

    def is_enabled(self) -> bool:
        """Whether the start switch is on."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""

    def clearing_allowed_until(self) -> float:
        """Return until when (our clock, seconds) a person lets runs empty many fields; 0: never."""

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""

    def suspended_pairs(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""

    def save_suspended_pairs(self, parked: Mapping[str, str]) -> None:
        """Keep which lines cannot work, and why."""


class ApiBudgetPort(Protocol):
    """The share of Salesforce's daily API calls that we may use."""

    def exhausted_reason(self, *, forms: bool = False) -> str:
        """Say why no more may be used now, in plain words; '' while more may be."""

    def save_usage(self) -> None:
        """Keep what was used since the last time."""


class AlertPublisher(Protocol):
    """How people are told."""

    def publish(self, alert: Alert) -> None:
        """Tell people; the same kind and key only once until it is over."""


class JournalWriter(Protocol):
    """What we did, field by field."""

    def write(self, lines: Sequence[JournalEntry]) -> None:
        """Keep lines; writing the same line twice keeps one."""

    def write_dry_run(self, lines: Sequence[JournalEntry]) -> None:
        """Keep lines of a dry run, apart from people's history."""


class MappingStore(Protocol):
    """The saved mapping."""

    def current(self) -> MappingConfig:
        """Return the newest version of the mapping."""

    def version(self, number: int) -> MappingConfig | None:
        """Return one version of the mapping, or None when there is none of this number."""

    def draft(self, document: str) -> MappingConfig:
        """Return the mapping of a JSON document that is not saved; `MappingError` says why not."""


class RunQueue(Protocol):
    """Our queues."""

    def send(self, run: str, part: Phase) -> None:
        """Ask for a part of a run to be worked on."""


class SideClient(Protocol):
    """One side, in the engine's words."""

    @property
    def calls(self) -> int:
        """Return the number of requests sent so far."""

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record of this side, as the side says today."""

    def invalidate_schemas(self) -> None:
        """Ask the side again for its fields at the next need: one of them is not as described."""

    def read(self, cursor: Cursor, view: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor, page by page, mapped fields only."""

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        view: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read these records again by id, and every record that has one of these e-mails.

        `addresses` are of pages in Plezi: the Leads that carry one are read too, for they were
        created for that contact, whatever their e-mail has become. Plezi has no use for them.
        """

    def apply(self, writes: Sequence[Write], view: ReadScope) -> Iterator[WriteOutcome]:
        """Carry out writes; yield one outcome each, in order, as soon as it is known.

        A refused record is an outcome, not an error. `HaltError` means that neither the writes
        without an outcome nor any others may be tried.
        """
