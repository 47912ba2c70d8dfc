"""A verification: the next run learns what no run has read, and what it must resolve."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.log_events import Event
from connector.model import (
    Intent,
    JournalKind,
    Observation,
    Phase,
    ProblemCode,
    Quarantine,
    RecentWrite,
    RecordKind,
    RecordProblem,
    Side,
)
from tests.unit.connector.sync_fixtures import ANA, BOB, PHONE_PAIR, RUN, after, never, observed
from tests.unit.connector.sync_fixtures_reading import (
    BOUND,
    READ_AT,
    STARTED,
    BrokenValues,
    ScriptedSystem,
    WholeVerification,
    agreed_people,
    agreed_person,
    drift_entry,
    edited_by_user,
)

LONG_AGO = datetime.fromtimestamp(READ_AT - 600, UTC).isoformat()
INTENT = Intent("i", "r", 1.0, (), ())


# Edits that no run has read


def unread(edited: Observation, **changes: Any) -> WholeVerification:
    verifying = WholeVerification(agreed_person(**changes))
    others = [it for it in agreed_person().observations() if it.id != edited.id]
    verifying.show(edited, *others)
    return verifying


def test_a_recent_edit_waits_for_the_next_run_and_is_stored_for_it() -> None:
    edited = edited_by_user(modified="2026-01-01T00:00:00Z")
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
    verifying = unread(edited_by_user(modified=modified))
    assert verifying.verify()[f"drift.{cause}"] == 1


def test_a_missed_edit_of_a_field_of_salesforce_is_stored_too() -> None:
    edited = edited_by_user("l1", modified=LONG_AGO)
    verifying = unread(edited)
    assert verifying.verify()["drift.unexplained"] == 1
    assert verifying.link().salesforce == (edited,)


def test_a_new_person_is_compared_and_stored() -> None:
    verifying = WholeVerification()
    contact = observed("p1", modified=LONG_AGO)
    verifying.show(contact)
    assert verifying.verify()["drift.unexplained.person"] == 1
    assert [it.email for it in verifying.entries] == [ANA]
    assert verifying.link().plezi == contact


def test_a_missed_edit_is_without_a_cause_although_the_link_is_in_quarantine() -> None:
    quarantine = Quarantine(Side.PLEZI, "refused", "", (), 1.0)
    verifying = unread(edited_by_user(modified=LONG_AGO), quarantine=quarantine)
    assert verifying.verify()["drift.unexplained.Phone"] == 1


def test_an_edit_that_is_too_large_for_the_ledger_is_a_fault_of_its_side() -> None:
    verifying = WholeVerification(agreed_person(), version=3)
    verifying.show(edited_by_user(), observed("l1"))
    verifying.memory.ledger.too_large = {ANA}
    verifying.verify()
    assert verifying.memory.counts()["plezi"]["quarantined"] == 1


def test_what_a_run_has_read_since_then_is_no_unread_edit() -> None:
    verifying = unread(edited_by_user(modified=LONG_AGO))
    verifying.work.work(Phase.READ, after(1))
    link = verifying.link().with_observation(observed("p1", as_of=30.0))
    verifying.memory.ledger.put(link)
    assert verifying.work.work(Phase.RESOLVE, never) is None
    assert verifying.compared == {"people": 1, "compared": 1}


# What the next run must know


def test_a_link_that_a_full_run_would_resolve_becomes_dirty() -> None:
    verifying = WholeVerification(agreed_person(base={}, salesforce="1"), agreed_person(BOB, 2))
    assert verifying.verify() == {"people": 2, "compared": 2}
    assert verifying.link().dirty is True
    assert verifying.link(BOB).dirty is False
    assert verifying.memory.ledger.saves == [([ANA], False)]


def test_a_link_that_is_dirty_already_is_not_stored_again() -> None:
    verifying = WholeVerification(agreed_person(base={}, dirty=True))
    verifying.verify()
    assert verifying.memory.ledger.saves == []


@pytest.mark.parametrize("version", [-1, 3])
def test_while_the_mapping_is_not_applied_every_difference_waits(version: int) -> None:
    contact = observed("p1", values={"phone": "9"})
    verifying = WholeVerification(agreed_person().with_observation(contact), version=version)
    assert verifying.verify()["drift.waits.Phone"] == 1
    assert verifying.link().dirty is False


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"dirty": True}, "waits"),
        ({"intent": INTENT}, "waits"),
        ({"recent_writes": {PHONE_PAIR.key: (RecentWrite("l1", "3", 5.0),)}}, "unexplained"),
    ],
)
def test_a_difference_that_the_next_run_works_on_waits(changes: dict[str, Any], cause: str) -> None:
    contact = observed("p1", values={"phone": "9"})
    verifying = WholeVerification(replace(agreed_person().with_observation(contact), **changes))
    assert verifying.verify()[f"drift.{cause}.Phone"] == 1


def test_a_link_that_another_process_changes_is_left_to_the_next_verification() -> None:
    verifying = WholeVerification(agreed_person(base={}))
    verifying.memory.ledger.busy = {ANA: 1}
    verifying.verify()
    assert verifying.link().dirty is False


def test_a_link_that_cannot_be_marked_is_a_fault() -> None:
    verifying = WholeVerification(agreed_person(base={}))
    verifying.memory.ledger.too_large = {ANA}
    assert verifying.verify()["quarantined"] == 1


# Records that no list showed


def unlisted(record: str, *, as_of: float = 10.0) -> WholeVerification:
    """Return a verification whose lists lack one record."""
    link = agreed_person()
    known = link.observation(record)
    assert known is not None
    link = link.with_observation(replace(known, as_of=as_of))
    verifying = WholeVerification(link, agreed_person(BOB, 2))
    shown = (*link.observations(), *agreed_person(BOB, 2).observations())
    verifying.show(*(it for it in shown if it.id != record))
    return verifying


@pytest.mark.parametrize(("record", "side"), [("p1", "plezi"), ("l1", "salesforce")])
def test_a_record_that_no_list_showed_is_read_by_its_id(record: str, side: str) -> None:
    verifying = unlisted(record)
    client = verifying.memory.context.clients[Side(side)]
    assert isinstance(client, ScriptedSystem)
    known = agreed_person().observation(record)
    assert known is not None
    client.records = {record: known}
    verifying.verify()
    assert client.searches == [([record], [], [])]
    assert verifying.memory.counts()[side]["unlisted"] == 1
    assert verifying.compared["compared"] == 2
    assert client.scopes[-1] == BOUND.read_scope
    assert verifying.memory.ledger.saves == []


def test_all_records_of_a_side_that_no_list_showed_are_read_in_one_call() -> None:
    verifying = WholeVerification(agreed_person(), agreed_person(BOB, 2))
    verifying.show(observed("l1"), observed("l2", BOB))
    verifying.verify()
    assert verifying.memory.plezi.searches == [(["p1", "p2"], [], [])]
    assert verifying.memory.counts()["plezi"]["unlisted"] == 2


def test_an_edit_of_a_record_that_no_list_showed_is_compared_and_stored() -> None:
    verifying = unlisted("p1")
    edited = edited_by_user(modified=LONG_AGO)
    verifying.memory.plezi.records = {"p1": edited}
    assert verifying.verify()["drift.unexplained.Phone"] == 1
    assert verifying.link().plezi == edited


def test_edits_of_two_records_of_a_person_are_both_stored() -> None:
    verifying = unlisted("p1")
    verifying.show(*agreed_person(BOB, 2).observations())
    edited = [edited_by_user("p1", modified=LONG_AGO), edited_by_user("l1", "3", modified=LONG_AGO)]
    verifying.memory.plezi.records = {"p1": edited[0]}
    verifying.memory.org.records = {"l1": edited[1]}
    verifying.verify()
    assert list(verifying.link().observations()) == edited


def test_a_record_that_was_deleted_without_the_ledger_knowing_is_stored_as_deleted() -> None:
    verifying = unlisted("l1")
    verifying.memory.org.deleted = {"l1"}
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
    verifying = WholeVerification(agreed_person(), agreed_person(BOB, 2))
    verifying.show(*agreed_person(BOB, 2).observations())
    verifying.memory.plezi.deleted = {"p1"}
    counts = verifying.verify()
    assert (counts["gone"], counts["invisible"]) == (1, 1)


def test_a_record_that_was_read_after_the_reading_began_need_not_be_listed() -> None:
    verifying = unlisted("p1", as_of=STARTED)
    verifying.verify()
    assert verifying.memory.plezi.searches == []
    verifying = unlisted("p1", as_of=STARTED - 1)
    verifying.verify()
    assert verifying.memory.plezi.searches == [(["p1"], [], [])]


@pytest.mark.parametrize("state", ["deleted", "converted"])
def test_a_record_that_has_left_need_not_be_listed(state: str) -> None:
    link = agreed_person().with_observation(observed("l1", ANA, **{state: True}))
    verifying = WholeVerification(link)
    verifying.show(observed("p1"))
    verifying.verify()
    assert verifying.memory.org.searches == []


def test_a_record_that_cannot_be_read_by_its_id_is_tried_again_by_the_next_run() -> None:
    verifying = unlisted("p1")
    code = ProblemCode.UNREADABLE_RECORD
    problem = RecordProblem(RecordKind.PLEZI_CONTACT, "p1", "", code, "phone is no text")
    verifying.memory.plezi.problems = [problem]
    verifying.verify()
    link = verifying.link()
    assert link.quarantine is not None
    assert link.dirty is True
    counts = verifying.memory.counts()["plezi"]
    assert (counts["skipped.quarantined"], counts["quarantined"]) == (1, 1)


# Faults of single people


def test_a_person_who_cannot_be_compared_stops_no_other() -> None:
    broken = agreed_person(base={"p1": BrokenValues()})
    verifying = WholeVerification(broken, agreed_person(BOB, 2))
    assert verifying.verify() == {"quarantined": 1, "people": 1, "compared": 1}
    assert verifying.link().quarantine is not None
    assert verifying.memory.ledger.saves == [([ANA], False)]
    [failed] = verifying.memory.log.of(Event.link_failed)
    assert failed["run_id"] == RUN


class BrokenText:
    """A value that cannot be compared."""

    def __str__(self) -> str:
        """Fail."""
        raise ZeroDivisionError


def test_a_history_that_cannot_be_read_leaves_the_difference_without_a_cause() -> None:
    verifying = WholeVerification(agreed_person(salesforce="2"))
    broken = drift_entry("undone", run_id="undo-1", kind=JournalKind.WRITTEN, after=BrokenText())
    verifying.journal.write([broken])
    counts = verifying.verify()
    assert counts["drift.unexplained.Phone"] == 1
    assert counts["quarantined"] == 1
    assert verifying.link().quarantine is not None


def test_the_people_who_were_visited_are_counted() -> None:
    verifying = WholeVerification(*agreed_people(5))
    work = verifying.work
    work.work(Phase.READ, never)
    assert work._isolation.visited == 5 + 10
