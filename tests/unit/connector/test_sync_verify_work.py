"""A verification: every person is compared, and the next run learns what it must synchronize."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.deadline import Deadline
from connector.model import (
    Counts,
    Cursor,
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    Observation,
    Page,
    Phase,
    ProblemCode,
    RecordKind,
    RecordProblem,
    RunKind,
    Side,
    WorkList,
)
from connector.sync.verify_work import VerifyWork
from connector.verification import Verification, load_verification
from local.world.memory import MemoryJournal
from tests.unit.connector.sync_fixtures_reading import (
    ANA,
    BOB,
    BOUND,
    CLO,
    NOW,
    PHONE,
    RUN,
    BrokenValues,
    FakeClient,
    InMemory,
    link_of,
    observed,
)

READ_AT = 5000.0
"""When the last reading of changes began."""
STARTED = 6000.0
"""When the reading of the verification began."""
LONG_AGO = datetime.fromtimestamp(READ_AT - 600, UTC).isoformat()
INTENT = Intent("i", "r", 1.0, (), ())
HELD = {PHONE.key: Hold(HoldReason.CONFLICT, 1.0, {}, attribute="phone")}


def never() -> bool:
    return False


def always() -> bool:
    return True


def after(calls: int) -> Callable[[], bool]:
    """Return whether the time is over: not for the first calls."""
    answers = iter([*[False] * calls, True])
    return lambda: next(answers)


class RequestedJournal(MemoryJournal):
    """A journal that notes whose history was requested."""

    def __init__(self) -> None:
        super().__init__()
        self.requested: list[tuple[list[str], float]] = []

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        self.requested.append((list(emails), since))
        return super().entries_since(emails, since)


class Verifying:
    """A verification in memory; the mapping was applied to everybody."""

    def __init__(self, *links: Link, version: int = 0) -> None:
        self.journal = RequestedJournal()
        self.memory = InMemory(journal=self.journal)
        for kind in RecordKind:
            cursor = Cursor(kind, "w", completed_at=READ_AT, applied_version=version)
            self.memory.ledger.checkpoint(cursor, "", Counts())
        self.memory.ledger.put(*links)
        self.memory.start_run(kind=RunKind.VERIFY)
        self.show(*(record for link in links for record in link.observations()))

    def show(self, *observations: Observation) -> None:
        """Let the lists of both systems show these records."""
        for kind in RecordKind:
            client = self.memory.context.clients[kind.side]
            assert isinstance(client, FakeClient)
            shown = tuple(it for it in observations if it.kind is kind)
            client.pages[kind] = [Page(shown, Cursor(kind, completed_at=STARTED), last=True)]

    @property
    def work(self) -> VerifyWork:
        """The work of a new invocation."""
        run = self.memory.ledger.load_run(RUN)
        assert run is not None
        return VerifyWork(self.memory.context, BOUND, run)

    def verify(self) -> dict[str, int]:
        """Verify everything; return the counts of the comparison."""
        assert self.work.work(Phase.READ, never) is None
        return self.compared

    @property
    def compared(self) -> dict[str, int]:
        """The counts of the comparison."""
        counts = self.memory.counts().get("salesforce", {})
        return {it: number for it, number in counts.items() if it not in {"seen", "people.Lead"}}

    @property
    def entries(self) -> list[JournalEntry]:
        """The differences, which are stored apart from the history of people."""
        assert not any(it.run_id == RUN for it in self.journal.entries())
        return self.journal.plans

    def link(self, email: str = ANA) -> Link:
        return self.memory.ledger.load_links([email])[email]

    def listed(self) -> list[tuple[str, ...]]:
        keys = [WorkList(RUN, number) for number in range(9)]
        return list(self.memory.ledger.scratch(RUN).load_work(keys).values())


def person(
    email: str = ANA, number: int = 1, plezi: str = "1", salesforce: str = "1", **changes: Any
) -> Link:
    """Return a link of two records that agreed on the values that they have."""
    contact = observed(f"p{number}", email, values={"phone": plezi})
    lead = observed(f"l{number}", email, values={"Phone": salesforce})
    base = {it.id: {PHONE.base_key(it.kind): it.values[_name(it)]} for it in (contact, lead)}
    return link_of(email, contact, lead, **{"base": base, **changes})


def _name(record: Observation) -> str:
    return next(iter(record.values))


def people(number: int, **options: Any) -> list[Link]:
    return [person(f"a{it:04}@x.fr", it, **options) for it in range(number)]


def edit(record: str = "p1", phone: str = "2", **changes: Any) -> Observation:
    name = "phone" if record.startswith("p") else "Phone"
    return observed(record, ANA, **{"values": {name: phone}, "as_of": 20.0, **changes})


def entry(cause: str, **changes: Any) -> JournalEntry:
    kind, side = JournalKind.DRIFT, Side.SALESFORCE
    return replace(
        JournalEntry(ANA, NOW, RUN, kind, side, "l1", PHONE.key, "1", "2", cause), **changes
    )


# The result


def test_the_result_is_stored_with_the_number_of_people() -> None:
    verifying = Verifying(person(), person(BOB, 2), person(CLO, 3, "1", "2"))
    verifying.memory.clock.now = 7000.0
    assert verifying.verify() == {
        "people": 3,
        "compared": 3,
        "drift.unexplained": 1,
        "drift.unexplained.Phone": 1,
    }
    result = load_verification(verifying.memory.ledger)
    assert result == Verification(RUN, 7000.0, people=3, compared=3, unexplained=1)
    assert verifying.memory.ledger.load_document("people") == {"contact": 3, "Lead": 3}


def test_nothing_is_written_about_people_who_agree() -> None:
    verifying = Verifying(person())
    before = verifying.link()
    verifying.verify()
    assert verifying.link() == before
    assert verifying.entries == []
    assert verifying.journal.requested == [([], 0.0)]
    assert verifying.memory.ledger.saved == []


def test_a_work_that_begins_has_no_position_and_no_progress() -> None:
    work = Verifying(person()).work
    assert (work.phase, work.position, work.visited_lists) == (Phase.READ, None, 0)
    assert work.made_progress is False


def test_a_verification_that_goes_on_compares_what_is_left() -> None:
    verifying = Verifying(*people(2))
    work = verifying.work
    assert work.work(Phase.READ, after(1)) is Phase.RESOLVE
    assert verifying.compared == {}
    work = verifying.work
    assert work.work(Phase.RESOLVE, never) is None
    assert work.phase is Phase.RESOLVE
    assert verifying.compared == {"people": 2, "compared": 2}


def test_without_time_after_the_reading_the_comparison_is_left() -> None:
    verifying = Verifying(person())
    work = verifying.work
    assert work.work(Phase.READ, after(1)) is Phase.RESOLVE
    assert work.phase is Phase.RESOLVE
    assert work.made_progress is True
    assert load_verification(verifying.memory.ledger) is None


# The people of the ledger


def test_the_people_of_the_ledger_are_put_on_lists_of_a_thousand() -> None:
    verifying = Verifying(*people(2001))
    verifying.show()
    work = verifying.work
    assert work.work(Phase.READ, after(3)) is Phase.RESOLVE
    assert [len(it) for it in verifying.listed()] == [1000, 1000, 1]
    assert verifying.listed()[2] == ("a2000@x.fr",)
    run = verifying.memory.ledger.load_run(RUN)
    assert run is not None
    assert (run.progress.lists, run.progress.listed) == (3, 2001)


def test_another_invocation_lists_the_people_behind_the_last_one() -> None:
    verifying = Verifying(*people(1500))
    verifying.show()
    work = verifying.work
    assert work.work(Phase.READ, always) is Phase.READ
    assert work.phase is Phase.READ
    assert [len(it) for it in verifying.listed()] == [1000]
    assert work.made_progress is True
    assert verifying.memory.plezi.read_from == []

    assert verifying.work.work(Phase.READ, after(1)) is Phase.RESOLVE
    assert [len(it) for it in verifying.listed()] == [1000, 500]


def test_people_who_are_listed_are_not_listed_again_when_the_reading_goes_on() -> None:
    verifying = Verifying(person())
    page = Page((observed("p1"),), Cursor(RecordKind.PLEZI_CONTACT))
    verifying.memory.plezi.pages[RecordKind.PLEZI_CONTACT] = [page]
    assert verifying.work.work(Phase.READ, after(1)) is Phase.READ
    assert verifying.listed() == [(ANA,)]
    work = verifying.work
    assert work.work(Phase.READ, always) is Phase.READ
    assert verifying.listed() == [(ANA,)]
    assert work.made_progress is True


def test_a_ledger_without_people_is_verified() -> None:
    verifying = Verifying()
    assert verifying.verify() == {}
    assert load_verification(verifying.memory.ledger) == Verification(RUN, NOW, 0, 0, 0)


# Parts


def test_a_list_is_compared_a_hundred_people_at_a_time() -> None:
    verifying = Verifying(*people(250))
    assert verifying.work.work(Phase.READ, after(2)) is Phase.RESOLVE
    assert verifying.compared == {"people": 100, "compared": 100}
    assert [len(it) for it in verifying.listed()] == [150]
    run = verifying.memory.ledger.load_run(RUN)
    assert run is not None
    assert run.progress.resolved == 100
    assert verifying.work.work(Phase.RESOLVE, never) is None
    assert verifying.listed() == []
    assert verifying.compared == {"people": 250, "compared": 250}


def test_after_the_last_part_of_a_list_the_time_counts_too() -> None:
    verifying = Verifying(person())
    verifying.work.work(Phase.READ, after(1))
    work = verifying.work
    assert work.work(Phase.RESOLVE, always) is Phase.RESOLVE
    assert work.made_progress is True
    assert verifying.compared == {"people": 1, "compared": 1}
    assert verifying.listed() == []


@pytest.mark.parametrize(
    ("seconds", "budget", "number"),
    [(2.0, 7.0, 3), (2.0, 1.0, 1), (0.5, 900.0, 100), (0.0, 1, 100)],
)
def test_as_many_people_are_compared_at_once_as_can_be_read_by_id(
    seconds: float, budget: float, number: int
) -> None:
    verifying = Verifying(*people(120))
    verifying.memory.plezi.look_up_seconds = seconds
    verifying.memory.deadline = Deadline(lambda: NOW)
    verifying.memory.deadline.start(remaining=900.0, budget=budget)
    verifying.work.work(Phase.READ, after(2))
    assert verifying.compared["people"] == number


# Differences


def test_a_difference_without_a_cause_has_an_entry_in_the_journal() -> None:
    verifying = Verifying(person(salesforce="2"), person(BOB, 2))
    assert verifying.verify()["drift.unexplained.Phone"] == 1
    assert verifying.entries == [entry("unexplained")]
    assert verifying.journal.requested == [([ANA], 0.0)]


def test_a_difference_that_an_undo_left_names_the_undo() -> None:
    verifying = Verifying(person(salesforce="2"), person(BOB, 2, salesforce="2"))
    undone = entry("undone", run_id="undo-1", kind=JournalKind.WRITTEN)
    verifying.journal.write([undone])
    assert verifying.verify() == {
        "people": 2,
        "compared": 2,
        "drift.undone": 1,
        "drift.undone.Phone": 1,
        "drift.unexplained": 1,
        "drift.unexplained.Phone": 1,
    }
    assert verifying.entries == [
        entry("undone", newer_run="undo-1"),
        entry("unexplained", email=BOB, record_id="l2"),
    ]
    assert verifying.journal.requested == [([ANA, BOB], 0.0)]


def test_the_history_of_a_person_whose_difference_has_a_cause_is_not_read() -> None:
    verifying = Verifying(person(salesforce="2", holds=HELD))
    assert verifying.verify()["drift.held"] == 1
    assert verifying.journal.requested == [([], 0.0)]


def test_of_each_field_and_cause_twenty_differences_are_shown() -> None:
    verifying = Verifying(*people(25, salesforce="2", holds=HELD))
    assert verifying.verify()["drift.held.Phone"] == 25
    assert len(verifying.entries) == 20


def test_the_differences_of_earlier_invocations_count_among_the_shown_ones() -> None:
    verifying = Verifying(*people(8, salesforce="2", holds=HELD))
    counts = Counts()
    counts.add(Side.SALESFORCE, "drift.held.Phone", 15)
    verifying.memory.ledger.add_counts(RUN, counts)
    verifying.verify()
    assert len(verifying.entries) == 5


def test_of_differences_without_a_cause_a_thousand_are_shown() -> None:
    verifying = Verifying(*people(3, salesforce="2"))
    counts = Counts()
    counts.add(Side.SALESFORCE, "drift.unexplained.Phone", 998)
    verifying.memory.ledger.add_counts(RUN, counts)
    verifying.verify()
    assert len(verifying.entries) == 2


# What is counted


def test_a_person_who_is_missing_in_one_system_is_counted_there() -> None:
    verifying = Verifying(link_of(ANA, observed("p1")))
    counts = verifying.verify()
    assert counts == {
        "people": 1,
        "compared": 1,
        "drift.unexplained": 1,
        "drift.unexplained.person": 1,
    }
    assert verifying.memory.counts()["plezi"]["only_here"] == 1
    assert verifying.entries == [
        entry("unexplained", side=Side.PLEZI, record_id="p1", field="", before=None, after=None)
    ]
    assert verifying.link().dirty is True


def test_fields_that_cannot_be_compared_are_counted() -> None:
    unknown = person()
    contact = observed("p1", values={})
    verifying = Verifying(unknown.with_observation(contact))
    assert verifying.verify() == {"people": 1, "not_compared": 1}


@pytest.mark.parametrize("link", [person(shared=True), person().with_observation(observed("l2"))])
def test_people_with_duplicates_are_counted(link: Link) -> None:
    assert Verifying(link).verify()["duplicates"] == 1


def test_why_nobody_takes_part_is_counted() -> None:
    verifying = Verifying(link_of(ANA, observed("l1", eligible=False)))
    assert verifying.verify() == {"people": 1, "left_out.no_participant": 1}


def test_a_link_without_records_is_not_gone() -> None:
    counts = Verifying(Link(ANA)).verify()
    assert "gone" not in counts
    assert counts["people"] == 1


def test_a_person_of_whom_every_record_is_deleted_is_gone() -> None:
    deleted = link_of(ANA, observed("p1", deleted=True), observed("l1", deleted=True))
    verifying = Verifying(deleted, person(BOB, 2).with_observation(observed("l9", deleted=True)))
    assert verifying.verify()["gone"] == 1


def test_a_link_that_cannot_be_decoded_is_counted() -> None:
    verifying = Verifying(person(BOB, 2))
    verifying.memory.ledger.put_unreadable(ANA)
    assert verifying.verify() == {"unreadable": 1, "people": 1, "compared": 1}


def test_a_link_that_was_removed_since_it_was_listed_is_left_out() -> None:
    verifying = Verifying(person(), person(BOB, 2))
    verifying.work.work(Phase.READ, after(1))
    del verifying.memory.ledger._links[ANA]
    assert verifying.work.work(Phase.RESOLVE, never) is None
    assert verifying.compared == {"people": 1, "compared": 1}


# Edits that no run has read


def unread(edited: Observation, **changes: Any) -> Verifying:
    verifying = Verifying(person(**changes))
    others = [it for it in person().observations() if it.id != edited.id]
    verifying.show(edited, *others)
    return verifying


def test_a_recent_edit_waits_for_the_next_run_and_is_stored_for_it() -> None:
    edited = edit(modified="2026-01-01T00:00:00Z")
    verifying = unread(edited)
    assert verifying.verify() == {
        "people": 1,
        "compared": 1,
        "drift.waits": 1,
        "drift.waits.Phone": 1,
    }
    assert verifying.link().plezi == edited
    assert verifying.link().dirty is True
    assert verifying.memory.ledger.dirty_emails(9) == [ANA]


@pytest.mark.parametrize(
    ("seconds", "cause"), [(0.0, "unexplained"), (1.0, "waits"), (None, "unexplained")]
)
def test_an_edit_from_before_the_last_reading_should_have_been_read(
    seconds: float | None, cause: str
) -> None:
    """Up to ten minutes before, it may be newer: the clocks of the systems differ."""
    at = READ_AT - 600 + (seconds or 0.0)
    modified = "" if seconds is None else datetime.fromtimestamp(at, UTC).isoformat()
    verifying = unread(edit(modified=modified))
    assert verifying.verify()[f"drift.{cause}"] == 1


def test_a_missed_edit_of_a_field_of_salesforce_is_stored_too() -> None:
    edited = edit("l1", modified=LONG_AGO)
    verifying = unread(edited)
    assert verifying.verify()["drift.unexplained"] == 1
    assert verifying.link().salesforce == (edited,)


def test_a_new_person_is_compared_and_stored() -> None:
    verifying = Verifying()
    contact = observed("p1", modified=LONG_AGO)
    verifying.show(contact)
    assert verifying.verify()["drift.unexplained.person"] == 1
    assert verifying.link().plezi == contact


def test_what_a_run_has_read_since_then_is_no_unread_edit() -> None:
    verifying = unread(edit(modified=LONG_AGO))
    verifying.work.work(Phase.READ, after(1))
    link = verifying.link().with_observation(observed("p1", as_of=30.0))
    verifying.memory.ledger.put(link)
    assert verifying.work.work(Phase.RESOLVE, never) is None
    assert verifying.compared == {"people": 1, "compared": 1}


# What the next run must know


def test_a_link_that_a_full_run_would_resolve_becomes_dirty() -> None:
    verifying = Verifying(person(base={}, salesforce="1"), person(BOB, 2))
    assert verifying.verify() == {"people": 2, "compared": 2}
    assert verifying.link().dirty is True
    assert verifying.link(BOB).dirty is False
    assert verifying.memory.ledger.saved == [([ANA], False)]


def test_a_link_that_is_dirty_already_is_not_stored_again() -> None:
    verifying = Verifying(person(base={}, dirty=True))
    verifying.verify()
    assert verifying.memory.ledger.saved == []


@pytest.mark.parametrize("version", [-1, 3])
def test_while_the_mapping_is_not_applied_every_difference_waits(version: int) -> None:
    contact = observed("p1", values={"phone": "9"})
    verifying = Verifying(person().with_observation(contact), version=version)
    assert verifying.verify()["drift.waits.Phone"] == 1
    assert verifying.link().dirty is False


@pytest.mark.parametrize(
    ("changes", "cause"),
    [({"dirty": True}, "waits"), ({"intent": INTENT}, "waits"), ({}, "unexplained")],
)
def test_a_difference_that_the_next_run_works_on_waits(changes: dict[str, Any], cause: str) -> None:
    contact = observed("p1", values={"phone": "9"})
    verifying = Verifying(replace(person().with_observation(contact), **changes))
    assert verifying.verify()[f"drift.{cause}.Phone"] == 1


def test_a_link_that_another_process_changes_is_left_to_the_next_verification() -> None:
    verifying = Verifying(person(base={}))
    verifying.memory.ledger.busy = {ANA: 1}
    verifying.verify()
    assert verifying.link().dirty is False


def test_a_link_that_cannot_be_marked_is_a_fault() -> None:
    verifying = Verifying(person(base={}))
    verifying.memory.ledger.too_large = {ANA}
    assert verifying.verify()["quarantined"] == 1


# Records that no list showed


def unlisted(record: str, *, as_of: float = 10.0) -> Verifying:
    """Return a verification whose lists lack one record."""
    link = person()
    known = link.observation(record)
    assert known is not None
    link = link.with_observation(replace(known, as_of=as_of))
    verifying = Verifying(link, person(BOB, 2))
    shown = (*link.observations(), *person(BOB, 2).observations())
    verifying.show(*(it for it in shown if it.id != record))
    return verifying


@pytest.mark.parametrize(("record", "side"), [("p1", "plezi"), ("l1", "salesforce")])
def test_a_record_that_no_list_showed_is_read_by_its_id(record: str, side: str) -> None:
    verifying = unlisted(record)
    client = verifying.memory.context.clients[Side(side)]
    assert isinstance(client, FakeClient)
    known = person().observation(record)
    assert known is not None
    client.records = {record: known}
    verifying.verify()
    assert client.looked_up == [([record], [], [])]
    assert verifying.memory.counts()[side]["unlisted"] == 1
    assert verifying.compared["compared"] == 2
    assert client.scopes[-1] == BOUND.read_scope
    assert verifying.memory.ledger.saved == []


def test_an_edit_of_a_record_that_no_list_showed_is_compared_and_stored() -> None:
    verifying = unlisted("p1")
    edited = edit(modified=LONG_AGO)
    verifying.memory.plezi.records = {"p1": edited}
    assert verifying.verify()["drift.unexplained.Phone"] == 1
    assert verifying.link().plezi == edited


def test_edits_of_two_records_of_a_person_are_both_stored() -> None:
    verifying = unlisted("p1")
    verifying.show(*person(BOB, 2).observations())
    edited = [edit("p1", modified=LONG_AGO), edit("l1", "3", modified=LONG_AGO)]
    verifying.memory.plezi.records = {"p1": edited[0]}
    verifying.memory.salesforce.records = {"l1": edited[1]}
    verifying.verify()
    assert list(verifying.link().observations()) == edited


def test_a_record_that_was_deleted_without_the_ledger_knowing_is_stored_as_deleted() -> None:
    verifying = unlisted("l1")
    verifying.memory.salesforce.deleted = {"l1"}
    assert verifying.verify() == {
        "unlisted": 1,
        "people": 2,
        "compared": 1,
        "left_out.deleted_in_salesforce": 1,
    }
    assert verifying.link().salesforce == (observed("l1", deleted=True),)
    assert verifying.link().dirty is True


def test_a_record_that_is_not_found_is_invisible() -> None:
    verifying = unlisted("l1")
    counts = verifying.verify()
    assert counts == {"unlisted": 1, "people": 2, "compared": 2, "invisible": 1}
    assert verifying.link().salesforce == (observed("l1"),)


def test_a_person_of_whom_no_record_is_found_is_gone() -> None:
    verifying = Verifying(person(), person(BOB, 2))
    verifying.show(*person(BOB, 2).observations())
    verifying.memory.plezi.deleted = {"p1"}
    counts = verifying.verify()
    assert (counts["gone"], counts["invisible"]) == (1, 1)


def test_a_record_that_was_read_after_the_reading_began_need_not_be_listed() -> None:
    verifying = unlisted("p1", as_of=STARTED)
    verifying.verify()
    assert verifying.memory.plezi.looked_up == []
    verifying = unlisted("p1", as_of=STARTED - 1)
    verifying.verify()
    assert verifying.memory.plezi.looked_up == [(["p1"], [], [])]


@pytest.mark.parametrize("state", ["deleted", "converted"])
def test_a_record_that_has_left_need_not_be_listed(state: str) -> None:
    link = person().with_observation(observed("l1", ANA, **{state: True}))
    verifying = Verifying(link)
    verifying.show(observed("p1"))
    verifying.verify()
    assert verifying.memory.salesforce.looked_up == []


def test_a_record_that_cannot_be_read_by_its_id_is_tried_again_by_the_next_run() -> None:
    verifying = unlisted("p1")
    code = ProblemCode.UNREADABLE_RECORD
    problem = RecordProblem(RecordKind.PLEZI_CONTACT, "p1", "", code, "phone is no text")
    verifying.memory.plezi.problems = (problem,)
    verifying.verify()
    link = verifying.link()
    assert link.quarantine is not None
    assert link.dirty is True
    counts = verifying.memory.counts()["plezi"]
    assert (counts["skipped.quarantined"], counts["quarantined"]) == (1, 1)


# Faults of single people


def test_a_person_who_cannot_be_compared_stops_no_other() -> None:
    broken = person(base={"p1": BrokenValues()})
    verifying = Verifying(broken, person(BOB, 2))
    assert verifying.verify() == {"quarantined": 1, "people": 1, "compared": 1}
    assert verifying.link().quarantine is not None
    assert verifying.memory.ledger.saved == [([ANA], False)]


class BrokenText:
    """A value that cannot be compared."""

    def __str__(self) -> str:
        """Fail."""
        raise ZeroDivisionError


def test_a_history_that_cannot_be_read_leaves_the_difference_without_a_cause() -> None:
    verifying = Verifying(person(salesforce="2"))
    broken = entry("undone", run_id="undo-1", kind=JournalKind.WRITTEN, after=BrokenText())
    verifying.journal.write([broken])
    counts = verifying.verify()
    assert counts["drift.unexplained.Phone"] == 1
    assert counts["quarantined"] == 1


def test_the_people_who_were_visited_are_counted() -> None:
    verifying = Verifying(*people(5))
    work = verifying.work
    work.work(Phase.READ, never)
    assert work._isolation.visited == 5 + 10
