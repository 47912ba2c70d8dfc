"""What both phases of a run need: the ports, the clock and the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.deadline import Deadline
from connector.log_events import EventLog
from connector.model import Side
from connector.planning.announced_changes import ChangeLimits
from connector.planning.first_sync_stages import StageLimits
from connector.stores import DocumentStore
from connector.sync.ports import (
    ApiBudget,
    Clock,
    ControlState,
    CursorStore,
    JournalHistory,
    JournalWriter,
    LinkStore,
    MappingStore,
    RunQueue,
    RunStore,
    ScratchStore,
    SideClient,
    Tombstones,
    WorkStore,
)


@dataclass(frozen=True)
class SyncContext:
    """The ports of synchronization, its clock and its source of ids.

    `worker_timeout` is in seconds: an intent older than that belongs to a worker that is gone.
    `change_limits` bounds what one run may clear and overwrite without being asked, `stage_limits`
    ends a first synchronization, `max_records` is the number of records of one e-mail that may take
    part. `is_dry_run`: nothing is written to either system.
    `scratch` makes the store of a dry run, by the run's id. `log_name` returns how the log names
    the person with an e-mail.
    """

    links: LinkStore
    tombstones: Tombstones
    work: WorkStore
    scratch: Callable[[str], ScratchStore]
    cursors: CursorStore
    runs: RunStore
    control: ControlState
    documents: DocumentStore
    journal: JournalWriter
    history: JournalHistory
    mappings: MappingStore
    run_queue: RunQueue
    budget: ApiBudget
    clients: Mapping[Side, SideClient]
    clock: Clock
    new_id: Callable[[], str]
    log: EventLog
    log_name: Callable[[str], str]
    worker_timeout: float
    change_limits: ChangeLimits
    stage_limits: StageLimits
    max_records: int
    deadline: Deadline
    is_dry_run: bool = False
