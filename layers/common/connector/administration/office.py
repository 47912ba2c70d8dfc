"""What an administrator's verbs ask of the world. Adapters satisfy these by shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connector.checks import Checked
from connector.configuration import SavedMapping
from connector.journal import AuditEntry, AuditPage, Lines
from connector.mapping import FieldMapping, Schema
from connector.model import Breaker, Change, Kind, Link, Run, RunKind
from connector.salesforce.setup_report import FieldReport, Step
from connector.salesforce.wanted import WantedField


class Ledger(Protocol):
    """Our memory, as far as an administrator looks into it."""

    def links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""

    def put(self, changes: Sequence[Change]) -> frozenset[str]:
        """Store new states of links; return the e-mails refused because the line had moved."""

    def waiting(self, reason: str, limit: int, after: str = "") -> list[str]:
        """Return e-mails of links that wait for a person, in order."""

    def run(self, run: str) -> Run | None:
        """Return the record of a run."""

    def runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the newest runs, newest first, beginning before one."""

    def started(self) -> bool:
        """Whether the start switch is on."""

    def switch(self, *, on: bool, now: float) -> None:
        """Turn the start switch."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""

    def close_breaker(self) -> None:
        """Close the breaker."""

    def allow_emptying(self, until: float) -> None:
        """Let runs empty many fields until then, and close the breaker that this had opened."""

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""

    def parked(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""

    def calls_since(self, hour: int) -> int:
        """Return our calls to Salesforce in an hour (since 1970) and the 23 after it."""

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def keep_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class Journal(Protocol):
    """What we did, field by field."""

    def of_person(self, email: str, limit: int = 100, after: str = "") -> Lines:
        """Return the newest lines of one person."""

    def of_run(self, run: str, limit: int = 100, after: str = "") -> Lines:
        """Return the lines of a run."""


class Audit(Protocol):
    """Who changed what."""

    def record(self, entry: AuditEntry, entry_id: str) -> None:
        """Keep an entry."""

    def entries(self, limit: int, after: str = "") -> AuditPage:
        """Return the newest entries."""


class Configuration(Protocol):
    """The versions of the mapping."""

    def current(self) -> FieldMapping:
        """Return the newest version."""

    def version(self, number: int) -> FieldMapping | None:
        """Return one version, or None."""

    def versions(self, limit: int, before: int | None = None) -> list[SavedMapping]:
        """Return the newest versions, newest first, beginning before one."""

    def save(self, mapping: FieldMapping, *, by: str = "", at: float = 0.0) -> None:
        """Save a version, which must be new; else `StaleError`."""


class Door(Protocol):
    """Where runs are requested."""

    def request(self, kind: RunKind, *, emails: Iterable[str] = ()) -> str:
        """Write down a run; return its id."""


class Side(Protocol):
    """What a side says of its own fields."""

    def schemas(self) -> Mapping[Kind, Schema]:
        """Return the fields of each kind of record, as the side says today."""

    def forget_schemas(self) -> None:
        """Describe again at the next need."""


class Setup(Protocol):
    """The set-up of the org."""

    def look(
        self, fields: Sequence[WantedField], schemas: Mapping[Kind, Schema]
    ) -> tuple[FieldReport, ...]:
        """Say how each field stands."""

    def make(
        self, fields: Sequence[WantedField], reports: Sequence[FieldReport]
    ) -> tuple[Step, ...]:
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
    setup: Setup

    def schemas(self) -> dict[Kind, Schema]:
        """Return the fields of every kind of record. Raises as the sides do."""
        found: dict[Kind, Schema] = {}
        for side in self.sides:
            found.update(side.schemas())
        return found

    def forget_schemas(self) -> None:
        """Describe both sides again at the next need."""
        for side in self.sides:
            side.forget_schemas()


@dataclass(frozen=True)
class Office:
    """All that an administrator's verbs need; `sides` are made anew for each request.

    `check` tries the credentials of both sides. `password_days` are those until the integration
    user's password expires (None: unknown, or never). `api_share` is our share of the org's API
    calls, as a fraction.
    """

    ledger: Ledger
    journal: Journal
    audit: Audit
    configuration: Configuration
    door: Door
    sides: Callable[[], Sides]
    check: Callable[[], Checked]
    recipients: Callable[[], tuple[Recipient, ...]]
    clock: Callable[[], float]
    new_id: Callable[[], str]
    password_days: Callable[[], int | None] = lambda: None
    api_share: float = 0.2

    def note(
        self, who: str, what: str, subject: str = "", before: str = "", after: str = ""
    ) -> None:
        """Keep in the audit who changed what; `before` and `after` are hashes of the states."""
        entry = AuditEntry(who, what, self.clock(), subject, before, after)
        self.audit.record(entry, self.new_id())
