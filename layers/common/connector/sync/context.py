"""What the strokes need of the world, in one hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.model import Side
from connector.sync.ports import (
    AlertPublisher,
    ApiBudgetPort,
    Clock,
    JournalWriter,
    Ledger,
    MappingStore,
    RunQueue,
    SideClient,
)


@dataclass(frozen=True)
class SyncContext:
    """The ports, the clock and the source of ids.

    `worker_timeout` is in seconds. `max_cleared` is of how many people one run may empty fields.
    `rehearsing`: this is a dry run, nothing will be written.
    """

    ledger: Ledger
    journal: JournalWriter
    mappings: MappingStore
    run_queue: RunQueue
    alerts: AlertPublisher
    budget: ApiBudgetPort
    clients: Mapping[Side, SideClient]
    clock: Clock
    new_id: Callable[[], str]
    worker_timeout: float
    max_cleared: int
    is_dry_run: bool = False
