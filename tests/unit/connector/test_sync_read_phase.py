"""The read phase: pages are stored, and only then the cursor moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connector.deadline import DeadlineError
from connector.errors import RetryError
from connector.log_events import Event
from connector.mapping import ReadScope
from connector.model import (
    Cursor,
    Link,
    Observation,
    Page,
    ProblemCode,
    RecentWrite,
    RecordKind,
    RecordProblem,
    Side,
    WorkList,
)
from connector.sync.isolation import Isolation
from connector.sync.read_phase import ReadPhase
from connector.sync.work_queue import WorkQueue
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
from tests.unit.connector.sync_fixtures_reading import (
    BOUND,
    NOW,
    BrokenValues,
    InMemory,
    ScriptedSystem,
)

PLEZI = RecordKind.PLEZI_CONTACT
CHANGES = Cursor(PLEZI, watermark="w0", look="look-0", applied_version=3)
"""A reading of changes."""
FULL = replace(CHANGES, full=True)
BASE = {"p1": {PHONE_PAIR.base_key(PLEZI): "1"}, "l1": {PHONE_PAIR.base_key(RecordKind.LEAD): "1"}}


class Reading:
    """A read phase of a run, with its memory."""

    def __init__(self, memory: InMemory | None = None) -> None:
        self.memory = memory or InMemory()
        run = self.memory.start_run()
        self.isolation = Isolation(self.memory.context, RUN)
        queue = WorkQueue(self.memory.context, run)
        self.phase = ReadPhase(self.memory.context, BOUND, run, queue, self.isolation)

    def read(self, cursor: Cursor, *pages: Page, out_of_time: bool = False) -> bool:
        client = self.memory.context.clients[cursor.kind.side]
        assert isinstance(client, ScriptedSystem)
        client.pages[cursor.kind] = list(pages)
        return self.phase.read_changes(cursor, lambda: out_of_time)

    def look(self, *pages: Page, cursor: Cursor = CHANGES) -> bool:
        self.memory.plezi.look_pages = list(pages)
        return self.phase.look(cursor)

    @property
    def cursor(self) -> Cursor:
        return self.memory.ledger.load_cursor(PLEZI)

    def listed(self, number: int) -> tuple[str, ...]:
        """Return the people on a list of the run."""
        work = WorkList(RUN, number)
        return self.memory.ledger.load_work([work]).get(work, ())

    def link(self, email: str = ANA) -> Link:
        return self.memory.ledger.load_links([email])[email]


def page_of(*observations: Observation, number: int = 1, **changes: Any) -> Page:
    return Page(observations, replace(CHANGES, position=f"page-{number}"), **changes)


def agreed(**changes: Any) -> Link:
    return link_of(ANA, observed("p1"), observed("l1"), base=BASE, **changes)


# Pages


def test_all_pages_are_stored_and_the_cursor_is_that_of_the_last_one() -> None:
    reading = Reading()
    first = page_of(observed("p1"), observed("p2", BOB))
    last = page_of(observed("p3", CLO), number=2, last=True)
    after_last = page_of(observed("p4", "dan@x.fr"), number=3)

    assert reading.read(CHANGES, first, last, after_last) is True

    assert reading.cursor == last.cursor
    assert reading.phase.pages == 2
    assert reading.isolation.visited == 3
    assert reading.memory.counts() == {"plezi": {"seen": 3, "changed": 3}}
    assert (reading.listed(0), reading.listed(1)) == ((ANA, BOB), (CLO,))
    assert reading.memory.ledger.saves == [([ANA, BOB], True), ([CLO], True)]
    run = reading.memory.ledger.load_run(RUN)
    assert run is not None
    assert (run.progress.lists, run.progress.listed) == (2, 3)
    assert reading.memory.plezi.reads == [CHANGES]
    assert reading.memory.plezi.scopes == [BOUND.read_scope]


def test_each_page_has_a_line_in_the_log() -> None:
    reading = Reading()
    reading.memory.ledger.put(link_of(ANA, observed("p1")))
    page = page_of(observed("p1"), observed("p2", BOB), last=True)
    reading.read(CHANGES, page)
    fields = {"run_id": RUN, "record_kind": "contact", "records": 2, "changed": 1, "last": True}
    assert reading.memory.log.lines == [(Event.page_read, fields)]


def test_records_of_salesforce_are_read_by_its_client() -> None:
    reading = Reading()
    cursor = Cursor(RecordKind.LEAD, watermark="w")
    assert reading.read(cursor, Page((observed("l1"),), cursor, last=True)) is True
    assert reading.memory.counts() == {"salesforce": {"seen": 1, "changed": 1}}
    assert reading.memory.plezi.reads == []


def test_without_time_the_rest_is_left_to_another_invocation() -> None:
    reading = Reading()
    first = page_of(observed("p1"))
    assert reading.read(CHANGES, first, page_of(number=2, last=True), out_of_time=True) is False
    assert reading.cursor == first.cursor
    assert reading.memory.plezi.calls == 1


def test_after_the_last_page_no_time_is_needed() -> None:
    assert Reading().read(CHANGES, page_of(last=True), out_of_time=True) is True


def test_a_reading_without_a_page_is_complete() -> None:
    assert Reading().read(CHANGES) is True


def test_a_page_that_cannot_be_stored_is_read_again() -> None:
    reading = Reading()
    reading.memory.ledger.busy = {ANA: 9}
    with pytest.raises(RetryError):
        reading.read(CHANGES, page_of(observed("p1"), last=True))
    assert reading.cursor == Cursor(PLEZI)
    assert reading.listed(0) == ()
    assert reading.phase.pages == 0


def test_a_page_is_stored_in_slices_of_a_hundred_records() -> None:
    reading = Reading()
    page = page_of(*(observed(f"p{it}", f"p{it}@x.fr") for it in range(201)), last=True)
    reading.read(CHANGES, page)
    assert [len(emails) for emails, _listed in reading.memory.ledger.saves] == [100, 100, 1]
    assert len(reading.listed(0)) == 201
    assert reading.memory.counts() == {"plezi": {"seen": 201, "changed": 201}}


def test_records_that_cannot_be_used_are_seen_and_put_in_quarantine() -> None:
    reading = Reading()
    found = RecordProblem(PLEZI, "p2", BOB, ProblemCode.UNREADABLE_RECORD, "phone is no text")
    reading.read(CHANGES, page_of(observed("p1"), problems=(found,), last=True))
    numbers = {"seen": 2, "changed": 1, "skipped.quarantined": 1, "quarantined": 1}
    assert reading.memory.counts() == {"plezi": numbers}
    link = reading.link(BOB)
    assert link.quarantine is not None
    assert link.dirty is False
    assert reading.memory.ledger.saves == [([ANA], True), ([BOB], True)]
    assert reading.isolation.visited == 1


# A reading of all records


def test_a_full_reading_counts_who_takes_part_and_resolves_what_has_something_to_do() -> None:
    reading = Reading()
    edited = observed("p2", BOB, values={"phone": "2"})
    reading.memory.ledger.put(agreed(), link_of(BOB, edited))
    page = page_of(observed("p1"), edited, observed("p3", CLO, eligible=False), last=True)

    reading.read(FULL, page)

    assert reading.listed(0) == (BOB, CLO)
    numbers = {"seen": 3, "changed": 1, "unchanged": 2, "people.contact": 2}
    assert reading.memory.counts() == {"plezi": numbers}


def test_a_link_that_has_only_something_to_agree_on_is_resolved() -> None:
    reading = Reading()
    reading.memory.ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    reading.read(FULL, page_of(observed("p1"), last=True))
    assert reading.listed(0) == (ANA,)


def test_a_link_with_an_edit_that_was_not_written_is_resolved() -> None:
    reading = Reading()
    contact = observed("p1", values={"phone": "2"})
    recent = {PHONE_PAIR.key: (RecentWrite("l1", "3", 5.0),)}
    reading.memory.ledger.put(agreed(recent_writes=recent).with_observation(contact))
    reading.read(FULL, page_of(contact, last=True))
    assert reading.listed(0) == (ANA,)


def test_a_link_that_cannot_be_planned_is_put_in_quarantine() -> None:
    reading = Reading()
    reading.memory.ledger.put(replace(agreed(), base={"p1": BrokenValues()}))
    reading.memory.ledger.put(link_of(BOB, observed("p2", BOB)))
    reading.read(FULL, page_of(observed("p1"), observed("p2", BOB), last=True))
    assert reading.link().quarantine is not None
    assert reading.listed(0) == (BOB,)


def test_the_first_reading_counts_who_takes_part_and_resolves_what_changed() -> None:
    reading = Reading()
    reading.memory.ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    reading.read(Cursor(PLEZI), page_of(observed("p1"), observed("p2", BOB), last=True))
    assert reading.listed(0) == (BOB,)
    assert reading.memory.counts()["plezi"]["people.contact"] == 2


def test_a_reading_of_changes_is_no_reading_of_all_records() -> None:
    reading = Reading()
    reading.read(CHANGES, page_of(observed("p1"), last=True))
    assert reading.phase.replaces_look is False
    assert reading.memory.counts() == {"plezi": {"seen": 1, "changed": 1}}


# Records that are read again


def stale_page(**changes: Any) -> Page:
    """Return a page with a newer version that was read before the last write response."""
    return page_of(observed("p1", version="2", as_of=9.0, **changes), last=True)


def test_a_record_that_may_be_new_is_read_again_before_the_cursor_moves() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    current = observed("p1", version="3", as_of=9.5, values={"phone": "2"})
    reading.memory.plezi.records = {"p1": current}
    page = replace(stale_page(), observations=(*stale_page().observations, observed("p2", BOB)))

    reading.read(CHANGES, page)

    assert reading.link().plezi == replace(current, as_of=10.0)
    assert reading.listed(0) == (BOB, ANA)
    assert reading.memory.plezi.searches == [(["p1"], [], [])]
    assert reading.memory.plezi.scopes == [BOUND.read_scope] * 2
    assert reading.memory.counts() == {"plezi": {"seen": 2, "changed": 1, "unchanged": 1}}
    assert reading.memory.ledger.saves[-1] == ([ANA], True)


def test_a_newer_reading_keeps_its_time() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    current = observed("p1", version="3", as_of=50.0, values={"phone": "2"})
    reading.memory.plezi.records = {"p1": current}
    reading.read(CHANGES, stale_page())
    assert reading.link().plezi == current


def test_a_record_that_was_deleted_since_then_is_marked() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    reading.memory.plezi.deleted = {"p1"}
    reading.read(CHANGES, stale_page(values={"phone": "2"}))
    assert reading.link().plezi == observed("p1", deleted=True)
    assert reading.listed(0) == (ANA,)


def test_a_record_that_the_page_shows_as_deleted_is_stored_with_its_version() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    reading.memory.plezi.deleted = {"p1"}
    reading.read(CHANGES, stale_page(deleted=True))
    assert reading.link().plezi == observed("p1", deleted=True, version="2")


def test_a_record_that_is_not_found_again_stays_as_it_is() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    reading.read(CHANGES, stale_page())
    assert reading.link().plezi == observed("p1")
    assert reading.listed(0) == ()


def test_a_record_that_cannot_be_read_again_is_tried_again_by_the_next_run() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    found = RecordProblem(PLEZI, "p1", "", ProblemCode.UNREADABLE_RECORD, "phone is no text")
    reading.memory.plezi.problems = [found]
    reading.read(CHANGES, stale_page())
    assert reading.link().quarantine is not None
    assert reading.link().dirty is True
    numbers = {"seen": 1, "unchanged": 1, "quarantined": 1}
    assert reading.memory.counts() == {"plezi": numbers}


def test_a_fault_of_salesforce_while_it_is_read_again_is_one_of_salesforce() -> None:
    reading = Reading()
    reading.memory.ledger.put(agreed())
    reading.memory.org.records = {"l1": observed("l1", version="3", values={"Phone": "2"})}
    reading.memory.ledger.too_large = {ANA}
    cursor = Cursor(RecordKind.LEAD, watermark="w")
    lead = observed("l1", version="2", as_of=9.0)
    reading.read(cursor, Page((lead,), cursor, last=True))
    assert reading.memory.counts()["salesforce"]["quarantined"] == 1
    assert reading.memory.org.searches == [(["l1"], [], [])]


# A look at the most recent changes


class SlowSystem(ScriptedSystem):
    """A system whose pages take ten seconds each."""

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Yield the pages."""
        for page in super().recent_changes(since, scope):
            self.clock.advance(10)
            yield page


