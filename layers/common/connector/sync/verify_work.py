"""A verification: both systems are read completely, and every field of every person is compared.

Nothing is written to either system. An edit that no run has read is stored in the ledger, and a
link that a full run would resolve becomes dirty: the next run synchronizes both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from connector.approved_changes import note_people
from connector.mapping import BoundMapping
from connector.model import (
    MAX_LISTED,
    AttentionKind,
    Counts,
    DriftCause,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    Observation,
    Phase,
    Progress,
    RecordKind,
    Run,
    Side,
    WorkList,
)
from connector.planning.drift import (
    Evidence,
    FieldDrift,
    LinkComparison,
    compare_link,
    with_undone,
)
from connector.planning.observation import mark_deleted
from connector.sync.context import SyncContext
from connector.sync.dry_run import DryRunJournal
from connector.sync.isolation import Isolation
from connector.sync.read_phase import SLICE_SIZE, note_problems, store_observations
from connector.sync.verify_reading import CheckedLink, VerifyReading, with_unread
from connector.sync.verify_repair import FROM_FIRST_ENTRY
from connector.sync.work_queue import WorkQueue
from connector.verification import COUNTED_ON, DRIFT, save_verification

MAX_EXAMPLES: Final = 20
"""Differences of one field and cause whose values are stored with the run."""
MAX_UNEXPLAINED: Final = 1000
"""Unexplained differences of one field that are stored: a repair needs the people."""
MISSING: Final = "person"
"""Stands for a field in the counters: a whole record is missing."""
RECENT_SECONDS: Final = 600.0
"""An edit that is at most this much older than the last reading of changes may be newer: the clocks
of the systems differ, and lists show changes late."""


class VerifyWork:
    """Works on one verification. Every invocation makes a new one; the ledger holds the rest."""

    def __init__(self, context: SyncContext, bound: BoundMapping, run: Run) -> None:
        self._context = replace(context, journal=DryRunJournal(context.journal))
        self._bound = bound
        self._run = run
        self._isolation = Isolation(self._context, run.id)
        scratch = context.scratch(run.id)
        self._queue = WorkQueue(replace(context, work=scratch), run)
        self._lists = scratch
        self._reading = VerifyReading(context, bound, run, self._queue, self._isolation)
        self._found = dict(run.counts.get(COUNTED_ON.value, {}))
        self.phase = Phase.READ
        """The phase that is worked on."""
        self.position: WorkList | None = None
        """A list that was compared is deleted: there is no position behind it."""
        self.visited_lists = 0
        """A verification has no lists of which only some links are left."""
        self._progress = False

    @property
    def made_progress(self) -> bool:
        """Whether people were listed, a page was read, or people were compared."""
        return self._progress or bool(self._reading.pages)

    def work(self, phase: Phase, out_of_time: Callable[[], bool]) -> Phase | None:
        """Work from a phase on; return the phase that is left to do, None when nothing is."""
        self.phase = phase
        if phase is Phase.READ:
            if not self._list_people(out_of_time) or not self._reading.read(out_of_time):
                return Phase.READ
            self.phase = Phase.RESOLVE
            if out_of_time():
                return Phase.RESOLVE
        self._reading.seen.load()
        self._started = {kind: self._reading.started_at(kind) for kind in RecordKind}
        for work, emails in self._queue.own_lists():
            if not self._compare_list(work, emails, out_of_time):
                return Phase.RESOLVE
        self._note_result()
        return None

    def _list_people(self, out_of_time: Callable[[], bool]) -> bool:
        """Put the people of the ledger on lists; return whether all are.

        Another invocation continues behind the last e-mail of the last list.
        """
        if self._reading.is_listed():
            return True
        last = WorkList(self._run.id, self._queue.number - 1)
        listed = self._lists.load_work([last]).get(last, ("",)) if last.number >= 0 else ("",)
        after = listed[-1]
        while emails := self._context.links.all_emails(MAX_LISTED, after):
            after = emails[-1]
            self._context.runs.add_counts(self._run.id, Counts(), self._queue.add(emails))
            self._progress = True
            if out_of_time():
                return False
        self._reading.note_listed()
        return True

    # The comparison

    def _compare_list(
        self, work: WorkList, emails: Sequence[str], out_of_time: Callable[[], bool]
    ) -> bool:
        """Compare the people of a list, some at a time; return whether all were in time."""
        waiting = list(emails)
        while waiting:
            size = self._people_in_time()
            part, waiting = waiting[:size], waiting[size:]
            counts = self._compare(part)
            self._context.runs.add_counts(self._run.id, counts, Progress(resolved=len(part)))
            self._queue.keep(work, waiting)
            self._progress = True
            if waiting and out_of_time():
                return False
        return not out_of_time()

    def _people_in_time(self) -> int:
        """Return how many people can be compared in one go, at least one.

        There is time to read the Plezi contact of each by its id, if no list had it.
        """
        a_person = self._context.clients[Side.PLEZI].seconds_for(look_ups=1)
        if not a_person:
            return SLICE_SIZE
        number = min(SLICE_SIZE, self._context.deadline.seconds_left() / a_person)
        return max(1, int(number))

    def _compare(self, emails: Sequence[str]) -> Counts:
        counts = Counts()
        now = self._context.clock()
        waits = self._context.cursors.applied_version() != self._bound.config.version
        entries: list[JournalEntry] = []
        planned: list[Link] = []
        checked = self._check(emails, counts)
        compared: list[tuple[CheckedLink, LinkComparison]] = []
        for each in checked:
            evidence = self._evidence(each, waits=waits)
            compare = partial(compare_link, each.link, self._bound, evidence, now=now)
            if (found := self._isolation.step(each.link.email, compare)) is not None:
                compared.append((each, found))
        for each, found in self._with_undone(compared):
            self._count(each, found, counts)
            entries += [
                self._entry(each.link.email, drift, now)
                for drift in found.drifts
                if self._is_example(drift)
            ]
            if found.needs_run and not waits:
                planned.append(each.link)
        self._isolation.write_journal(entries)
        self._store_unread(checked)
        self._mark_dirty(planned)
        self._isolation.visited += len(emails)
        self._isolation.store(counts, listed=False)
        return counts

    def _with_undone(
        self, compared: Sequence[tuple[CheckedLink, LinkComparison]]
    ) -> Iterator[tuple[CheckedLink, LinkComparison]]:
        """Yield the comparisons; the journal is read for people with a contradiction only."""
        contradicted = [
            each.link.email
            for each, found in compared
            if any(drift.is_contradiction for drift in found.drifts)
        ]
        entries = self._context.history.entries_since(contradicted, FROM_FIRST_ENTRY)
        for each, found in compared:
            known = entries.get(each.link.email, ())
            explain = partial(with_undone, found, each.link, self._bound, known)
            yield each, self._isolation.step(each.link.email, explain) or found

    def _check(self, emails: Sequence[str], counts: Counts) -> list[CheckedLink]:
        """Return the links of some people with the present state of their records."""
        stored = self._context.links.load_links(emails)
        unread = self._reading.unread(emails)
        found: dict[str, CheckedLink] = {}
        for email in emails:
            link = stored.get(email)
            if link is not None and not link.readable:
                counts.add(COUNTED_ON, "unreadable")
            elif link is not None or email in unread:
                found[email] = with_unread(email, link, unread.get(email, ()))
        unseen = [
            record
            for each in found.values()
            for record in each.link.observations()
            if record.is_active and self._is_unseen(record)
        ]
        for side in Side:
            records = [record for record in unseen if record.side is side]
            if records:
                self._look_up(side, records, found, counts)
        return list(found.values())

    def _is_unseen(self, record: Observation) -> bool:
        """Whether the reading of all records should have shown a record, and did not."""
        return record.id not in self._reading.seen and record.as_of < self._started[record.kind]

    def _look_up(
        self,
        side: Side,
        records: Sequence[Observation],
        found: dict[str, CheckedLink],
        counts: Counts,
    ) -> None:
        """Read records by id that were in no list: they are deleted, hidden, or were left out."""
        scope = self._bound.read_scope
        result = self._context.clients[side].look_up(records, [], scope)
        counts.add(side, "unlisted", len(records))
        present = {each.id: each for each in result.observations}
        owner = {
            record.id: email for email, it in found.items() for record in it.link.observations()
        }
        for record in records:
            email = owner[record.id]
            each = found[email]
            if record.id in result.deleted:
                link = mark_deleted(each.link, record.id)
                found[email] = replace(each, link=link, deleted=each.deleted | {record.id})
            elif record.id in present:
                added = with_unread(email, each.link, (present[record.id],))
                unread = each.unread + added.unread
                found[email] = replace(each, link=added.link, unread=unread)
            else:
                found[email] = replace(each, invisible=each.invisible | {record.id})
        note_problems(self._context, result.problems, counts, self._isolation, retry=True)

    def _evidence(self, checked: CheckedLink, *, waits: bool) -> Evidence:
        stored = checked.stored
        is_dirty = stored is not None and (stored.dirty or stored.intent is not None)
        recent = {each.id for each in checked.unread if self._is_recent(each)}
        return Evidence(
            waits=waits or is_dirty,
            recent=recent,
            missed={each.id for each in checked.unread} - recent,
        )

    def _is_recent(self, record: Observation) -> bool:
        """Whether a record was modified after the last reading of changes, or shortly before."""
        read_at = self._context.cursors.load_cursor(record.kind).completed_at
        return _seconds(record.modified) > read_at - RECENT_SECONDS

    def _count(self, checked: CheckedLink, found: LinkComparison, counts: Counts) -> None:
        counts.add(COUNTED_ON, "people")
        counts.add(COUNTED_ON, "compared", found.compared)
        counts.add(COUNTED_ON, "not_compared", found.unknown)
        if found.only_on is not None:
            counts.add(found.only_on, "only_here")
        if checked.link.shared or AttentionKind.DUPLICATE in checked.link.attention:
            counts.add(COUNTED_ON, "duplicates")
        if found.reason is not None:
            counts.add(COUNTED_ON, f"left_out.{found.reason}")
        records = list(checked.link.observations())
        if records and all(it.deleted or it.id in checked.invisible for it in records):
            counts.add(COUNTED_ON, "gone")
        counts.add(COUNTED_ON, "invisible", len(checked.invisible))
        for drift in found.drifts:
            counts.add(COUNTED_ON, DRIFT.format(drift.cause.value))
            counts.add(COUNTED_ON, _counter(drift))

    def _is_example(self, drift: FieldDrift) -> bool:
        """Whether the values of a difference are stored: the first of each field and cause."""
        limit = MAX_UNEXPLAINED if drift.cause is DriftCause.UNEXPLAINED else MAX_EXAMPLES
        name = _counter(drift)
        self._found[name] = self._found.get(name, 0) + 1
        return self._found[name] <= limit

    def _entry(self, email: str, drift: FieldDrift, now: float) -> JournalEntry:
        return JournalEntry(
            email,
            now,
            self._run.id,
            JournalKind.DRIFT,
            drift.side,
            drift.record_id,
            drift.pair,
            drift.plezi,
            drift.salesforce,
            drift.cause.value,
            drift.undo,
        )

    # What the next run must know

    def _store_unread(self, checked: Sequence[CheckedLink]) -> None:
        """Store the edits that no run has read, as the reading of a run does."""
        observations = [it for each in checked for it in each.unread]
        observations += [
            replace(record, deleted=True)
            for each in checked
            for record in each.link.observations()
            if record.id in each.deleted
        ]
        for side in Side:
            part = [it for it in observations if it.side is side]
            if part:
                store_observations(self._context, part, Counts(), side, self._isolation)

    def _mark_dirty(self, links: Sequence[Link]) -> None:
        """Let the next run resolve links that a full run would: its mapping is applied to all."""
        stored = self._context.links.load_links([link.email for link in links])
        changes = [
            LinkChange(replace(link, dirty=True)) for link in stored.values() if not link.dirty
        ]
        if changes:
            self._isolation.not_stored(self._context.links.save_links(changes))

    def _note_result(self) -> None:
        """Store the result where the status finds it, and how many people are synchronized."""
        run = self._context.runs.load_run(self._run.id) or self._run
        note_people(self._context.documents, run.counts)
        save_verification(self._context.documents, run, self._context.clock())


def _counter(drift: FieldDrift) -> str:
    """Return the counter of the differences of one field and cause."""
    return DRIFT.format(f"{drift.cause.value}.{drift.pair or MISSING}")


def _seconds(text: str) -> float:
    """Return a modification time in seconds since 1970; 0 for one that is not known."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
