"""What a process gives to every role: adapters, HTTP, clock, ids, waiting, randomness, a log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.deadline import Deadline

if TYPE_CHECKING:
    from typing import NotRequired, Protocol, TypedDict

    from requests import Session

    from connector.admin.alert_recipients import Subscriptions
    from connector.admin.context import (
        AuditLog,
        CallCounter,
        JournalReader,
        PersonalData,
        PersonLinks,
        Recipient,
        ReviewStore,
        RunReader,
        SyncControl,
        TemporaryStore,
    )
    from connector.admin.context import MappingStore as MappingVersions
    from connector.admin.context import Tombstones as StoredTombstones
    from connector.console.seals import ConsoleKeys
    from connector.credentials.rotation import RotationStore, SecretVersionStore
    from connector.forms.consumer import DelayQueue, FormHints
    from connector.forms.keys import FormsKeys
    from connector.forms.receiver import IdempotencyStore
    from connector.http_session import HttpSession
    from connector.log_events import EventLog
    from connector.model import AttentionKind, ChangeHint, Side
    from connector.retry import RetryPolicy
    from connector.salesforce.auth.session import SessionState
    from connector.salesforce.budget import CallStore
    from connector.secret_version import Secret, SecretProvider
    from connector.secrets import SecretModel
    from connector.stores import SlotStore
    from connector.sync.ports import (
        AlertPublisher,
        CursorStore,
        JournalHistory,
        JournalWriter,
        LinkStore,
        MappingStore,
        RunQueue,
        RunRegistry,
        RunStore,
        ScratchStore,
        Tombstones,
        WorkStore,
    )
    from connector.sync.run_alerts import AlertStore

    class Ledger(
        LinkStore,
        WorkStore,
        CursorStore,
        RunStore,
        AlertStore,
        RunReader,
        SyncControl,
        ReviewStore,
        CallCounter,
        SessionState,
        CallStore,
        RotationStore,
        SlotStore,
        TemporaryStore,
        PersonLinks,
        Protocol,
    ):
        """Everything that one table holds; each client sees only the protocol that it needs."""

    class Journal(JournalWriter, JournalHistory, JournalReader, Protocol):
        """The journal, written by runs and read by administrators."""

    class TombstoneStore(Tombstones, StoredTombstones, Protocol):
        """Who was erased, asked by runs and stored by administrators."""

    class Mappings(MappingStore, MappingVersions, Protocol):
        """The versions of the mapping, read by runs and saved by administrators."""

    class HintQueue(DelayQueue, Protocol):
        """The forms queue, written by the receiver and by the consumer."""

        def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
            """Queue a hint."""

    class AwsAdapters(Protocol):
        """Makes the adapters of AWS services; the simulation makes adapters that work in memory."""

        def run_registry(self, table: str) -> RunRegistry:
            """Return where requested runs are stored."""

        def ledger(self, table: str) -> Ledger:
            """Return the ledger."""

        def attention_counts(self, table: str) -> Callable[[int], Mapping[AttentionKind, int]]:
            """Return a function that counts the people who wait for a decision, up to a limit."""

        def scratch(self, table: str, run_id: str) -> ScratchStore:
            """Return what a dry run stores apart from the ledger."""

        def console_keys(self, name: str) -> Callable[[], ConsoleKeys]:
            """Return a function that reads the keys of the console's cookies from a secret."""

        def tombstones(self, table: str, secret: str) -> TombstoneStore:
            """Return who was erased; `secret` has the key of the hashes."""

        def log_names(self, secret: str) -> Callable[[str], str]:
            """Return a function that names people in the log; `secret` has the key."""

        def personal_data(self, ledger: str, journal: str) -> PersonalData:
            """Return everything that two tables have about a person."""

        def journal(self, table: str, days: int) -> Journal:
            """Return the journal, whose entries are kept for some days."""

        def audit(self, table: str) -> AuditLog:
            """Return the audit log."""

        def mappings(self, table: str) -> Mappings:
            """Return the versions of the mapping."""

        def runs_queue(self, url: str) -> RunQueue:
            """Return the queue of runs."""

        def forms_queue(self, url: str) -> HintQueue:
            """Return the queue of forms."""

        def form_hints(self, table: str) -> FormHints:
            """Return where it is stored whom hints are about."""

        def idempotency(self, table: str) -> IdempotencyStore:
            """Return where the ids of received messages are stored."""

        def forms_keys(self, name: str) -> Callable[[], Secret[FormsKeys]]:
            """Return a function that reads the keys of form senders from a secret."""

        def secret(self, name: str, model: type[SecretModel]) -> SecretProvider[SecretModel]:
            """Return a reader of a secret's current version."""

        def secret_versions(self, name: str) -> SecretVersionStore:
            """Return the versions of a secret."""

        def alerts(self, topic: str) -> AlertPublisher:
            """Return where alerts are sent ('': nowhere)."""

        def subscriptions(self, topic: str) -> Subscriptions:
            """Return what changes the recipients of alerts."""

        def recipients(self, topic: str) -> Callable[[], tuple[Recipient, ...]]:
            """Return a function that lists the recipients of alerts."""

    class HttpFactory(Protocol):
        """Makes HTTP sessions."""

        def __call__(self, side: Side, *, authority: str = "") -> HttpSession:
            """Return a session for one system; `authority` is one more certificate (PEM)."""

    class RuntimeParts(TypedDict):
        """What `build_app` takes besides the settings."""

        aws: AwsAdapters
        http: HttpFactory
        clock: Callable[[], float]
        ids: Callable[[], str]
        sleep: Callable[[float], None]
        random: Callable[[], float]
        log: NotRequired[EventLog]
        deadline: NotRequired[Deadline]
        web: NotRequired[WebParts]


@dataclass(frozen=True, slots=True)
class WebParts:
    """What only the console needs: a session for calls to the user pool, and random tokens."""

    session: Callable[[], Session]
    new_token: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process gives to the role that it builds."""

    aws: AwsAdapters
    http: HttpFactory
    clock: Callable[[], float]
    ids: Callable[[], str]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    log: EventLog
    deadline: Deadline
    web: WebParts | None = None

    def retry_policy(self) -> RetryPolicy:
        """Return the retry policy for calls to Plezi and Salesforce."""
        from connector.bootstrap.retries import retry_policy

        return retry_policy(self.sleep, self.random, self.clock, self.log, self.deadline)
