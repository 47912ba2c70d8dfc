"""A dry run: the real phases on the real systems; nothing is written to either of them.

It reports what the same code would do: both systems are read, the ledger is an overlay over the
real one, and the outcome of a write is predicted from each system's description of its own fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from connector.errors import HaltError, StopReason
from connector.mapping import BoundMapping
from connector.model import (
    AttentionKind,
    Counts,
    JournalEntry,
    JournalKind,
    RecordKind,
    Run,
    Side,
)
from connector.sync.context import SyncContext
from connector.sync.dry_run_client import DryRunClient
from connector.sync.dry_run_ledger import OverlayLedger
from connector.sync.ports import JournalWriter
from connector.sync.read_phase import read_changes
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.selected_people import refresh_people

TOO_LARGE: Final = (
    "The preview did not fit into one invocation: request it for some people by their e-mails, or "
    "raise WorkerTimeoutSeconds and WorkerBudgetSeconds. Nothing was changed."
)


class DryRunJournal:
    """Stores what would be done under the run, separate from the history of people."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal = journal

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of the plan."""
        self._journal.write_dry_run(entries)

    def write_dry_run(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of the plan."""
        self._journal.write_dry_run(entries)


def run_dry_run(
    context: SyncContext, bound: BoundMapping, run: Run, out_of_time: Callable[[], bool]
) -> None:
    """Report what a run would do: entries under the run's id in the journal, counts in its record.

    All people are checked when the run requests it, when it has a mapping of its own, or when the
    saved mapping was not applied to all people yet; otherwise only those who changed. Raises
    `HaltError` when it does not fit into one invocation.
    """
    overlay = OverlayLedger(context.links, context.cursors, context.runs, context.control)
    clients = {
        side: DryRunClient(client, side, context.clock) for side, client in context.clients.items()
    }
    calls_before = {side: client.calls for side, client in clients.items()}
    preview = replace(
        context,
        links=overlay,
        cursors=overlay,
        runs=overlay,
        control=overlay,
        journal=DryRunJournal(context.journal),
        clients=clients,
        is_dry_run=True,
    )
    if run.emails:
        counts, emails = refresh_people(preview, bound, run.emails)
        overlay.add_counts(run.id, counts)
        ResolvePhase(preview, bound, run.id).resolve_people(emails, out_of_time)
    else:
        _read_changes(preview, bound, run, out_of_time)
        if not ResolvePhase(preview, bound, run.id).run(out_of_time):
            raise HaltError(StopReason.PREVIEW_TOO_LARGE, TOO_LARGE)
    _report_duplicates(preview, overlay, run)
    predicted = Counts()
    for side, client in clients.items():
        calls = client.calls - calls_before[side] + client.search_calls + client.write_calls
        predicted.add(side, "predicted_calls", calls)
        predicted.add(side, "predicted_write_calls", client.write_calls)
    overlay.add_counts(run.id, predicted)
    context.runs.add_counts(run.id, overlay.counts)


def _report_duplicates(preview: SyncContext, overlay: OverlayLedger, run: Run) -> None:
    """Report which people have several Leads of one e-mail, among those that were checked."""
    now = preview.clock()
    duplicates = [
        link for link in overlay.written_links() if AttentionKind.DUPLICATE in link.attention
    ]
    overlay.counts.add(Side.SALESFORCE, "duplicates", len(duplicates))
    preview.journal.write(
        [
            JournalEntry(
                email=link.email,
                at=now,
                run_id=run.id,
                kind=JournalKind.DUPLICATE,
                side=Side.SALESFORCE,
                record_id=lead.id,
                field="",
                before=None,
                after=None,
                rule=preview.mappings.current().duplicates.value,
            )
            for link in duplicates
            for lead in link.salesforce
            if lead.kind is RecordKind.LEAD and lead.participates
        ]
    )


def _read_changes(
    preview: SyncContext, bound: BoundMapping, run: Run, out_of_time: Callable[[], bool]
) -> None:
    version = bound.config.version
    everything = (
        run.include_unchanged or bool(run.draft) or preview.cursors.applied_version() != version
    )
    for kind in RecordKind:
        cursor = preview.cursors.load_cursor(kind).started(version=version, full=everything)
        is_complete = read_changes(preview, cursor, bound, run.id, out_of_time)
        if not is_complete or out_of_time():
            raise HaltError(StopReason.PREVIEW_TOO_LARGE, TOO_LARGE)
