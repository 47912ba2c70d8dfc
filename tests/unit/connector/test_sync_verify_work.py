"""A verification: every person is compared, and each difference has its cause."""

from __future__ import annotations

import pytest

from connector.deadline import Deadline
from connector.model import (
    Counts,
    Cursor,
    Hold,
    HoldReason,
    JournalKind,
    Link,
    Page,
    Phase,
    RecordKind,
    Side,
    WorkList,
)
from connector.verification import Verification, load_verification
from tests.unit.connector.sync_fixtures import (
    ANA,
    BOB,
    CLO,
    PHONE_PAIR,
    RUN,
    after,
    always,
    link_of,
    never,
    observed,
)
from tests.unit.connector.sync_fixtures_reading import (
    NOW,
    WholeVerification,
    agreed_people,
    agreed_person,
    drift_entry,
)

HELD = {PHONE_PAIR.key: Hold(HoldReason.CONFLICT, 1.0, {}, attribute="phone")}

# The result


def test_the_result_is_stored_with_the_number_of_people() -> None:
    verifying = WholeVerification(
        agreed_person(), agreed_person(BOB, 2), agreed_person(CLO, 3, "1", "2")
    )
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
    verifying = WholeVerification(agreed_person())
    before = verifying.link()
    verifying.verify()
    assert verifying.link() == before
    assert verifying.entries == []
    assert verifying.journal.requested == [([], 0.0)]
    assert verifying.memory.ledger.saves == []


def test_a_work_that_begins_has_no_position_and_no_progress() -> None:
    work = WholeVerification(agreed_person()).work
    assert (work.phase, work.position, work.visited_lists) == (Phase.READ, None, 0)
    assert work.made_progress is False


def test_a_verification_that_goes_on_compares_what_is_left() -> None:
    verifying = WholeVerification(*agreed_people(2))
    work = verifying.work
    assert work.work(Phase.READ, after(1)) is Phase.RESOLVE
    assert verifying.compared == {}
    work = verifying.work
    assert work.work(Phase.RESOLVE, never) is None
    assert work.phase is Phase.RESOLVE
    assert verifying.compared == {"people": 2, "compared": 2}


def test_without_time_after_the_reading_the_comparison_is_left() -> None:
    verifying = WholeVerification(agreed_person())
    work = verifying.work
    assert work.work(Phase.READ, after(1)) is Phase.RESOLVE
    assert work.phase is Phase.RESOLVE
    assert work.made_progress is True
    assert load_verification(verifying.memory.ledger) is None


# The people of the ledger


def test_the_people_of_the_ledger_are_put_on_lists_of_a_thousand() -> None:
    verifying = WholeVerification(*agreed_people(2001))
    verifying.show()
    work = verifying.work
    assert work.work(Phase.READ, after(3)) is Phase.RESOLVE
    assert [len(it) for it in verifying.listed()] == [1000, 1000, 1]
    assert verifying.listed()[2] == ("2000@x.fr",)
    run = verifying.memory.ledger.load_run(RUN)
    assert run is not None
    assert (run.progress.lists, run.progress.listed) == (3, 2001)


def test_another_invocation_lists_the_people_behind_the_last_one() -> None:
    verifying = WholeVerification(*agreed_people(1500))
    verifying.show()
    work = verifying.work
    assert work.work(Phase.READ, always) is Phase.READ
    assert work.phase is Phase.READ
    assert [len(it) for it in verifying.listed()] == [1000]
    assert work.made_progress is True
    assert verifying.memory.plezi.reads == []

    assert verifying.work.work(Phase.READ, after(1)) is Phase.RESOLVE
    assert [len(it) for it in verifying.listed()] == [1000, 500]


def test_where_the_last_list_has_disappeared_all_people_are_listed_again() -> None:
    verifying = WholeVerification(*agreed_people(1500))
    verifying.show()
    verifying.work.work(Phase.READ, always)
    verifying.memory.ledger.scratch(RUN).save_work(WorkList(RUN, 0), [])
    assert verifying.work.work(Phase.READ, after(2)) is Phase.RESOLVE
    assert [(len(it), it[0]) for it in verifying.listed()] == [
        (1000, "0000@x.fr"),
        (500, "1000@x.fr"),
    ]


def test_people_who_are_listed_are_not_listed_again_when_the_reading_goes_on() -> None:
    verifying = WholeVerification(agreed_person())
    page = Page((observed("p1"),), Cursor(RecordKind.PLEZI_CONTACT))
    verifying.memory.plezi.pages[RecordKind.PLEZI_CONTACT] = [page]
    assert verifying.work.work(Phase.READ, after(1)) is Phase.READ
    assert verifying.listed() == [(ANA,)]
    work = verifying.work
    assert work.work(Phase.READ, always) is Phase.READ
    assert verifying.listed() == [(ANA,)]
    assert work.made_progress is True


def test_a_ledger_without_people_is_verified() -> None:
    verifying = WholeVerification()
    assert verifying.verify() == {}
    assert load_verification(verifying.memory.ledger) == Verification(RUN, NOW, 0, 0, 0)


# Parts


