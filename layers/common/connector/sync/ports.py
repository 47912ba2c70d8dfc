"""What synchronization needs from other systems: one small protocol for each kind of client.

Adapters satisfy a protocol by their methods; nothing inherits from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from connector.errors import StopReason
from connector.mapping import MappingConfig, ReadScope, Schema
from connector.model import (
    Alert,
    AttentionKind,
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
from connector.planning.write_outcome import WriteOutcome

Clock = Callable[[], float]
"""Returns the time in seconds since 1970."""


class LinkStore(Protocol):
    """The links in the ledger. Every write is conditional on the revision that it rests on."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that belongs to a link, the e-mail of that link."""

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Store new states of links; return the e-mails whose link had changed in between.

        No e-mail may be named twice, neither as the one that a link moves to nor as the one it
        comes from.
        """

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, the first one behind `after`."""


class CursorStore(Protocol):
    """How far each kind of record was read."""

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record; an empty one at first."""

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:
        """Store a cursor and add to the run's counts, in one transaction."""

    def applied_version(self) -> int | None:
        """Return the mapping's version that was last applied to all people; None: none was."""


class RunRegistry(Protocol):
    """Where requested runs are stored."""

    def create_run(self, run: Run) -> None:
        """Store the record of a run that was requested."""


class RunStore(RunRegistry, Protocol):
    """The records of runs."""

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run, or None."""

    def start_phase(self, run: str, now: float, mapping_version: int) -> None:
        """Record that an invocation works on a run, with this version of the mapping."""

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
        """Record how a run ended."""


class ControlState(Protocol):
    """What decides whether a run may start, and which field pairs are suspended."""

    def is_enabled(self) -> bool:
        """Return whether synchronization is enabled."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""

    def clearing_allowed_until(self) -> float:
        """Return until when (seconds since 1970) runs may clear many fields; 0: they may not."""

    def suspended_pairs(self) -> dict[str, str]:
        """Return the field pairs that could not be used in the last run, with the reasons."""

    def save_suspended_pairs(self, suspended: Mapping[str, str]) -> None:
        """Store which field pairs cannot be used, with the reasons."""


class AttentionIndex(Protocol):
    """The links that need a decision of an administrator."""

    def emails_needing_attention(
        self, kind: AttentionKind, limit: int, after: str = ""
    ) -> list[str]:
        """Return e-mails of links that need attention for this reason, in order."""


class JournalWriter(Protocol):
    """Where every written, overwritten, held or refused field is recorded."""

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries; storing the same entry twice keeps one."""

    def write_dry_run(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of a dry run, separate from the history of people."""


class MappingStore(Protocol):
    """The saved versions of the mapping."""

    def current(self) -> MappingConfig:
        """Return the newest version of the mapping."""

    def version(self, number: int) -> MappingConfig | None:
        """Return one version of the mapping, or None when it does not exist."""

    def draft(self, document: str) -> MappingConfig:
        """Return the mapping of a JSON document; raise `MappingError` when it is none."""


class RunQueue(Protocol):
    """The queue that starts the invocations of a run."""

    def send(self, run: str, phase: Phase) -> None:
        """Request an invocation that works on a phase of a run."""


class AlertPublisher(Protocol):
    """Where alerts are sent."""

    def publish(self, alert: Alert) -> None:
        """Send an alert; raise `RetryError` when it cannot be sent."""


class ApiBudget(Protocol):
    """Our share of Salesforce's daily API calls."""

    def exhausted_reason(self, *, forms: bool = False) -> str:
        """Return why no more calls may be made now; '' while calls are left."""

    def save_usage(self) -> None:
        """Store the calls made since the last time."""

    def our_share(self) -> float | None:
        """Return which fraction of our share is used; None while Salesforce's limit is unknown."""

    def org_share(self) -> float | None:
        """Return which fraction of the org's calls is used; None while the limit is unknown."""


class PasswordAge(Protocol):
    """When the password of the integration user expires."""

    def days(self) -> float | None:
        """Return the days left; infinity where no password expires, None where it is unknown.

        Raises a `ConnectorError` when Salesforce cannot be asked.
        """


class SideClient(Protocol):
    """One of the two systems, in the terms of synchronization."""

    @property
    def calls(self) -> int:
        """Return the number of HTTP requests sent so far."""

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record, as the system describes them today."""

    def invalidate_schemas(self) -> None:
        """Read the description again when it is next needed: a field is not as described."""

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor, page by page, mapped fields only."""

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read these records again by id, and every record that has one of these e-mails.

        `page_urls` are addresses of contact pages in Plezi: Leads that hold one of them are read
        too, because they were created for that contact. Plezi ignores them.
        """

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Carry out writes; yield one outcome each, in order, as soon as it is known.

        A refused record is an outcome, not an error. Raises `HaltError` when neither the writes
        without an outcome nor any others may be tried.
        """
