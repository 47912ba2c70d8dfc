"""What both phases of a run need: the ports, the clock and the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.log_events import EventLog
from connector.model import Side
from connector.sync.ports import (
    ApiBudget,
    Clock,
    ControlState,
    CursorStore,
    JournalWriter,
    LinkStore,
    MappingStore,
    RunQueue,
    RunStore,
    SideClient,
)


@dataclass(frozen=True)
class SyncContext:
    """The ports of synchronization, its clock and its source of ids.

    `worker_timeout` is in seconds: an intent older than that belongs to a worker that is gone.
    `max_cleared` is the number of people that one run may clear fields of. `is_dry_run`: nothing is
    written to either system.
    """

    links: LinkStore
    cursors: CursorStore
    runs: RunStore
    control: ControlState
    journal: JournalWriter
    mappings: MappingStore
    run_queue: RunQueue
    budget: ApiBudget
    clients: Mapping[Side, SideClient]
    clock: Clock
    new_id: Callable[[], str]
    log: EventLog
    worker_timeout: float
    max_cleared: int
    is_dry_run: bool = False
