"""A dry run: the real engine on the real sides, with nothing kept and nothing written.

What is told is what the same code would do: both sides are read, the ledger is a shadow of the real
one, and writes are answered as far as each side's description of its own fields foretells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from connector.errors import HaltError, StopReason
from connector.mapping import BoundMapping
from connector.model import Counts, JournalEntry, RecordKind, Run, Side
from connector.sync.context import SyncContext
from connector.sync.dry_run_client import DryRunClient
from connector.sync.overlay_ledger import OverlayLedger
from connector.sync.ports import JournalWriter
from connector.sync.read_phase import read_changes
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.selected_people import refresh_people

TOO_LARGE: Final = (
    "The preview did not fit into one invocation: ask for some people by their e-mails, or raise "
    "WorkerTimeoutSeconds and WorkerBudgetSeconds. Nothing was changed."
)


class DryRunJournal:
    """Keeps what would be done under the run, apart from people's history."""

    def __init__(self, real: JournalWriter) -> None:
        self._real = real

    def write(self, lines: Sequence[JournalEntry]) -> None:
        """Keep lines of the plan."""
        self._real.write_dry_run(lines)

    def write_dry_run(self, lines: Sequence[JournalEntry]) -> None:
        """Keep lines of the plan."""
        self._real.write_dry_run(lines)


def run_dry_run(
    world: SyncContext, bound: BoundMapping, run: Run, out_of_time: Callable[[], bool]
) -> None:
    """Tell what a run would do: lines under the run's id in the journal, counts in its record.

    Everybody is weighed when the run says so, when it brings its own mapping, or when the saved one
    was not applied to everybody yet; else who changed. Raises `HaltError` when it does not fit into
    one invocation.
    """
    ledger = OverlayLedger(world.ledger)
    sides = {
        side: DryRunClient(client, side, world.clock) for side, client in world.clients.items()
    }
    calls = {side: client.calls for side, client in sides.items()}
    stage = replace(
        world,
        ledger=ledger,
        journal=DryRunJournal(world.journal),
        clients=sides,
        is_dry_run=True,
    )
    if run.emails:
        counts, emails = refresh_people(stage, bound, run.emails)
        ledger.add_counts(run.id, counts)
        ResolvePhase(stage, bound, run.id).resolve_people(emails, out_of_time)
    else:
        _read_changes(stage, ledger, bound, run, out_of_time)
        if not ResolvePhase(stage, bound, run.id).run(out_of_time):
            raise HaltError(StopReason.PREVIEW_TOO_LARGE, TOO_LARGE)
    _report_duplicates(stage, ledger, run)
    predicted = Counts()
    for side, client in sides.items():
        told = client.calls - calls[side] + client.search_calls + client.write_calls
        predicted.add(side, "predicted_calls", told)
        predicted.add(side, "predicted_write_calls", client.write_calls)
    ledger.add_counts(run.id, predicted)
    world.ledger.add_counts(run.id, ledger.counts)


def _report_duplicates(stage: SyncContext, ledger: OverlayLedger, run: Run) -> None:
    """Tell which people have several Leads of one e-mail, among those that were looked at."""
    now = stage.clock()
    several = [link for link in ledger.written_links() if "duplicate" in link.attention]
    ledger.counts.add(Side.SALESFORCE, "duplicates", len(several))
    stage.journal.write(
        [
            JournalEntry(
                email=link.email,
                at=now,
                run_id=run.id,
                kind="duplicate",
                side=Side.SALESFORCE,
                record_id=seen.id,
                field="",
                before=None,
                after=None,
                rule=stage.mappings.current().duplicates.value,
            )
            for link in several
            for seen in link.salesforce
            if seen.kind is RecordKind.LEAD and seen.participates
        ]
    )


def _read_changes(
    stage: SyncContext,
    ledger: OverlayLedger,
    bound: BoundMapping,
    run: Run,
    out_of_time: Callable[[], bool],
) -> None:
    version = bound.config.version
    everybody = run.include_unchanged or bool(run.draft) or ledger.applied_version() != version
    for kind in RecordKind:
        cursor = ledger.load_cursor(kind).started(version=version, full=everybody)
        side = stage.clients[kind.side]
        if not read_changes(cursor, side, ledger, bound, run.id, out_of_time) or out_of_time():
            raise HaltError(StopReason.PREVIEW_TOO_LARGE, TOO_LARGE)
