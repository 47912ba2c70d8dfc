"""Adapters that work in memory, in place of those of AWS, behind a fault injector."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from connector.aws.secrets import SecretReader
from connector.log_events import link_hash
from connector.retry import RetryPolicy
from connector.secrets import parse_secret
from local.world.fault_injector import FaultInjector, FaultyPort
from local.world.memory import MemoryAlertPublisher, MemoryRunQueue, MemorySecrets

if TYPE_CHECKING:
    from connector.admin.context import AuditLog, PersonalData, Recipient
    from connector.bootstrap.runtime import (
        HintQueue,
        Journal,
        Ledger,
        Mappings,
        TombstoneStore,
    )
    from connector.credentials.rotation import SecretVersionStore
    from connector.forms.consumer import FormHints
    from connector.forms.keys import FormsKeys
    from connector.forms.receiver import IdempotencyStore
    from connector.secret_version import Secret, SecretProvider
    from connector.secrets import SecretModel
    from connector.sync.ports import AlertPublisher, RunQueue, RunRegistry, ScratchStore


class NotSimulatedError(Exception):
    """The simulation has no adapter of this kind."""


class NoTombstones:
    """The tombstones of a stack in which no admin has erased a person."""

    def erased(self, names: Iterable[str]) -> frozenset[str]:  # noqa: ARG002  # a port
        """Return no name."""
        return frozenset()

    def add(self, names: Iterable[str], at: float) -> None:
        """Refuse: administrators are not simulated."""
        raise NotSimulatedError(f"{len(list(names))} names at {at}")

    def lift(self, email: str) -> int:
        """Refuse: administrators are not simulated."""
        raise NotSimulatedError(email)

    def hash_of(self, name: str) -> str:
        """Refuse: administrators are not simulated."""
        raise NotSimulatedError(name)


class MemoryAdapters:
    """The adapters of one process; satisfies `connector.bootstrap.runtime.AwsAdapters`.

    What a process stores outlives it: `ledger`, `journal`, `mappings`, `queue` and `secrets` belong
    to the simulated stack. Every call that changes something passes the fault injector.
    """

    def __init__(  # noqa: PLR0913  # the stores, each by its name
        self,
        *,
        ledger: Any,  # noqa: ANN401  # in memory, or DynamoDB's
        journal: Any,  # noqa: ANN401  # as above
        mappings: Any,  # noqa: ANN401  # as above
        queue: MemoryRunQueue,
        secrets: MemorySecrets,
        alerts: MemoryAlertPublisher,
        fault_injector: FaultInjector,
        clock: Callable[[], float],
        retry: RetryPolicy,
    ) -> None:
        self._ledger = FaultyPort(ledger, "ledger", fault_injector)
        self._journal = FaultyPort(journal, "journal", fault_injector)
        self._queue = FaultyPort(queue, "run_queue", fault_injector)
        self._mappings = mappings
        self._secrets: Any = secrets  # answers as a Secrets Manager client does
        self._alerts = alerts
        self._clock = clock
        self._retry = retry

    def run_registry(self, table: str) -> RunRegistry:  # noqa: ARG002  # there is one table
        """Return where requested runs are stored."""
        registry: RunRegistry = self._ledger
        return registry

    def ledger(self, table: str) -> Ledger:  # noqa: ARG002  # there is one table
        """Return the ledger."""
        ledger: Any = self._ledger
        return ledger  # type: ignore[no-any-return]  # the port answers as the ledger behind it

    def scratch(self, table: str, run_id: str) -> ScratchStore:  # noqa: ARG002  # there is one table
        """Return what a dry run stores."""
        scratch: ScratchStore = self._ledger.scratch(run_id)
        return scratch

    def tombstones(self, table: str, secret: str) -> TombstoneStore:  # noqa: ARG002  # as above
        """Return tombstones without a name: administrators are not simulated."""
        return NoTombstones()

    def log_names(self, secret: str) -> Callable[[str], str]:  # noqa: ARG002  # no log is kept
        """Return a function that names people by a hash without a key."""
        return link_hash

    def personal_data(self, ledger: str, journal: str) -> PersonalData:  # noqa: ARG002  # as above
        """Refuse: administrators are not simulated."""
        raise NotSimulatedError(ledger)

    def journal(self, table: str, days: int) -> Journal:  # noqa: ARG002  # kept for ever
        """Return the journal."""
        journal: Any = self._journal
        return journal  # type: ignore[no-any-return]  # as above

    def mappings(self, table: str) -> Mappings:  # noqa: ARG002  # there is one table
        """Return the versions of the mapping."""
        mappings: Any = self._mappings
        return mappings  # type: ignore[no-any-return]  # as above

    def runs_queue(self, url: str) -> RunQueue:  # noqa: ARG002  # there is one queue
        """Return the queue of runs."""
        queue: Any = self._queue
        return queue  # type: ignore[no-any-return]  # as above

    def secret(self, name: str, model: type[SecretModel]) -> SecretProvider[SecretModel]:
        """Return a reader of a secret's current version."""

        def parse(text: str) -> SecretModel:
            return parse_secret(model, text, name)

        return SecretReader(self._secrets, name, parse, self._clock, self._retry)

    def alerts(self, topic: str) -> AlertPublisher:  # noqa: ARG002  # there is one topic
        """Return where alerts are sent."""
        return self._alerts

    def audit(self, table: str) -> AuditLog:
        """Refuse: administrators are not simulated."""
        raise NotSimulatedError(table)

    def forms_queue(self, url: str) -> HintQueue:
        """Refuse: a hint is passed to the engine directly."""
        raise NotSimulatedError(url)

    def form_hints(self, table: str) -> FormHints:
        """Refuse: a hint is passed to the engine directly."""
        raise NotSimulatedError(table)

    def idempotency(self, table: str) -> IdempotencyStore:
        """Refuse: the receiver of forms is not simulated."""
        raise NotSimulatedError(table)

    def forms_keys(self, name: str) -> Callable[[], Secret[FormsKeys]]:
        """Refuse: the receiver of forms is not simulated."""
        raise NotSimulatedError(name)

    def secret_versions(self, name: str) -> SecretVersionStore:
        """Refuse: rotation is not simulated."""
        raise NotSimulatedError(name)

    def recipients(self, topic: str) -> Callable[[], tuple[Recipient, ...]]:
        """Refuse: administrators are not simulated."""
        raise NotSimulatedError(topic)
