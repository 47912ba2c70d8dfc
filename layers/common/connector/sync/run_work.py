"""The work of one run: its phases, in this order and as often as its time needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from connector.approved_changes import note_people
from connector.deadline import DeadlineError
from connector.mapping import BoundMapping
from connector.model import Counts, Phase, RecordKind, Run, RunKind, Side, WorkList
from connector.sync.change_limits import Limit
from connector.sync.context import SyncContext
from connector.sync.first_sync_work import FirstSyncWork
from connector.sync.isolation import Isolation
from connector.sync.read_phase import ReadPhase
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.selected_people import PeopleRefresher
from connector.sync.verify_repair import forget_contradictions
from connector.sync.work_queue import WorkQueue

FEW_PEOPLE: Final = 20
"""Selected people whose contacts are read one by one. For more, the list of changes is read once: a
call for each of 200 people takes 100 seconds at two calls a second."""
NEVER_APPLIED: Final = -1
"""The `applied_version` of a cursor while no version of the mapping is applied to all people."""
READ_AGAIN_SECONDS: Final = 600.0
"""Seconds after which a run that writes to Plezi for hours reads both systems again: what a user
types does not wait until a first synchronization is complete."""
READ_AGAIN_QUERIES: Final = 120
READ_AGAIN_CALLS: Final = 900
"""Both systems are read again after the time of so many queries to Salesforce, and of so many calls
to Plezi, at the earliest. It takes two or three queries, and about ten calls because the contacts
that were written are on the pages too. So at most a fortieth of the time is for that, with an org
whose queries take 25 s and with a tenant that allows a call in two seconds."""
READING_SECONDS: Final = 60.0
"""Seconds that must be left of an invocation so that it reads both systems again: twenty or thirty
calls to Plezi. While a reading is in progress, another run cannot look at what changed in Plezi,
and would read hundreds of contacts by their ids, one call each."""


class RunWork:
    """Works on one run. Every invocation makes a new one; the ledger holds what is left to do."""

    def __init__(
        self, context: SyncContext, bound: BoundMapping, run: Run, *, limit: Limit = Limit.RUN
    ) -> None:
        self._context = context
        self._bound = bound
        self._run = run
        self._isolation = Isolation(context, run.id)
        self._queue = WorkQueue(context, run)
        self._reading = ReadPhase(context, bound, run, self._queue, self._isolation)
        self._resolving: ResolvePhase | None = None
        self._limit = limit
        self._first_sync = FirstSyncWork(context, run)
        self._resolved = 0
        self.phase = Phase.READ
        """The phase that is worked on."""
        self.visited_lists = run.visited_lists
        """The first lists of this run whose links need calls to Plezi: all others are resolved."""
        self._oldest_reading = -math.inf

    @property
    def position(self) -> WorkList | None:
        """The list behind which the next invocation of this phase goes on; None: the first one."""
        return None if self._resolving is None else self._resolving.position

    @property
    def made_progress(self) -> bool:
        """Whether a page was read, or a link resolved."""
        resolved = self._resolving is not None and self._resolving.made_progress
        return bool(self._reading.pages or self._resolved) or resolved

    def work(self, phase: Phase, out_of_time: Callable[[], bool]) -> Phase | None:
        """Work from a phase on; return the phase that is left to do, None when nothing is.

        Every invocation makes at least one page or one unit of progress.
        """
        if self._run.emails:
            return self._visit_people(phase, out_of_time)
        self.phase = phase
        while True:
            try:
                next_phase = self._work_on(self.phase, out_of_time)
            except DeadlineError:
                if self._reading.replaces_look:
                    self.phase = Phase.READ
                raise
            if next_phase is None:
                self._first_sync.end()
            if next_phase in {None, self.phase} or out_of_time():
                return next_phase  # a phase that comes again needs another invocation
            seconds_left = self._context.deadline.seconds_left()
            if next_phase is Phase.READ and seconds_left < READING_SECONDS:
                return next_phase
            self.phase = next_phase

    def _work_on(self, phase: Phase, out_of_time: Callable[[], bool]) -> Phase | None:
        """Work on one phase; return the next one."""
        match phase:
            case Phase.READ:
                self._first_sync.begin()
                if not self._read(out_of_time):
                    return Phase.READ
                self._note_people()
                return Phase.STAGE if self._first_sync.are_due() else Phase.RESOLVE
            case Phase.STAGE:
                if self._first_sync.work(self._resolve(), self._must_stop(out_of_time)):
                    return Phase.RESOLVE
                return Phase.READ if self._must_read_again() else Phase.STAGE
            case Phase.RESOLVE:
                self._queue.adopt_unlisted()
                is_done = self._resolve().resolve_lists(
                    out_of_time, with_plezi=False, visited=self.visited_lists
                )
                if not is_done:
                    return Phase.RESOLVE
                self.visited_lists = self._queue.number
                return Phase.WRITE_PLEZI
            case Phase.WRITE_PLEZI:
                must_stop = self._must_stop(out_of_time)
                if self._resolve().resolve_lists(must_stop, with_plezi=True):
                    return None
                return Phase.READ if self._must_read_again() else Phase.WRITE_PLEZI

    def _resolve(self) -> ResolvePhase:
        """Return the resolve phase: made after the reading, which makes observations fresh."""
        if self._resolving is None:
            self._resolving = ResolvePhase(
                self._context,
                self._bound,
                self._run,
                self._queue,
                self._isolation,
                self._reading,
                limit=self._limit,
            )
            if self._run.phase is self.phase:
                self._resolving.position = self._run.position
        return self._resolving

    # Reading

    def _read(self, out_of_time: Callable[[], bool]) -> bool:
        """Read the changes of each kind of record; return whether all were read completely."""
        since = max(self._run.requested_at, self._context.clock() - self._read_again_seconds())
        for kind in RecordKind:
            cursor = self._context.cursors.load_cursor(kind)
            if not cursor.started_at and is_since(self._context, cursor.completed_at, since):
                continue  # an earlier invocation read it completely
            cursor = cursor.started(version=self._bound.config.version, full=False)
            if not self._reading.read_changes(cursor, out_of_time):
                return False
            if out_of_time():
                break
        else:
            self._oldest_reading = -math.inf
            if self._resolving is not None:
                self._resolving.note_reading()
            return True
        return False

    def _note_people(self) -> None:
        """Store how many people are synchronized, after a reading of all records.

        Its pages may have been stored by earlier invocations, which counted in the run's record.
        """
        run = self._context.runs.load_run(self._run.id)
        if run is not None and run.kind is not RunKind.DRY_RUN:
            note_people(self._context.documents, run.counts)

    def _must_stop(self, out_of_time: Callable[[], bool]) -> Callable[[], bool]:
        """Return what ends the work of this invocation, or of a phase that takes hours."""
        return lambda: out_of_time() or self._must_read_again()

    def _must_read_again(self) -> bool:
        """Return whether the last reading of a system is too old, in a run of both systems."""
        if self._run.kind not in (RunKind.CHANGES, RunKind.FULL):
            return False
        if self._oldest_reading == -math.inf:
            self._oldest_reading = min(
                self._context.cursors.load_cursor(kind).completed_at for kind in RecordKind
            )
        return self._context.clock() - self._oldest_reading > self._read_again_seconds()

    def _read_again_seconds(self) -> float:
        """Return after how many seconds both systems are read again; a slow system is not soon."""
        a_query = self._context.clients[Side.SALESFORCE].seconds_for(look_ups=1)
        a_call = self._context.clients[Side.PLEZI].seconds_for(look_ups=1)
        return max(READ_AGAIN_SECONDS, READ_AGAIN_QUERIES * a_query, READ_AGAIN_CALLS * a_call)

    # Selected people

    def _visit_people(self, phase: Phase, out_of_time: Callable[[], bool]) -> Phase | None:
        """Read the people of the run again and resolve their links, some at a time."""
        if phase is Phase.READ:
            progress = self._queue.add(self._run.emails)
            self._context.runs.add_counts(self._run.id, Counts(), progress)
        self.phase = Phase.RESOLVE
        people = PeopleRefresher(self._context, self._bound, self._isolation, listed=True)
        for work, emails in self._queue.own_lists():
            waiting = list(emails)
            kept: list[str] = []
            while waiting:
                is_looked_at = len(self._run.emails) > FEW_PEOPLE and self._has_looked()
                size = people.people_in_time(waiting, is_looked_at=is_looked_at)
                part, waiting = waiting[:size], waiting[size:]
                counts, found = people.refresh(part, is_looked_at=is_looked_at)
                if self._run.repairs:
                    forget_contradictions(self._context, self._bound, self._isolation, found)
                self._context.runs.add_counts(self._run.id, counts)
                left = sorted(self._resolve().resolve_people(found, out_of_time))
                kept += left
                self._resolved += len({*part} - {*left})
                if waiting and out_of_time():
                    self._queue.keep(work, [*waiting, *kept])
                    return Phase.RESOLVE
            self._queue.keep(work, kept)
            if kept and out_of_time():
                return Phase.RESOLVE
        return None

    def _has_looked(self) -> bool:
        """Return whether what changed in Plezi is stored, a moment ago or now."""
        resolving = self._resolve()
        return resolving.look_if_old() or resolving.is_looked_at


def is_since(context: SyncContext, at: float, since: float) -> bool:
    """Return whether `at` is after `since`, and not in the future of a clock set back."""
    return since <= at <= context.clock()


def restart_reading(
    context: SyncContext, bound: BoundMapping, *, since: float, is_applied: bool = True
) -> None:
    """Start a full read of each kind of record, unless one was started since then.

    `is_applied`: the version that counts as applied to all people stays so.
    """
    for kind in RecordKind:
        cursor = context.cursors.load_cursor(kind)
        is_started = cursor.full and (not cursor.started_at or cursor.started_at >= since)
        if is_started or is_since(context, cursor.completed_at, since):
            continue
        restarted = cursor.started(version=bound.config.version, full=True)
        if not is_applied:
            restarted = replace(restarted, applied_version=NEVER_APPLIED)
        context.cursors.checkpoint(restarted, "", Counts())
