"""The work of an undo: the people of a run are listed, then their values are put back.

It is planned on stored observations and on the journal, and carried out as any other write: fresh
read, intent, conditional put, outcome. What users typed since then is left to the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from connector.mapping import BoundMapping
from connector.model import (
    MAX_LISTED,
    Counts,
    JournalEntry,
    JournalKind,
    Link,
    Phase,
    Progress,
    Run,
    Side,
    UndoReason,
    UndoRequest,
    WorkList,
)
from connector.planning.plan import NotUndone, Plan
from connector.planning.undo import UndoScope, plan_undo
from connector.sync.change_limits import Limit
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.journal_entries import count_not_undone, not_undone_entries
from connector.sync.read_phase import ReadPhase
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.work_queue import WorkQueue

EARLIER_SECONDS: Final = 86_400.0
"""How long before the request of a run its entries are searched: our clock may have been set back,
and the form of a busy contact is tried again under the same id."""


class UndoPlanner:
    """Plans what puts the values of one run back. Satisfies `PartialPlanner`."""

    def __init__(self, context: SyncContext, bound: BoundMapping, run: Run) -> None:
        """Take an undo, or the dry run that previews it."""
        self._context = context
        self._bound = bound
        self._run_id = run.id
        request = run.undo or UndoRequest("")
        undone = context.runs.load_run(request.run_id)
        mapping = None if undone is None else context.mappings.version(undone.mapping_version)
        former = {} if mapping is None else {pair.key: pair for pair in mapping.pairs}
        self._since = 0.0 if undone is None else max(0.0, undone.requested_at - EARLIER_SECONDS)
        self._scope = UndoScope(request, former)
        self._entries: dict[str, tuple[JournalEntry, ...]] = {}
        self._named: set[tuple[str, str, str]] = set()

    def load(self, emails: Sequence[str]) -> None:
        """Read the journal of some people, unless it was read for them before."""
        unread = [email for email in emails if email not in self._entries]
        self._entries |= self._context.history.entries_since(unread, self._since)
        self._named |= {
            _name_of(entry)
            for email in unread
            for entry in self._entries.get(email, ())
            if entry.run_id == self._run_id and entry.kind is JournalKind.NOT_UNDONE
        }

    def forget(self) -> None:
        """Forget the journal of all people: they are done."""
        self._entries.clear()
        self._named.clear()

    def plan(self, link: Link) -> Plan:
        """Return the plan of one link, whose journal was read."""
        return plan_undo(link, self._bound, self._entries.get(link.email, ()), self._scope)

    def entries(self, plan: Plan, now: float) -> list[JournalEntry]:
        """Return the journal entries of what a plan leaves as it is, each of them once."""
        return self._new(plan.link.email, plan.not_undone, now)

    def without_link(self, email: str, now: float) -> list[JournalEntry]:
        """Return the journal entries of a person whose link does not exist any more."""
        return self.entries(self.plan(Link(email)), now)

    def without_entry(self, email: str, now: float) -> list[JournalEntry]:
        """Return the journal entry of a person of whom the journal has nothing about the run."""
        run_id = self._scope.request.run_id
        if any(entry.run_id == run_id for entry in self._entries.get(email, ())):
            return []
        return self._new(email, [NotUndone(Side.SALESFORCE, "", "", UndoReason.NO_ENTRY)], now)

    def unfinished(self, link: Link, now: float) -> list[JournalEntry]:
        """Return the journal entries of the values that are still to be put back in a link."""
        left = [
            NotUndone(
                write.side,
                write.record_id,
                self._bound.by_field[write.kind, name].key,
                UndoReason.UNFINISHED,
                write.before.get(name),
                before,
            )
            for write in self.plan(link).writes
            for name, before in write.values.items()
        ]
        return self._new(link.email, left, now)

    def _new(self, email: str, left: Iterable[NotUndone], now: float) -> list[JournalEntry]:
        entries = not_undone_entries(email, left, self._run_id, now)
        new = [entry for entry in entries if _name_of(entry) not in self._named]
        self._named |= {_name_of(entry) for entry in new}
        return new


class UndoWork:
    """Works on one undo. Every invocation makes a new one; the ledger holds what is left to do."""

    def __init__(
        self, context: SyncContext, bound: BoundMapping, run: Run, *, limit: Limit = Limit.UNDO
    ) -> None:
        """Take a run. People whom an admin named are put back without a limit."""
        self._context = context
        self._run = run
        self._isolation = Isolation(context, run.id)
        self._queue = WorkQueue(context, run)
        self._planner = UndoPlanner(context, bound, run)
        reading = ReadPhase(context, bound, run, self._queue, self._isolation)
        self._resolving = ResolvePhase(
            context,
            bound,
            run,
            self._queue,
            self._isolation,
            reading,
            limit=Limit.NONE if run.emails else limit,
            planner=self._planner,
        )
        self.phase = Phase.READ
        """The phase that is worked on."""
        self.position: WorkList | None = run.position
        """The list that was visited last: the next invocation goes on behind it."""
        self.visited_lists = 0
        """An undo has no lists of which only some links are left."""
        self._progress = False

    @property
    def made_progress(self) -> bool:
        """Whether people were listed, or a list was visited."""
        return self._progress or self._resolving.made_progress

    def work(self, phase: Phase, out_of_time: Callable[[], bool]) -> Phase | None:
        """Work from a phase on; return the phase that is left to do, None when nothing is."""
        self.phase = phase
        if phase is Phase.READ:
            if not self._list_people(out_of_time):
                return Phase.READ
            self.phase = Phase.RESOLVE
        for work, emails in self._queue.own_lists(self.position):
            if not self._visit(work, emails, out_of_time):
                return Phase.RESOLVE
            self.position = work
        return None

    def _list_people(self, out_of_time: Callable[[], bool]) -> bool:
        """Put the people of the run on work lists; return whether all are.

        The order is always the same, so that another invocation continues behind the full lists.
        """
        people = self._people()
        while part := list(islice(people, MAX_LISTED)):
            self._context.runs.add_counts(self._run.id, Counts(), self._queue.add(part))
            self._progress = True
            if out_of_time():
                return False
        return True

    def _people(self) -> Iterator[str]:
        request = self._run.undo or UndoRequest("")
        people: Iterable[str] = self._run.emails
        if not people:
            people = self._context.history.people_of_run(request.run_id)
        return islice(people, self._run.progress.lists * MAX_LISTED, None)

    def _visit(
        self, work: WorkList, emails: Sequence[str], out_of_time: Callable[[], bool]
    ) -> bool:
        """Undo the run for the people of a list; return whether all were visited.

        Who is left is for the next run: other changes wait, or a write has no response yet.
        """
        self._planner.load(emails)
        self._name_people_without_link(emails)
        left, is_done = self._resolving.resolve_in_passes(emails, out_of_time)
        if is_done:
            self._name_unfinished(left)
        self._queue.keep(work, [email for email in emails if email in left])
        done = len(emails) if is_done else len(set(emails) - left)
        self._context.runs.add_counts(self._run.id, Counts(), Progress(resolved=done))
        self._progress = self._progress or bool(done)
        self._planner.forget()
        return is_done

    def _name_people_without_link(self, emails: Sequence[str]) -> None:
        """Name the people whose link, or whose entries in the journal, do not exist any more."""
        now = self._context.clock()
        links = self._context.links.load_links(emails)
        entries: list[JournalEntry] = []
        for email in emails:
            entries += self._planner.without_entry(email, now)
            if email not in links:
                entries += self._planner.without_link(email, now)
        self._write(entries)

    def _name_unfinished(self, emails: Iterable[str]) -> None:
        """Name the values that were to be put back, and were not: an undo can be repeated."""
        now = self._context.clock()
        links = self._context.links.load_links(emails).values()
        self._write([it for link in links for it in self._planner.unfinished(link, now)])

    def _write(self, entries: Sequence[JournalEntry]) -> None:
        counts = Counts()
        count_not_undone(entries, counts)
        self._isolation.write_journal(entries)
        self._context.runs.add_counts(self._run.id, counts)


def _name_of(entry: JournalEntry) -> tuple[str, str, str]:
    return entry.email, entry.record_id, entry.field