def looking() -> Reading:
    memory = InMemory()
    memory.plezi = SlowSystem(Side.PLEZI, memory.clock)
    return Reading(memory)


def look_page(*observations: Observation, **changes: Any) -> Page:
    cursor = Cursor(PLEZI, watermark="look-1", position="of the look")
    return Page(observations, cursor, **changes)


def test_a_complete_look_is_noted_with_the_time_of_its_start() -> None:
    reading = looking()
    contact = observed("p1", eligible=False)
    pages = [look_page(contact), look_page(observed("p2", BOB), last=True)]
    assert reading.look(*pages, look_page(observed("p3", CLO))) is True
    assert reading.cursor == replace(CHANGES, look="look-1", looked_at=NOW)
    assert (reading.listed(0), reading.listed(1)) == ((ANA,), (BOB,))
    assert reading.memory.plezi.looks == ["look-0"]
    assert reading.memory.plezi.scopes == [BOUND.read_scope]
    assert (reading.phase.pages, reading.phase.replaces_look) == (0, False)


def test_a_look_counts_nobody_as_taking_part_and_plans_no_unchanged_link() -> None:
    reading = looking()
    reading.memory.ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    assert reading.look(look_page(observed("p1"), last=True), cursor=FULL) is True
    assert reading.memory.counts() == {"plezi": {"seen": 1, "unchanged": 1}}
    assert reading.listed(0) == ()


