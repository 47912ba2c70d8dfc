"""The ports of the admin use cases: one small protocol for each kind of client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.connection_report import ConnectionReport
from connector.errors import ConnectorError
from connector.log_events import Event, EventLog
from connector.mapping import MappingConfig, SavedMapping, Schema
from connector.mapping.connector_fields import RequiredField
from connector.model import (
    Alert,
    AttentionKind,
    AuditEntry,
    AuditPage,
    Breaker,
    JournalPage,
    LastChange,
    LeadOwner,
    Link,
    LinkChange,
    NamedRecord,
    PersonNames,
    RecordKind,
    Run,
    RunKind,
    SaveResult,
    Side,
    UndoRequest,
    VisitedPage,
)
from connector.probe_report import ProbeReport
from connector.secret_version import SecretState
from connector.setup_report import FieldReport, SetupStep
from connector.stores import DocumentStore


class ReviewStore(Protocol):
    """The links, and those that need a decision."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""

    def save_links(self, changes: Sequence[LinkChange]) -> SaveResult:
        """Store new states of links; return which were not stored, and why."""

    def emails_needing_attention(
        self, kind: AttentionKind, limit: int, after: str = ""
    ) -> list[str]:
        """Return e-mails of links that need this kind of decision, in order."""


class PersonLinks(Protocol):
    """The links, and what leads to them."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each name with a pointer, the e-mail that the pointer leads to."""

    def remove_link(self, link: Link) -> bool:
        """Delete a link unless it changed, and the pointers to it; return whether it is gone."""


class PersonalData(Protocol):
    """Everything that is stored about one person, in all tables."""

    def visit(self, names: PersonNames, position: str, *, erase: bool) -> VisitedPage:
        """Visit a part of the tables ('': the first); with `erase`, remove what is found.

        Raises `ValueError` for a position that is none, and `StaleError` when another process
        changes an item at the same time.
        """


class Tombstones(Protocol):
    """Who was erased, and must not come back unasked."""

    def add(self, names: Iterable[str], at: float) -> None:
        """Store the tombstones of the names of one person; `at` is in seconds since 1970."""

    def lift(self, email: str) -> int:
        """Delete the tombstones of all names of one person; return how many there were."""

    def hash_of(self, name: str) -> str:
        """Return the hash of a name, which says nothing about it without the key."""


class TemporaryStore(DocumentStore, Protocol):
    """Documents that are deleted again: an erasure in progress, the draft of the mapping."""

    def delete_document(self, key: str) -> None:
        """Delete the document stored under a key, if there is one."""


class RunReader(Protocol):
    """The records of runs."""

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run, or None."""

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the newest runs, newest first, the first one before `before`."""


class SyncControl(Protocol):
    """The switch, the breaker, and the state that shows whether a manual synchronization is due."""

    def is_enabled(self) -> bool:
        """Return whether synchronization is enabled."""

    def set_enabled(self, *, on: bool, now: float) -> None:
        """Enable or disable synchronization."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""

    def close_breaker(self) -> None:
        """Close the breaker."""

    def allow_clearing(self, until: float) -> None:
        """Let runs clear and overwrite without a limit until a time; close the breaker for it."""

    def allow_defects(self, until: float) -> None:
        """Let runs go on in spite of many unexpected errors, until a time."""

    def applied_version(self) -> int | None:
        """Return the mapping version that was last applied to all contacts; None: none was."""

    def suspended_pairs(self) -> dict[str, str]:
        """Return the field pairs that could not be used in the last run, with the reasons."""


class CallCounter(Protocol):
    """The connector's calls to Salesforce."""

    def calls_since(self, hour: int) -> int:
        """Return the calls in an hour (hours since 1970) and the 23 hours after it."""


