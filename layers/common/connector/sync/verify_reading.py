"""The reading of a verification: every record of both systems, compared with the ledger.

What differs from the ledger is stored apart from it, until the links are compared. The ids of all
records that were read are stored too: a known record that was in no list is looked up by its id.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from connector.approved_changes import COUNTER
from connector.mapping import BoundMapping, ReadScope
from connector.model import (
    MAX_LISTED,
    Counts,
    Cursor,
    Link,
    Observation,
    Page,
    Progress,
    RecordKind,
    Run,
    SkipReason,
    WorkList,
)
from connector.planning.observation import apply_observation
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.link_batch import LinkBatch
from connector.sync.ports import ScratchStore, WorkStore
from connector.sync.read_phase import SLICE_SIZE, as_stored, note_problems
from connector.sync.work_queue import LISTS_AT_A_TIME, WorkQueue

DIGEST_BYTES: Final = 8
"""Bytes that stand for a record id: of a million records, one is taken for another with a
probability of 1 to 36 million."""


@dataclass(frozen=True, slots=True)
class CheckedLink:
    """One link with the present state of its records, and what the reading shows about it.

    `unread` are the observations that the ledger lacks, `deleted` the ids of records that are
    deleted without its knowledge, `invisible` those of records that were not found.
    """

    stored: Link | None
    link: Link
    unread: tuple[Observation, ...] = ()
    deleted: frozenset[str] = frozenset()
    invisible: frozenset[str] = frozenset()


class SeenRecords:
    """The ids of the records that a verification has read, in lists of their own.

    A million records take 8 MB of memory.
    """

    def __init__(self, store: WorkStore, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._next: int | None = None
        self._digests = array("Q")

    def add(self, records: Sequence[str]) -> None:
        """Store the ids of some records."""
        if self._next is None:
            self._next = sum(1 for _ in self._lists())
        for start in range(0, len(records), MAX_LISTED):
            work = WorkList(self._run_id, self._next)
            self._store.save_work(work, records[start : start + MAX_LISTED])
            self._next += 1

    def load(self) -> None:
        """Load the stored ids, for `__contains__`."""
        digests = (_digest(record) for part in self._lists() for record in part)
        self._digests = array("Q", sorted(digests))

    def __contains__(self, record: str) -> bool:
        place = bisect_left(self._digests, _digest(record))
        return place < len(self._digests) and self._digests[place] == _digest(record)

    def _lists(self) -> Iterator[tuple[str, ...]]:
        start = 0
        while True:
            keys = [WorkList(self._run_id, start + number) for number in range(LISTS_AT_A_TIME)]
            found = self._store.load_work(keys)
            yield from found.values()
            if len(found) < LISTS_AT_A_TIME:
                return
            start += LISTS_AT_A_TIME


class VerifyReading:
    """Reads both systems for one verification; `queue` gets the people that the ledger lacks."""

    def __init__(
        self,
        context: SyncContext,
        bound: BoundMapping,
        run: Run,
        queue: WorkQueue,
        isolation: Isolation,
    ) -> None:
        self._context = context
        self._version = bound.config.version
        self._scope: ReadScope = bound.read_scope
        self._run_id = run.id
        self._queue = queue
        self._isolation = isolation
        self._scratch: ScratchStore = context.scratch(run.id)
        self.seen = SeenRecords(context.scratch(f"{run.id}-seen"), run.id)
        self.pages = 0
        """The pages that were read by this invocation."""

    def read(self, out_of_time: Callable[[], bool]) -> bool:
        """Read every kind of record; return whether all were read completely.

        The cursors are those of the verification: the runs of changes keep their own.
        """
        for kind in RecordKind:
            cursor = self._scratch.load_scratch_cursor(kind) or self._first_cursor(kind)
            if cursor.completed_at:
                continue
            if not self._read_kind(cursor, out_of_time):
                return False
        return True

    def started_at(self, kind: RecordKind) -> float:
        """Return when the reading of a kind of record began; 0 when it is not complete."""
        cursor = self._scratch.load_scratch_cursor(kind)
        return 0.0 if cursor is None else cursor.completed_at

    def is_listed(self) -> bool:
        """Whether the people of the ledger are on lists: the reading begins after that."""
        return self._scratch.load_scratch_cursor(RecordKind.PLEZI_CONTACT) is not None

    def note_listed(self) -> None:
        """Record that the people of the ledger are on lists."""
        self._scratch.save_scratch_cursor(self._first_cursor(RecordKind.PLEZI_CONTACT))

    def unread(self, emails: Sequence[str]) -> dict[str, tuple[Observation, ...]]:
        """Return the observations that the ledger did not have, by the e-mail of the link."""
        found = self._scratch.load_scratch_links(emails)
        return {email: tuple(link.observations()) for email, link in found.items() if link}

    def _first_cursor(self, kind: RecordKind) -> Cursor:
        return Cursor(kind, full=True, mapping_version=self._version)

    def _read_kind(self, cursor: Cursor, out_of_time: Callable[[], bool]) -> bool:
        for page in self._context.clients[cursor.kind.side].read(cursor, self._scope):
            self._store_page(cursor.kind, page)
            if page.last:
                return True
            if out_of_time():
                return False
            del page  # frees several megabytes before the next page is fetched
        return True

    def _store_page(self, kind: RecordKind, page: Page) -> None:
        """Store what a page shows, then the cursor: a stop in between costs one page."""
        counts = Counts()
        counts.add(kind.side, "seen", len(page.observations) + len(page.problems))
        taking_part = sum(each.participates for each in page.observations)
        counts.add(kind.side, COUNTER.format(kind=kind.value), taking_part)
        records = [each.id for each in page.observations]
        records += [each.record_id for each in page.problems if each.record_id]
        new_people: list[str] = []
        for start in range(0, len(page.observations), SLICE_SIZE):
            part = self._stored(page.observations[start : start + SLICE_SIZE])
            new_people += self._store_unread(part, frozenset(records), counts)
        note_problems(self._context, page.problems, counts, self._isolation)
        self._isolation.visited += len(page.observations)
        self._isolation.store(counts, listed=False)
        progress: Progress = self._queue.add(new_people)
        self._context.runs.add_counts(self._run_id, counts, progress)
        self.seen.add(records)  # after the lists: who is in it is listed
        self._scratch.save_scratch_cursor(page.cursor)
        self.pages += 1

    def _stored(self, part: Sequence[Observation]) -> list[Observation]:
        """Return observations as the ledger stores them; one that cannot be is a fault."""
        step = self._isolation.step
        found = [step(each.email, partial(as_stored, each)) for each in part]
        return [each for each in found if each is not None]

    def _store_unread(
        self, part: Sequence[Observation], page: frozenset[str], counts: Counts
    ) -> list[str]:
        """Store apart what the ledger does not have; return the people whom it does not know.

        The batch decides as the reading of a run does, and is not stored. A person of whom an
        earlier page showed a record is listed already: the record is not on this `page`, or the
        same page is read twice, as the last page of Plezi's list is.
        """
        batch = LinkBatch(
            self._context.links,
            self._context.tombstones,
            part,
            self._context.max_records,
            self._isolation.step,
        )
        # A record with another e-mail belongs to its present link until a run moves it.
        owners = {each.id: batch.owner_email(each.id) for each in part}
        for each in batch.in_order(part):
            self._isolation.step(owners[each.id], partial(batch.add, each))
        unread = [each for each in part if each.id in batch.changed | batch.deferred]
        for each in part:
            if each.id in batch.erased:
                counts.skip(each.side, SkipReason.ERASED)
            elif not owners[each.id]:
                counts.skip(each.side, SkipReason.NO_EMAIL)
        if not unread:
            return []
        stored = self._scratch.load_scratch_links({owners[each.id] for each in unread})
        links = {email: link for email, link in stored.items() if link is not None}
        for each in unread:
            email = owners[each.id]
            links[email] = links.get(email, Link(email)).with_observation(each)
        self._isolation.not_stored(self._scratch.save_scratch_links(links))
        counts.add(part[0].side, "unread", len(unread))
        known = self._context.links.load_links(links).keys()
        return sorted(links.keys() - known - self._listed(stored, page))

    def _listed(self, stored: Mapping[str, Link | None], page: frozenset[str]) -> set[str]:
        """Return the people of a page whom an earlier page has put on a list."""
        found = {email: link.record_ids for email, link in stored.items() if link is not None}
        if any(records <= page for records in found.values()):
            self.seen.load()
        return {
            email
            for email, records in found.items()
            if records - page or any(record in self.seen for record in records)
        }


def with_unread(email: str, link: Link | None, unread: Sequence[Observation]) -> CheckedLink:
    """Return a link with the observations that it still lacks: a run may have read them since."""
    current = Link(email) if link is None else link
    applied: list[Observation] = []
    for each in unread:
        after = apply_observation(current, each)
        if after is not current:
            applied.append(each)
        current = after
    return CheckedLink(link, current, tuple(applied))


def _digest(record: str) -> int:
    found = hashlib.blake2b(record.encode(), digest_size=DIGEST_BYTES).digest()
    return int.from_bytes(found, "big")