def test_a_look_without_a_last_page_proves_nothing() -> None:
    reading = looking()
    assert reading.look(look_page(observed("p1"))) is False
    assert reading.cursor == CHANGES
    assert reading.listed(0) == (ANA,)


def test_a_look_that_is_out_of_time_begins_again_in_the_next_invocation() -> None:
    reading = looking()
    reading.memory.plezi.look_error = DeadlineError("over")
    with pytest.raises(DeadlineError):
        reading.look(*(look_page(observed(f"p{it}", f"p{it}@x.fr")) for it in range(9)))
    assert reading.cursor == CHANGES
    assert reading.phase.replaces_look is False


def test_a_long_look_that_is_out_of_time_is_replaced_by_a_reading() -> None:
    reading = looking()
    reading.memory.plezi.look_error = DeadlineError("over")
    pages = [look_page(observed(f"p{it}", f"p{it}@x.fr")) for it in range(10)]
    with pytest.raises(DeadlineError):
        reading.look(*pages)
    assert reading.cursor == replace(CHANGES, started_at=NOW, mapping_version=0)
    assert reading.phase.replaces_look is True


def test_the_reading_that_replaces_a_look_has_the_present_version_of_the_mapping() -> None:
    reading = looking()
    bound = bound_to(PHONE_PAIR, version=7)
    run = reading.memory.start_run()
    queue = WorkQueue(reading.memory.context, run)
    phase = ReadPhase(reading.memory.context, bound, run, queue, reading.isolation)
    reading.memory.plezi.look_error = DeadlineError("over")
    reading.memory.plezi.look_pages = [look_page()] * 10
    cursor = replace(CHANGES, started_at=5.0, full=False, mapping_version=6)
    with pytest.raises(DeadlineError):
        phase.look(replace(cursor, started_at=0.0))
    assert reading.cursor == replace(CHANGES, started_at=NOW, mapping_version=7)


def test_another_error_of_a_look_is_raised() -> None:
    reading = looking()
    reading.memory.plezi.look_error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        reading.look(*[look_page()] * 12)
    assert reading.phase.replaces_look is False
