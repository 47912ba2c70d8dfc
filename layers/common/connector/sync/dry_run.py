"""A dry run: the real phases on the real systems; nothing is written to either of them.

It reports what the same code would do: both systems are read, the ledger is an overlay over the
real one, and the outcome of a write is predicted from each system's description of its own fields.
The overlay is stored apart from the ledger for two days, so that a dry run of any size continues in
another invocation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from connector.mapping import BoundMapping
from connector.model import Counts, Cursor, JournalEntry, Phase, RecordKind, Run, WorkList
from connector.sync.change_limits import Limit
from connector.sync.context import SyncContext
from connector.sync.dry_run_client import DryRunClient
from connector.sync.dry_run_ledger import (
    DryRunControl,
    DryRunCursors,
    OverlayLinks,
    OverlayWork,
)
from connector.sync.ports import JournalWriter
from connector.sync.run_work import RunWork
from connector.sync.undo_work import UndoWork


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


class DryRun:
    """Reports what a run would do: entries under the run's id in the journal, counts in its record.

    All people are checked when the run requests it, when it has a mapping of its own, or when the
    saved mapping was not applied to all people yet; otherwise only those who changed, and those
    whom other runs have not resolved yet.
    """

    def __init__(self, context: SyncContext, bound: BoundMapping, run: Run) -> None:
        self._context = context
        self._run = run
        scratch = context.scratch(run.id)
        self._clients = {
            side: DryRunClient(client, side, context.clock, scratch, run.invocations)
            for side, client in context.clients.items()
        }
        self._preview = replace(
            context,
            links=OverlayLinks(context.links, scratch),
            work=OverlayWork(context.work, scratch, run.id),
            cursors=DryRunCursors(context.cursors, scratch, context.runs, self._first_cursor),
            control=DryRunControl(context.control),
            journal=DryRunJournal(context.journal),
            clients=self._clients,
            is_dry_run=True,
        )
        self._version = bound.config.version
        self._work: RunWork | UndoWork = (
            RunWork(self._preview, bound, run, limit=Limit.NONE)
            if run.undo is None
            else UndoWork(self._preview, bound, run, limit=Limit.NONE)
        )

    @property
    def phase(self) -> Phase:
        """The phase that is worked on."""
        return self._work.phase

    @property
    def visited_lists(self) -> int:
        """The first lists of the run whose links need calls to Plezi."""
        return self._work.visited_lists

    @property
    def position(self) -> WorkList | None:
        """The list behind which the next invocation goes on."""
        return self._work.position

    @property
    def made_progress(self) -> bool:
        """Whether a page was read, or a link resolved."""
        return self._work.made_progress

    def work(self, phase: Phase, out_of_time: Callable[[], bool]) -> Phase | None:
        """Work from a phase on; return the phase that is left to do, None when nothing is."""
        calls_before = {side: client.calls for side, client in self._clients.items()}
        try:
            return self._work.work(phase, out_of_time)
        finally:
            predicted = Counts()
            for side, client in self._clients.items():
                read = client.calls - calls_before[side]
                calls = read + client.search_calls + client.write_calls
                predicted.add(side, "predicted_calls", calls)
                predicted.add(side, "predicted_write_calls", client.write_calls)
            self._context.runs.add_counts(self._run.id, predicted)

    def _first_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor from which the dry run reads a kind of record."""
        everything = (
            self._run.include_unchanged
            or bool(self._run.draft)
            or self._context.cursors.applied_version() != self._version
        )
        cursor = self._context.cursors.load_cursor(kind)
        cursor = cursor.started(version=self._version, full=everything)
        return replace(cursor, completed_at=0.0)