def test_a_list_is_compared_a_hundred_people_at_a_time() -> None:
    verifying = WholeVerification(*agreed_people(250))
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
    verifying = WholeVerification(agreed_person())
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
    verifying = WholeVerification(*agreed_people(120))
    verifying.memory.plezi.seconds = (0.0, 0.0, seconds)
    verifying.memory.deadline = Deadline(lambda: NOW)
    verifying.memory.deadline.start(remaining=900.0, budget=budget)
    verifying.work.work(Phase.READ, after(2))
    assert verifying.compared["people"] == number


# Differences


def test_a_difference_without_a_cause_has_an_entry_in_the_journal() -> None:
    verifying = WholeVerification(agreed_person(salesforce="2"), agreed_person(BOB, 2))
    assert verifying.verify()["drift.unexplained.Phone"] == 1
    assert verifying.entries == [drift_entry("unexplained")]
    assert verifying.journal.requested == [([ANA], 0.0)]


def test_a_difference_that_an_undo_left_names_the_undo() -> None:
    verifying = WholeVerification(
        agreed_person(salesforce="2"), agreed_person(BOB, 2, salesforce="2")
    )
    undone = drift_entry("undone", run_id="undo-1", kind=JournalKind.WRITTEN)
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
        drift_entry("undone", newer_run="undo-1"),
        drift_entry("unexplained", email=BOB, record_id="l2"),
    ]
    assert verifying.journal.requested == [([ANA, BOB], 0.0)]


def test_the_history_of_a_person_whose_difference_has_a_cause_is_not_read() -> None:
    verifying = WholeVerification(agreed_person(salesforce="2", holds=HELD))
    assert verifying.verify()["drift.held"] == 1
    assert verifying.journal.requested == [([], 0.0)]


def test_of_each_field_and_cause_twenty_differences_are_shown() -> None:
    verifying = WholeVerification(*agreed_people(25, salesforce="2", holds=HELD))
    assert verifying.verify()["drift.held.Phone"] == 25
    assert len(verifying.entries) == 20


def test_the_differences_of_earlier_invocations_count_among_the_shown_ones() -> None:
    verifying = WholeVerification(*agreed_people(8, salesforce="2", holds=HELD))
    counts = Counts()
    counts.add(Side.SALESFORCE, "drift.held.Phone", 15)
    verifying.memory.ledger.add_counts(RUN, counts)
    verifying.verify()
    assert len(verifying.entries) == 5


def test_of_differences_without_a_cause_a_thousand_are_shown() -> None:
    verifying = WholeVerification(*agreed_people(3, salesforce="2"))
    counts = Counts()
    counts.add(Side.SALESFORCE, "drift.unexplained.Phone", 998)
    verifying.memory.ledger.add_counts(RUN, counts)
    verifying.verify()
    assert len(verifying.entries) == 2


# What is counted


def test_a_person_who_is_missing_in_one_system_is_counted_there() -> None:
    verifying = WholeVerification(link_of(ANA, observed("p1")))
    counts = verifying.verify()
    assert counts == {
        "people": 1,
        "compared": 1,
        "drift.unexplained": 1,
        "drift.unexplained.person": 1,
    }
    assert verifying.memory.counts()["plezi"]["only_here"] == 1
    assert verifying.entries == [
        drift_entry(
            "unexplained", side=Side.PLEZI, record_id="p1", field="", before=None, after=None
        )
    ]
    assert verifying.link().dirty is True


def test_fields_that_cannot_be_compared_are_counted() -> None:
    unknown = agreed_person()
    contact = observed("p1", values={})
    verifying = WholeVerification(unknown.with_observation(contact))
    assert verifying.verify() == {"people": 1, "not_compared": 1}


@pytest.mark.parametrize(
    "link", [agreed_person(shared=True), agreed_person().with_observation(observed("l2"))]
)
def test_people_with_duplicates_are_counted(link: Link) -> None:
    assert WholeVerification(link).verify()["duplicates"] == 1


def test_why_nobody_takes_part_is_counted() -> None:
    verifying = WholeVerification(link_of(ANA, observed("l1", eligible=False)))
    assert verifying.verify() == {"people": 1, "left_out.no_participant": 1}


def test_a_link_without_records_is_not_gone() -> None:
    counts = WholeVerification(Link(ANA)).verify()
    assert "gone" not in counts
    assert counts["people"] == 1


def test_a_person_of_whom_every_record_is_deleted_is_gone() -> None:
    deleted = link_of(ANA, observed("p1", deleted=True), observed("l1", deleted=True))
    verifying = WholeVerification(
        deleted, agreed_person(BOB, 2).with_observation(observed("l9", deleted=True))
    )
    assert verifying.verify()["gone"] == 1


def test_a_link_that_cannot_be_decoded_is_counted() -> None:
    verifying = WholeVerification(agreed_person(BOB, 2))
    verifying.memory.ledger.put_unreadable(ANA)
    assert verifying.verify() == {"unreadable": 1, "people": 1, "compared": 1}


def test_a_link_that_was_removed_since_it_was_listed_is_left_out() -> None:
    verifying = WholeVerification(agreed_person(), agreed_person(BOB, 2))
    verifying.work.work(Phase.READ, after(1))
    del verifying.memory.ledger._links[ANA]
    assert verifying.work.work(Phase.RESOLVE, never) is None
    assert verifying.compared == {"people": 1, "compared": 1}
