"""What every function that synchronizes needs: the context of the phases, and its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from connector.bootstrap.sides import Connections, build_clients, connect, read_guard
from connector.chosen_limits import ChosenLimits, CurrentLimits
from connector.connection_settings import SyncSettings
from connector.model import Side
from connector.planning.first_sync_stages import StageLimits
from connector.plezi.dialect_in_use import served_dialect
from connector.salesforce.budget import ApiBudget
from connector.sync.context import SyncContext
from connector.sync.guarded_links import GuardedLinks
from connector.sync.ports import RunQueue, SideClient

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Ledger, Runtime


@dataclass(frozen=True, slots=True)
class Synchronization:
    """The context of the phases, and what was built for it."""

    context: SyncContext
    connections: Connections
    ledger: Ledger
    budget: ApiBudget


def build_synchronization(
    settings: SyncSettings, runtime: Runtime, run_queue: RunQueue
) -> Synchronization:
    """Build the context of the phases."""
    ledger = runtime.aws.ledger(settings.ledger_table)
    connections = connect(settings, runtime, ledger, served_dialect)
    budget = ApiBudget(connections.salesforce, ledger, runtime.clock, settings.api_share)
    clients: Mapping[Side, SideClient] = build_clients(
        connections,
        runtime,
        ledger,
        assign_new_leads=settings.assign_new_leads,
        guard=read_guard(settings),
    )
    journal = runtime.aws.journal(settings.journal_table, settings.journal_days)
    tombstones = runtime.aws.tombstones(settings.ledger_table, settings.tombstones_secret)
    context = SyncContext(
        links=GuardedLinks(ledger, tombstones),
        tombstones=tombstones,
        work=ledger,
        scratch=partial(runtime.aws.scratch, settings.ledger_table),
        cursors=ledger,
        runs=ledger,
        control=ledger,
        documents=ledger,
        journal=journal,
        history=journal,
        mappings=runtime.aws.mappings(settings.mappings_table),
        run_queue=run_queue,
        budget=budget,
        clients=dict(clients),
        clock=runtime.clock,
        new_id=runtime.ids,
        log=runtime.log,
        log_name=runtime.aws.log_names(settings.tombstones_secret),
        worker_timeout=settings.worker_timeout_seconds,
        change_limits=CurrentLimits(
            settings.max_cleared,
            settings.max_overwritten,
            settings.max_changed_share,
            ChosenLimits(ledger, runtime.clock),
        ),
        stage_limits=StageLimits(
            settings.max_stage_errors,
            settings.max_stage_duplicates,
            settings.max_stage_overwritten,
        ),
        max_records=settings.max_records_per_email,
        deadline=runtime.deadline,
    )
    return Synchronization(context, connections, ledger, budget)
