"""The reading of a verification: what differs from the ledger is stored apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connector.mapping.values import stored_value
from connector.model import (
    Cursor,
    Link,
    Observation,
    Page,
    ProblemCode,
    RecordKind,
    RecordProblem,
    RunKind,
    SaveResult,
    WorkList,
)
from connector.sync.isolation import Isolation
from connector.sync.verify_reading import CheckedLink, SeenRecords, VerifyReading, with_unread
from connector.sync.work_queue import WorkQueue
from local.world.memory import MemoryScratch
from tests.unit.connector.sync_fixtures import (
    ANA,
    BOB,
    CLO,
    PHONE_PAIR,
    RUN,
    bound_to,
    link_of,
    observed,
)
from tests.unit.connector.sync_fixtures_reading import BrokenValues, InMemory
from tests.unit.connector.sync_fixtures_stores import Tombstones

PLEZI = RecordKind.PLEZI_CONTACT
BOUND = bound_to(PHONE_PAIR, version=7)
FIRST = Cursor(PLEZI, full=True, mapping_version=7)
DAN = "dan@x.fr"
EDITED = observed("p2", BOB, values={"phone": "2"})


class Verifying:
    """The reading of a verification; each object is a new invocation on the same memory."""

    def __init__(self, memory: InMemory | None = None) -> None:
        self.memory = memory or InMemory()
        context = self.memory.context
        run = self.memory.ledger.load_run(RUN) or self.memory.start_run(kind=RunKind.VERIFY)
        self.isolation = Isolation(context, RUN)
        self.scratch = context.scratch(RUN)
        queue = WorkQueue(replace(context, work=self.scratch), run)
        self.reading = VerifyReading(context, BOUND, run, queue, self.isolation)

    def again(self) -> Verifying:
        return Verifying(self.memory)

    def read(self, *pages: Page, out_of_time: bool = False) -> bool:
        """Read pages of Plezi."""
        self.memory.plezi.pages[PLEZI] = list(pages)
        return self.reading.read(lambda: out_of_time)

    def unread(self, *emails: str) -> Mapping[str, tuple[Observation, ...]]:
        return self.reading.unread(emails or (ANA, BOB, CLO, DAN))

    def listed(self) -> list[tuple[str, ...]]:
        """Return the lists of people whom the ledger lacks."""
        keys = [WorkList(RUN, number) for number in range(9)]
        return list(self.scratch.load_work(keys).values())

    @property
    def seen(self) -> list[str]:
        """The ids that were read."""
        keys = [WorkList(RUN, number) for number in range(9)]
        found = self.memory.ledger.scratch(f"{RUN}-seen").load_work(keys)
        return [record for part in found.values() for record in part]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        return self.memory.counts()


def page_of(*observations: Observation, number: int = 1, **changes: Any) -> Page:
    """Return a page; the cursor of the last one says that the reading is complete."""
    done = 50.0 if changes.get("last") else 0.0
    cursor = replace(FIRST, position=f"page-{number}", completed_at=done)
    return Page(observations, cursor, **changes)


# The ids that were read


def seen_records(scratch: MemoryScratch, *parts: list[str]) -> SeenRecords:
    seen = SeenRecords(scratch, RUN)
    for part in parts:
        seen.add(part)
    return seen


def test_the_ids_of_all_invocations_are_known_once_they_are_loaded() -> None:
    scratch = MemoryScratch()
    first = seen_records(scratch, ["p1", "p2"], ["p3"])
    second = seen_records(scratch, ["p4"])
    assert "p1" not in first
    for seen in (first, second):
        seen.load()
        assert [it in seen for it in ("p1", "p2", "p3", "p4", "p5")] == [True] * 4 + [False]


def test_of_many_ids_each_is_known_and_no_other() -> None:
    seen = seen_records(MemoryScratch(), [f"p{number}" for number in range(200)])
    seen.load()
    assert all(f"p{number}" in seen for number in range(200))
    assert not any(f"l{number}" in seen for number in range(200))


def test_ids_are_stored_in_lists_of_a_thousand() -> None:
    scratch = MemoryScratch()
    ids = [f"p{number}" for number in range(2001)]
    seen_records(scratch, ids, ["l1"])
    lists = scratch.load_work([WorkList(RUN, number) for number in range(9)])
    assert lists == {
        WorkList(RUN, 0): tuple(ids[:1000]),
        WorkList(RUN, 1): tuple(ids[1000:2000]),
        WorkList(RUN, 2): tuple(ids[2000:]),
        WorkList(RUN, 3): ("l1",),
    }


@pytest.mark.parametrize("number", [20, 41])
def test_more_lists_than_one_call_reads_are_all_loaded_and_continued(number: int) -> None:
    scratch = MemoryScratch()
    ids = [f"p{it}" for it in range(number)]
    seen_records(scratch, *([it] for it in ids))
    seen = seen_records(scratch, ["last"])
    assert scratch.load_work([WorkList(RUN, number)]) == {WorkList(RUN, number): ("last",)}
    seen.load()
    assert all(it in seen for it in [*ids, "last"])


def test_a_reading_that_begins_has_seen_nothing() -> None:
    seen = seen_records(MemoryScratch())
    seen.load()
    assert "p1" not in seen


# The cursors of the verification


def test_every_kind_is_read_from_the_start_with_the_present_mapping() -> None:
    verifying = Verifying()
    contact = Cursor(RecordKind.CONTACT, full=True, mapping_version=7)
    lead = replace(contact, kind=RecordKind.LEAD)
    assert verifying.read() is True
    assert verifying.memory.plezi.reads == [FIRST]
    assert verifying.memory.org.reads == [lead, contact]
    assert verifying.memory.plezi.scopes == [BOUND.read_scope]


def test_a_kind_that_was_read_completely_is_not_read_again() -> None:
    verifying = Verifying()
    verifying.read(page_of(observed("p1"), last=True))
    again = verifying.again()
    assert again.read(page_of(observed("p2", BOB))) is True
    assert verifying.memory.plezi.reads == [FIRST]
    assert len(verifying.memory.org.reads) == 4  # no page of theirs was the last one
    assert verifying.seen == ["p1"]


def test_another_invocation_continues_behind_the_last_page() -> None:
    verifying = Verifying()
    first = page_of(observed("p1"))
    assert verifying.read(first, page_of(observed("p2", BOB)), out_of_time=True) is False
    assert verifying.memory.plezi.calls == 1
    assert verifying.memory.org.reads == []
    assert verifying.again().read() is True
    assert verifying.memory.plezi.reads == [FIRST, first.cursor]


def test_behind_the_last_page_nothing_is_read_and_no_time_is_needed() -> None:
    verifying = Verifying()
    last = page_of(observed("p1"), last=True)
    assert verifying.read(last, page_of(observed("p2", BOB)), out_of_time=True) is True
    assert verifying.reading.pages == 1


def test_the_runs_of_changes_keep_their_cursors() -> None:
    verifying = Verifying()
    verifying.read(page_of(observed("p1"), last=True))
    assert verifying.memory.ledger.load_cursor(PLEZI) == Cursor(PLEZI)


def test_the_start_of_a_reading_is_known_once_it_is_complete() -> None:
    verifying = Verifying()
    assert verifying.reading.started_at(PLEZI) == 0.0
    verifying.read(page_of(observed("p1")))
    assert verifying.reading.started_at(PLEZI) == 0.0
    verifying.again().read(page_of(observed("p1"), last=True))
    assert verifying.reading.started_at(PLEZI) == 50.0
    assert verifying.reading.started_at(RecordKind.LEAD) == 0.0


def test_the_reading_begins_after_the_people_of_the_ledger_are_listed() -> None:
    verifying = Verifying()
    assert verifying.reading.is_listed() is False
    verifying.reading.note_listed()
    assert verifying.reading.is_listed() is True
    assert verifying.scratch.load_scratch_cursor(PLEZI) == FIRST
    assert verifying.scratch.load_scratch_cursor(RecordKind.LEAD) is None


# What a page shows


def test_what_the_ledger_lacks_is_stored_apart_and_new_people_are_listed() -> None:
    verifying = Verifying()
    memory = verifying.memory
    before = memory.ledger.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    outside = observed("p4", DAN, eligible=False)

    verifying.read(page_of(observed("p1"), EDITED, observed("p3", CLO), outside, last=True))

    assert verifying.unread() == {BOB: (EDITED,), CLO: (observed("p3", CLO),), DAN: (outside,)}
    apart = verifying.scratch.load_scratch_links([CLO])
    assert apart == {CLO: link_of(CLO, observed("p3", CLO))}
    assert verifying.listed() == [(CLO, DAN)]
    assert verifying.seen == ["p1", "p2", "p3", "p4"]
    assert verifying.counts == {"plezi": {"seen": 4, "people.contact": 3, "unread": 3}}
    assert memory.ledger.load_links([ANA, BOB, CLO]) == before
    assert memory.ledger.saves == []
    assert verifying.isolation.visited == 4
    run = memory.ledger.load_run(RUN)
    assert run is not None
    assert (run.progress.lists, run.progress.listed) == (1, 2)


def test_pages_are_counted() -> None:
    verifying = Verifying()
    page = page_of(observed("p1"), observed("p2", BOB))
    verifying.read(page, page_of(observed("p1"), last=True))
    assert verifying.reading.pages == 2
    assert verifying.isolation.visited == 3


def test_a_record_with_another_e_mail_belongs_to_its_present_link() -> None:
    verifying = Verifying()
    verifying.memory.ledger.put(link_of(ANA, observed("p1")))
    moved = observed("p1", BOB)
    verifying.read(page_of(moved, last=True))
    assert verifying.unread() == {ANA: (moved,)}
    assert verifying.listed() == []


def test_a_record_that_a_run_would_store_next_is_unread_too() -> None:
    verifying = Verifying()
    verifying.memory.ledger.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    page = [observed("p2", CLO), observed("p1", BOB)]
    verifying.read(page_of(*page, last=True))
    assert verifying.unread() == {ANA: (page[1],), BOB: (page[0],)}
    assert verifying.counts["plezi"]["unread"] == 2


def test_a_large_page_is_compared_in_slices_of_a_hundred() -> None:
    verifying = Verifying()
    emails = [f"p{number:03}@x.fr" for number in range(101)]
    records = [observed(f"p{number}", email) for number, email in enumerate(emails)]
    verifying.read(page_of(*records, last=True))
    assert verifying.listed() == [tuple(emails)]
    assert verifying.counts["plezi"]["unread"] == 101
    # One call for each slice: of the names of its records.
    assert [len(names) for names in verifying.memory.tombstones.requested[:2]] == [200, 2]


def test_people_who_were_erased_and_records_without_an_e_mail_are_only_counted() -> None:
    verifying = Verifying(InMemory(tombstones=Tombstones(ANA)))
    verifying.memory.ledger.put(link_of(BOB, observed("p2", BOB)))
    page = [observed("p1"), observed("p2", ""), observed("p3", ""), observed("p4", "")]
    verifying.read(page_of(*page, last=True))
    assert verifying.unread() == {BOB: (observed("p2", ""),)}
    assert verifying.listed() == []
    numbers = {"seen": 4, "people.contact": 1, "unread": 1}
    skipped = {"skipped.erased": 1, "skipped.no_email": 2}
    assert verifying.counts == {"plezi": numbers | skipped}


def test_the_bound_of_one_e_mail_is_that_of_a_run() -> None:
    verifying = Verifying(InMemory(max_records=1))
    verifying.memory.ledger.put(link_of(ANA, observed("l1")))
    verifying.read(page_of(observed("p1"), last=True))
    assert verifying.unread() == {}


def test_a_long_text_is_stored_apart_as_its_digest() -> None:
    verifying = Verifying()
    verifying.read(page_of(observed("p1", values={"phone": "x" * 2000}), last=True))
    [stored] = verifying.unread()[ANA]
    assert stored.values == {"phone": stored_value("x" * 2000)}


# People whom several pages show


def test_a_person_whom_an_earlier_page_showed_is_listed_once() -> None:
    verifying = Verifying()
    lead = observed("l1", CLO)
    verifying.memory.org.pages[RecordKind.LEAD] = [
        Page((lead, observed("l2", DAN)), Cursor(RecordKind.LEAD, completed_at=50.0), last=True)
    ]
    verifying.read(page_of(observed("p1", CLO), last=True))
    assert verifying.listed() == [(CLO,), (DAN,)]
    assert verifying.unread() == {CLO: (observed("p1", CLO), lead), DAN: (observed("l2", DAN),)}


def test_a_page_that_is_read_twice_lists_nobody_again() -> None:
    verifying = Verifying()
    page = page_of(observed("p1", CLO))
    verifying.read(page, page)
    assert verifying.listed() == [(CLO,)]


def test_a_page_that_is_read_twice_lists_a_person_beside_a_new_record_of_hers_once() -> None:
    verifying = Verifying()
    first = page_of(observed("l1", CLO))
    verifying.read(first, page_of(observed("l1", CLO), observed("l2", CLO), observed("p4", DAN)))
    assert verifying.listed() == [(CLO,), (DAN,)]


def test_a_person_of_a_page_that_was_not_stored_completely_is_listed() -> None:
    verifying = Verifying()
    verifying.scratch.save_scratch_links({CLO: link_of(CLO, observed("p1", CLO))})
    verifying.read(page_of(observed("p1", CLO), observed("p2", DAN)))
    assert verifying.listed() == [(CLO, DAN)]


def test_a_link_that_is_stored_apart_as_deleted_is_none() -> None:
    verifying = Verifying()
    verifying.scratch.save_scratch_links({CLO: None, DAN: None})
    assert verifying.unread() == {}
    verifying.read(page_of(observed("p1", CLO)))
    assert verifying.unread() == {CLO: (observed("p1", CLO),)}
    assert verifying.listed() == [(CLO,)]


# Faults of single people


def test_records_that_cannot_be_used_are_seen_and_put_in_quarantine() -> None:
    verifying = Verifying()
    code = ProblemCode.UNREADABLE_RECORD
    problems = tuple(
        RecordProblem(PLEZI, record, email, code, "phone is no text")
        for record, email in (("p1", ANA), ("", BOB))
    )
    verifying.read(page_of(observed("p3", CLO), problems=problems, last=True))
    assert verifying.seen == ["p3", "p1"]
    links = verifying.memory.ledger.load_links([ANA, BOB])
    assert [it.quarantine is not None for it in links.values()] == [True, True]
    assert verifying.memory.ledger.saves == [([ANA, BOB], False)]
    numbers = {"seen": 3, "people.contact": 1, "unread": 1}
    quarantined = {"skipped.quarantined": 2, "quarantined": 2}
    assert verifying.counts == {"plezi": numbers | quarantined}


def faulty_emails(verifying: Verifying) -> set[str]:
    """Return the people who are in quarantine in the ledger."""
    links = verifying.memory.ledger.all_links()
    return {it.email for it in links if it.quarantine is not None}


def test_a_record_that_cannot_be_stored_stops_no_other() -> None:
    verifying = Verifying()
    verifying.read(page_of(observed("p1", values=BrokenValues()), EDITED, last=True))
    assert verifying.unread() == {BOB: (EDITED,)}
    assert faulty_emails(verifying) == {ANA}


def test_a_record_that_cannot_be_compared_stops_no_other() -> None:
    verifying = Verifying()
    verifying.memory.ledger.put(link_of(ANA, observed("p1")))
    verifying.read(page_of(observed("p1", BOB, version=None), EDITED, last=True))
    assert verifying.unread() == {BOB: (EDITED,)}
    assert faulty_emails(verifying) == {ANA}


def test_a_person_who_cannot_be_stored_apart_is_a_fault() -> None:
    class FullScratch(MemoryScratch):
        def save_scratch_links(self, links: Mapping[str, Link | None]) -> SaveResult:
            super().save_scratch_links({it: link for it, link in links.items() if it != ANA})
            return SaveResult(too_large=frozenset({ANA} & links.keys()))

    memory = InMemory()
    memory.ledger._scratch[RUN] = FullScratch()
    verifying = Verifying(memory)
    verifying.read(page_of(observed("p1"), EDITED, last=True))
    assert verifying.unread() == {BOB: (EDITED,)}
    assert faulty_emails(verifying) == {ANA}


# A link with what it lacks


def test_a_person_whom_the_ledger_lacks_has_only_what_was_read() -> None:
    expected = link_of(ANA, observed("p1"), observed("l1"), dirty=True)
    unread = (observed("p1"), observed("l1"))
    assert with_unread(ANA, None, unread) == CheckedLink(None, expected, unread)


def test_what_a_run_has_read_since_then_is_not_unread_any_more() -> None:
    newer = observed("p1", version="3", as_of=20.0)
    link = link_of(ANA, newer, observed("l1"))
    lead = observed("l1", values={"Phone": "2"}, as_of=15.0)
    older = observed("p1", version="2", values={"phone": "2"}, as_of=15.0)
    expected = replace(link.with_observation(lead), dirty=True)
    checked = with_unread(ANA, link, (older, lead))
    assert checked == CheckedLink(link, expected, (lead,))


def test_a_link_that_lacks_nothing_is_compared_as_it_is() -> None:
    link = link_of(ANA, observed("p1"))
    checked = with_unread(ANA, link, ())
    assert checked == CheckedLink(link, link)
    assert checked.link is link
