"""What an administrator's verbs ask of the world. Adapters satisfy these by shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connector.aws.dynamodb.audit import AuditEntry, AuditPage
from connector.aws.dynamodb.journal import JournalPage
from connector.aws.dynamodb.mappings import SavedMapping
from connector.connection_report import ConnectionReport
from connector.mapping import MappingConfig, Schema
from connector.model import AttentionKind, Breaker, Link, LinkChange, RecordKind, Run, RunKind
from connector.salesforce.setup.report import FieldReport, SetupStep
from connector.salesforce.setup.required_fields import RequiredField


class Ledger(Protocol):
    """Our memory, as far as an administrator looks into it."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Store new states of links; return the e-mails refused because the line had moved."""

    def emails_needing_attention(
        self, kind: AttentionKind, limit: int, after: str = ""
    ) -> list[str]:
        """Return e-mails of links that wait for a person, in order."""

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run."""

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the newest runs, newest first, beginning before one."""

    def is_enabled(self) -> bool:
        """Whether the start switch is on."""

    def set_enabled(self, *, on: bool, now: float) -> None:
        """Turn the start switch."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""

    def close_breaker(self) -> None:
        """Close the breaker."""

    def allow_clearing(self, until: float) -> None:
        """Let runs empty many fields until then, and close the breaker that this had opened."""

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""

    def suspended_pairs(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""

    def calls_since(self, hour: int) -> int:
        """Return our calls to Salesforce in an hour (since 1970) and the 23 after it."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class JournalReader(Protocol):
    """What we did, field by field."""

    def person_entries(self, email: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the newest lines of one person."""

    def run_entries(self, run: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the lines of a run."""


class AuditLog(Protocol):
    """Who changed what."""

    def record(self, entry: AuditEntry, entry_id: str) -> None:
        """Keep an entry."""

    def entries(self, limit: int, after: str = "") -> AuditPage:
        """Return the newest entries."""


class MappingStore(Protocol):
    """The versions of the mapping."""

    def current(self) -> MappingConfig:
        """Return the newest version."""

    def version(self, number: int) -> MappingConfig | None:
        """Return one version, or None."""

    def versions(self, limit: int, before: int | None = None) -> list[SavedMapping]:
        """Return the newest versions, newest first, beginning before one."""

    def save(self, mapping: MappingConfig, *, by: str = "", at: float = 0.0) -> None:
        """Save a version, which must be new; else `StaleError`."""


class RunRequester(Protocol):
    """Where runs are requested."""

    def request_run(self, kind: RunKind, *, emails: Iterable[str] = ()) -> str:
        """Write down a run; return its id."""


class Side(Protocol):
    """What a side says of its own fields."""

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record, as the side says today."""

    def invalidate_schemas(self) -> None:
        """Describe again at the next need."""


class OrgSetup(Protocol):
    """The set-up of the org."""

    def inspect(
        self, fields: Sequence[RequiredField], schemas: Mapping[RecordKind, Schema]
    ) -> tuple[FieldReport, ...]:
        """Say how each field stands."""

    def create_missing(
        self, fields: Sequence[RequiredField], reports: Sequence[FieldReport]
    ) -> tuple[SetupStep, ...]:
        """Make what the reports lack, and open it to the integration user."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told of alerts: how (`email`, `sms`, ...), where, and whether they have confirmed."""

    protocol: str
    endpoint: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides for the time of one request: what they describe is believed no longer."""

    sides: tuple[Side, ...]
    setup: OrgSetup

    def schemas(self) -> dict[RecordKind, Schema]:
        """Return the fields of every kind of record. Raises as the sides do."""
        found: dict[RecordKind, Schema] = {}
        for side in self.sides:
            found.update(side.schemas())
        return found

    def invalidate_schemas(self) -> None:
        """Describe both sides again at the next need."""
        for side in self.sides:
            side.invalidate_schemas()


@dataclass(frozen=True)
class AdminContext:
    """All that an administrator's verbs need; `sides` are made anew for each request.

    `check` tries the credentials of both sides. `password_days` are those until the integration
    user's password expires (None: unknown, or never). `api_share` is our share of the org's API
    calls, as a fraction.
    """

    ledger: Ledger
    journal: JournalReader
    audit: AuditLog
    mappings: MappingStore
    run_requester: RunRequester
    sides: Callable[[], Sides]
    check: Callable[[], ConnectionReport]
    recipients: Callable[[], tuple[Recipient, ...]]
    clock: Callable[[], float]
    new_id: Callable[[], str]
    password_days: Callable[[], int | None] = lambda: None
    api_share: float = 0.2

    def audit_change(
        self, actor: str, action: str, subject: str = "", before: str = "", after: str = ""
    ) -> None:
        """Keep in the audit who changed what; `before` and `after` are hashes of the states."""
        entry = AuditEntry(actor, action, self.clock(), subject, before, after)
        self.audit.record(entry, self.new_id())
