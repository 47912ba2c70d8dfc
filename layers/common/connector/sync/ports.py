"""What synchronization needs from other systems: one small protocol for each kind of client.

Adapters satisfy a protocol by their methods; nothing inherits from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

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
    MappingProblem,
    Observation,
    Page,
    Phase,
    Progress,
    RecordKind,
    Run,
    RunState,
    SaveResult,
    Values,
    WorkList,
    Write,
)
from connector.planning.write_outcome import WriteOutcome

NO_PROGRESS: Final = Progress()
Clock = Callable[[], float]
"""Returns the time in seconds since 1970."""


class LinkStore(Protocol):
    """The links in the ledger. Every write is conditional on the revision that it rests on."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each name of a link (`Link.names`), the e-mail of that link."""

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        """Store new states of links; return which were not stored, and why.

        `listed`: the links are on a work list, so that `dirty_emails` need not return them. No
        e-mail may be named twice, neither as the one that a link moves to nor as the one it comes
        from.
        """

    def remove_link(self, link: Link) -> bool:
        """Delete a link unless it changed, and the pointers to it; return whether it is gone."""

    def list_unreadable(self, email: str) -> None:
        """Show a stored link that cannot be decoded to the admins, and leave its item as it is."""

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links on no work list, in order, the first one behind `after`.

        A link that was stored a moment ago may be missing: the index lags behind.
        """

    def all_emails(self, limit: int, after: str = "") -> list[str]:
        """Return the e-mails of some links, `limit` at most, in the store's own order.

        Those behind the link of `after` are returned; none when it is the last one. A link that is
        stored in the meantime may be left out.
        """


class Tombstones(Protocol):
    """Who was erased, and must not come back unasked."""

    def erased(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of some canonical e-mails and record ids that have a tombstone."""


class WorkStore(Protocol):
    """The lists of links that runs must resolve."""

    def save_work(self, work: WorkList, emails: Sequence[str]) -> None:
        """Store a list in place of the one with this number; an empty one is deleted."""

    def load_work(self, lists: Sequence[WorkList]) -> dict[WorkList, tuple[str, ...]]:
        """Return the e-mails of the lists that exist."""

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:
        """Return lists that exist, in order, the first one behind `after`; the index lags."""


class ScratchStore(WorkStore, Protocol):
    """What a dry run stores, apart from the ledger; it disappears two days after the dry run."""

    def load_scratch_links(self, emails: Iterable[str]) -> dict[str, Link | None]:
        """Return the links stored here; None for one that would be deleted."""

    def scratch_owners(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id stored here, the e-mail of its link."""

    def save_scratch_links(self, links: Mapping[str, Link | None]) -> SaveResult:
        """Store links by e-mail, without a condition; None: the link would be deleted."""

    def load_written(self, records: Sequence[str]) -> dict[str, Values]:
        """Return the values that would have been written to some records, by record id."""

    def save_written(self, written: Mapping[str, Values]) -> None:
        """Store the values that would have been written, by record id.

        Raises `UnstorableError`, by record id, when some cannot be stored; all others are.
        """

    def load_scratch_cursor(self, kind: RecordKind) -> Cursor | None:
        """Return the cursor of a kind of record, or None."""

    def save_scratch_cursor(self, cursor: Cursor) -> None:
        """Store a cursor."""


class CursorStore(Protocol):
    """How far each kind of record was read."""

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record; an empty one at first."""

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        """Store a cursor and add to the run's counts and progress, in one transaction."""

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

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the newest runs, newest first, older than the run `before`."""

    def start_phase(self, run: str, now: float, mapping_version: int, phase: Phase) -> None:
        """Record that an invocation works on a phase of a run, with this version of the mapping."""

    def add_counts(self, run: str, counts: Counts, progress: Progress = NO_PROGRESS) -> None:
        """Add to a run's counts and progress."""

    def end_invocation(
        self,
        run: str,
        *,
        idle: int,
        position: WorkList | None = None,
        visited_lists: int = 0,
    ) -> None:
        """Record the last invocations without progress, and the position; forget an error."""

    def note_error(self, run: str, error: str) -> None:
        """Record the unexpected error of an invocation; the place of the run stays."""

    def save_problems(self, run: str, problems: tuple[MappingProblem, ...]) -> None:
        """Record the problems of the mapping of a dry run, in the place of earlier ones."""

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
        """Return until when (seconds since 1970) runs may change without a limit; 0: never."""

    def add_form_changes(self, day: int, counts: Counts) -> Mapping[str, Mapping[str, int]]:
        """Add what a form changes to a day (days since 1970); return the sums, by side and name."""

    def defects_allowed_until(self) -> float:
        """Return until when runs go on in spite of many unexpected errors; 0: they do not."""

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
        """Store entries; storing the same entry twice keeps one.

        Raises `UnstorableError` when those of some people cannot be stored; all others are.
        """

    def write_dry_run(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of a dry run, separate from the history of people."""


class JournalHistory(Protocol):
    """What the journal knows about earlier runs: an undo rests on it."""

    def people_of_run(self, run: str) -> Iterator[str]:
        """Yield the e-mail of each person with an entry of a run once, always in the same order."""

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> Mapping[str, tuple[JournalEntry, ...]]:
        """Return the entries of some people since a time (seconds since 1970), oldest first.

        A person without an entry may be missing.
        """


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


class PleziApiCheck(Protocol):
    """The weekly check of the API of the Plezi tenant."""

    def changed_keys(self) -> tuple[str, ...] | None:
        """Return what differs from the dialect in use; None where that is not known."""


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

    def identity(self) -> str:
        """Return the org or tenant that today's credentials lead to; '' if that is not known.

        From then on the client calls no other one: it raises `HaltError` instead.
        """

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record, as the system describes them today."""

    def refresh_schemas(self) -> None:
        """Read the description again when it is next needed, if another process invalidated it."""

    def invalidate_schemas(self) -> None:
        """Invalidate the description for every process: a field may not be as described."""

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor, page by page, mapped fields only."""

    @property
    def has_change_feed(self) -> bool:
        """Whether `recent_changes` can be used, as far as is known.

        It may become False during a look: ask again after each one.
        """

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since a position, page by page, to prove that observations are fresh.

        `since` is the `cursor.watermark` of the last page of the look before; for the first look,
        the watermark of the run's cursor ('': what changes from now on). Once the observations of
        a page that is `last` are stored, everything that had changed before the look began is
        stored, so that every older observation is as fresh as the start of the look. A look without
        such a page proves nothing. The cursors of these pages belong to looks: they are never
        stored as the cursor of a run. Raises as `read`.
        """

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

        A refused record is an outcome, not an error. Writes without an outcome were not sent: the
        outcomes end early when the invocation has no time for the next write. A creation that finds
        a record with its e-mail writes nothing: its outcome is stale, and its observation is that
        record. Raises `HaltError` when neither the writes without an outcome nor any others may be
        tried, and `RetryError` when the system accepts no calls at this time.
        """

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        """Return how long the calls for some records take, by rate limit and measured speed."""
