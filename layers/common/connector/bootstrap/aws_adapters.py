"""The adapters of AWS services, each made when a role asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import botocore.session

from connector.aws.client_config import Service, client_config
from connector.bootstrap.retries import retry_policy
from connector.deadline import Deadline
from connector.log_events import EventLog
from connector.parallel import Parallel, one_after_another

if TYPE_CHECKING:
    from connector.admin.alert_recipients import Subscriptions
    from connector.admin.context import AuditLog, PersonalData, Recipient
    from connector.aws.dynamodb.tombstones import TombstoneKey
    from connector.bootstrap.runtime import (
        HintQueue,
        Journal,
        Ledger,
        Mappings,
        TombstoneStore,
    )
    from connector.console.seals import ConsoleKeys
    from connector.credentials.rotation import SecretVersionStore
    from connector.forms.consumer import FormHints
    from connector.forms.keys import FormsKeys
    from connector.forms.receiver import IdempotencyStore
    from connector.model import AttentionKind
    from connector.secret_version import Secret, SecretProvider
    from connector.secrets import SecretModel
    from connector.sync.ports import (
        AlertPublisher,
        RunQueue,
        RunRegistry,
        ScratchStore,
    )


class BotoAdapters:
    """Makes the adapters of AWS services; satisfies `runtime.AwsAdapters`.

    The clients are botocore's own and not boto3's: boto3 adds resources and file transfers, which
    nothing here uses, and takes twice as long to make a client. `validate` lets botocore check the
    parameters of each call: tests do. `deadline` is that of the process. `parallel` makes
    the calls that do not depend on each other.
    """

    def __init__(  # noqa: PLR0913  # what a process has, each by its name
        self,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        sleep: Callable[[float], None],
        random: Callable[[], float],
        log: EventLog,
        *,
        parallel: Parallel = one_after_another,
        deadline: Deadline | None = None,
        validate: bool = False,
    ) -> None:
        self._clock = clock
        self._new_id = new_id
        self._validate = validate
        self._retry = retry_policy(sleep, random, clock, log, deadline or Deadline(clock))
        self._parallel = parallel
        self._session = botocore.session.get_session()

    def _client(self, service: Service) -> Any:  # noqa: ANN401  # each service has its own methods
        config = client_config(validate=self._validate)
        return self._session.create_client(service, config=config)

    @cached_property
    def _dynamodb(self) -> Any:  # noqa: ANN401  # as above
        return self._client("dynamodb")

    @cached_property
    def _sqs(self) -> Any:  # noqa: ANN401  # as above
        return self._client("sqs")

    @cached_property
    def _secretsmanager(self) -> Any:  # noqa: ANN401  # as above
        return self._client("secretsmanager")

    @cached_property
    def _sns(self) -> Any:  # noqa: ANN401  # as above
        return self._client("sns")

    def run_registry(self, table: str) -> RunRegistry:
        """Return where requested runs are stored."""
        from connector.aws.dynamodb.runs import RunStore
        from connector.aws.dynamodb.table import Table

        return RunStore(Table(self._dynamodb, table, self._retry))

    def ledger(self, table: str) -> Ledger:
        """Return the ledger."""
        from connector.aws.dynamodb.ledger import DynamoLedger

        return DynamoLedger(self._dynamodb, table, self._retry, self._parallel)

    def attention_counts(self, table: str) -> Callable[[int], Mapping[AttentionKind, int]]:
        """Return a function that counts the people who wait for a decision, up to a limit."""
        from connector.aws.dynamodb.attention_counts import AttentionCounts
        from connector.aws.dynamodb.table import Table

        return AttentionCounts(Table(self._dynamodb, table, self._retry), self._parallel).count

    def scratch(self, table: str, run_id: str) -> ScratchStore:
        """Return what a dry run stores apart from the ledger."""
        from connector.aws.dynamodb.scratch import DynamoScratch
        from connector.aws.dynamodb.table import Table

        shared = Table(self._dynamodb, table, self._retry, self._parallel)
        return DynamoScratch(shared, run_id, self._clock)

    def tombstones(self, table: str, secret: str) -> TombstoneStore:
        """Return who was erased; `secret` has the key of the hashes."""
        from connector.aws.dynamodb.table import Table
        from connector.aws.dynamodb.tombstones import DynamoTombstones

        shared = Table(self._dynamodb, table, self._retry, self._parallel)
        return DynamoTombstones(shared, self._tombstone_key(secret))

    def log_names(self, secret: str) -> Callable[[str], str]:
        """Return a function that names people in the log; `secret` has the key of the hashes."""
        from connector.aws.dynamodb.tombstones import LogNames

        return LogNames(self._tombstone_key(secret))

    def _tombstone_key(self, secret: str) -> TombstoneKey:
        from connector.aws.dynamodb.tombstones import TombstoneKey, parse_tombstone_key
        from connector.aws.secrets import SecretReader

        parse = partial(parse_tombstone_key, name=secret)
        reader = SecretReader(self._secretsmanager, secret, parse, self._clock, self._retry)
        return TombstoneKey(secret, lambda: reader.current().value)

    def personal_data(self, ledger: str, journal: str) -> PersonalData:
        """Return everything that two tables have about a person."""
        from connector.aws.dynamodb.personal_data import DynamoPersonalData
        from connector.aws.dynamodb.table import Table

        tables = (Table(self._dynamodb, name, self._retry) for name in (ledger, journal))
        return DynamoPersonalData(*tables)

    def journal(self, table: str, days: int) -> Journal:
        """Return the journal, whose entries are kept for some days."""
        from connector.aws.dynamodb.journal import DynamoJournal

        return DynamoJournal(self._dynamodb, table, days, self._retry, self._parallel)

    def audit(self, table: str) -> AuditLog:
        """Return the audit log."""
        from connector.aws.dynamodb.audit import DynamoAudit

        return DynamoAudit(self._dynamodb, table, self._retry)

    def mappings(self, table: str) -> Mappings:
        """Return the versions of the mapping."""
        from connector.aws.dynamodb.mappings import DynamoMappings

        return DynamoMappings(self._dynamodb, table, self._retry)

    def runs_queue(self, url: str) -> RunQueue:
        """Return the queue of runs."""
        from connector.aws.runs_queue import RunsQueue

        return RunsQueue(self._sqs, url, self._new_id, self._retry)

    def forms_queue(self, url: str) -> HintQueue:
        """Return the queue of forms."""
        from connector.aws.forms_queue import FormsQueue

        return FormsQueue(self._sqs, url, self._retry)

    def form_hints(self, table: str) -> FormHints:
        """Return where it is stored whom hints are about."""
        from connector.aws.dynamodb.form_hints import DynamoFormHints

        return DynamoFormHints(self._dynamodb, table, self._retry)

    def idempotency(self, table: str) -> IdempotencyStore:
        """Return where the ids of received messages are stored."""
        from connector.aws.dynamodb.idempotency import DynamoIdempotency

        return DynamoIdempotency(self._dynamodb, table, self._retry)

    def forms_keys(self, name: str) -> Callable[[], Secret[FormsKeys]]:
        """Return a function that reads the keys of form senders from a secret."""
        from connector.aws.secrets import SecretReader
        from connector.forms.keys import parse_forms_keys

        parse = partial(parse_forms_keys, name=name)
        return SecretReader(self._secretsmanager, name, parse, self._clock, self._retry).current

    def console_keys(self, name: str) -> Callable[[], ConsoleKeys]:
        """Return a function that reads the keys of the console's cookies from a secret."""
        from connector.aws.secrets import SecretReader
        from connector.console.seals import parse_console_keys

        parse = partial(parse_console_keys, name=name)
        reader = SecretReader(self._secretsmanager, name, parse, self._clock, self._retry)
        return lambda: reader.current().value

    def secret(self, name: str, model: type[SecretModel]) -> SecretProvider[SecretModel]:
        """Return a reader of a secret's current version."""
        from connector.aws.secrets import SecretReader
        from connector.secrets import parse_secret

        def parse(text: str) -> SecretModel:
            return parse_secret(model, text, name)

        return SecretReader(self._secretsmanager, name, parse, self._clock, self._retry)

    def secret_versions(self, name: str) -> SecretVersionStore:
        """Return the versions of a secret."""
        from connector.aws.secrets import SecretVersions

        return SecretVersions(self._secretsmanager, name, self._retry)

    def alerts(self, topic: str) -> AlertPublisher:
        """Return where alerts are sent ('': nowhere)."""
        from connector.aws.sns import SnsAlertPublisher

        return SnsAlertPublisher(self._sns, topic, self._retry)

    def subscriptions(self, topic: str) -> Subscriptions:
        """Return what changes the recipients of alerts."""
        from connector.aws.alert_recipients import SnsRecipients

        return SnsRecipients(self._sns, topic, self._retry)

    def recipients(self, topic: str) -> Callable[[], tuple[Recipient, ...]]:
        """Return a function that lists the recipients of alerts."""
        from connector.admin.context import Recipient
        from connector.aws.alert_recipients import SnsRecipients

        subscriptions = SnsRecipients(self._sns, topic, self._retry)
        return lambda: tuple(Recipient(*each) for each in subscriptions.list())