class JournalReader(Protocol):
    """The journal: written, overwritten, held and refused values, field by field."""

    def person_entries(self, email: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the newest entries of one contact."""

    def run_entries(self, run: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the entries of a run."""


class AuditLog(Protocol):
    """The changes that admins made."""

    def record(self, entry: AuditEntry, entry_id: str) -> None:
        """Store an entry."""

    def entries(self, limit: int, after: str = "") -> AuditPage:
        """Return the newest entries."""


class MappingStore(Protocol):
    """The versions of the mapping."""

    def current(self) -> MappingConfig:
        """Return the newest version."""

    def version(self, number: int) -> MappingConfig | None:
        """Return one version, or None."""

    def versions(self, limit: int, before: int | None = None) -> list[SavedMapping]:
        """Return the newest versions, newest first, the first one before `before`."""

    def save(self, mapping: MappingConfig, *, by: str = "", at: float = 0.0) -> None:
        """Save a version, which must be new; else raise `StaleError`."""


class RunRequester(Protocol):
    """Requests runs."""

    def request_run(
        self,
        kind: RunKind,
        *,
        emails: Iterable[str] = (),
        draft: str = "",
        undo: UndoRequest | None = None,
        repairs: str = "",
    ) -> str:
        """Request a run; return its id. `draft` is the mapping of a dry run, as JSON."""


class SchemaReader(Protocol):
    """The fields of one side, as its system describes them."""

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record."""

    def invalidate_schemas(self) -> None:
        """Read the fields again at the next use."""


class PleziProbe(Protocol):
    """The probe of the Plezi tenant."""

    def run(self, contact: str = "", *, may_exist: bool = False) -> ProbeReport:
        """Go on with the probe, or begin one; return its report so far."""


class OrgSetup(Protocol):
    """The set-up of the org."""

    def inspect(
        self, fields: Sequence[RequiredField], schemas: Mapping[RecordKind, Schema]
    ) -> tuple[FieldReport, ...]:
        """Return the state of each field."""

    def create_missing(
        self, fields: Sequence[RequiredField], reports: Sequence[FieldReport]
    ) -> tuple[SetupStep, ...]:
        """Create the missing fields, and give the integration user access to them."""


class RecordQueries(Protocol):
    """Questions to the org about single records."""

    def named(self, text: str, limit: int) -> tuple[NamedRecord, ...]:
        """Return records whose name contains a text, at most `limit` of each kind."""

    def last_changes(self, records: Mapping[RecordKind, Iterable[str]]) -> dict[str, LastChange]:
        """Return who changed each record last."""

    def owners(self, leads: Iterable[str]) -> dict[str, LeadOwner]:
        """Return the owner of each Lead that is found."""

    def page_of(self, record: str) -> str:
        """Return the address of the page of a record."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient of alerts: its protocol (`email`, `sms`, ...), its address, its confirmation."""

    protocol: str
    endpoint: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """Both systems for one request: their fields are not kept longer."""

    sides: tuple[SchemaReader, ...]
    setup: OrgSetup
    records: RecordQueries

    def schemas(self) -> dict[RecordKind, Schema]:
        """Return the fields of every kind of record. Raises the errors of the systems' clients."""
        schemas: dict[RecordKind, Schema] = {}
        for side in self.sides:
            schemas.update(side.schemas())
        return schemas

    def invalidate_schemas(self) -> None:
        """Read the fields of both systems again at the next use."""
        for side in self.sides:
            side.invalidate_schemas()


@dataclass(frozen=True, slots=True)
class PersonStores:
    """What an export and an erasure of one person need.

    `log_name` returns how the log names the person with an e-mail. `worker_timeout` is in seconds:
    an older write belongs to a worker that is gone. `log_days` is how long the logs are kept.
    """

    links: PersonLinks
    data: PersonalData
    tombstones: Tombstones
    log_name: Callable[[str], str]
    erasures: TemporaryStore
    worker_timeout: float
    log_days: int


@dataclass(frozen=True)
class AdminContext:
    """The ports of the admin use cases, their clock and their source of ids.

    `sides` returns both systems for one request. `check` tests the credentials of both systems.
    `password_days` returns the days until the integration user's password expires (None: not known,
    or never). `api_share` is the fraction of the org's API calls that the connector may use.
    `plezi_calls_per_second` is the pace of calls to Plezi (0: no limit).
    `overridden_keys` are the keys of the dialect that the stack's parameter sets. `secret_states`
    reads both secrets again, and calls neither system. `count_attention` returns how many people
    wait for each kind of decision, up to a limit (None: they are counted by listing them).
    """

    review: ReviewStore
    runs: RunReader
    control: SyncControl
    documents: TemporaryStore
    people: PersonStores
    calls: CallCounter
    journal: JournalReader
    audit: AuditLog
    mappings: MappingStore
    run_requester: RunRequester
    sides: Callable[[], Sides]
    check: Callable[[], ConnectionReport]
    recipients: Callable[[], tuple[Recipient, ...]]
    publish_alert: Callable[[Alert], None]
    password_days: Callable[[], int | None]
    clock: Callable[[], float]
    new_id: Callable[[], str]
    log: EventLog
    api_share: float
    plezi_calls_per_second: float
    probe: PleziProbe
    overridden_keys: frozenset[str]
    secret_states: Callable[[], Mapping[Side, SecretState]]
    count_attention: Callable[[int], Mapping[AttentionKind, int]] | None = None

    def audit_change(
        self, actor: str, action: str, subject: str = "", before: str = "", after: str = ""
    ) -> None:
        """Record a change by an admin; `before` and `after` are hashes of the states."""
        entry = AuditEntry(actor, action, self.clock(), subject, before, after)
        self.audit.record(entry, self.new_id())
        self.log(Event.admin_action, action=action, subject=subject)

    def notify(self, alert: Alert) -> None:
        """Send a notice; a topic that does not take it changes nothing of what was done."""
        try:
            self.publish_alert(alert)
        except ConnectorError:
            self.log(Event.alert_failed, alert=alert.kind.value, key=alert.key)
        else:
            self.log(Event.alert_sent, alert=alert.kind.value, key=alert.key)
