"""People who are read again from both systems: who is read how, and what is stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.model import (
    Observation,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Side,
)
from connector.sync.isolation import Isolation
from connector.sync.selected_people import PeopleRefresher
from tests.unit.connector.sync_fixtures import (
    BOUND,
    CONTACT,
    EMAIL,
    LEAD,
    OTHER,
    RUN,
    SyncSetup,
    agreed,
    contact,
    lead,
)

MANY: Final = [f"{number:03}@x.fr" for number in range(250)]


def refresher(setup: SyncSetup, *, listed: bool = True) -> PeopleRefresher:
    return PeopleRefresher(setup.context, BOUND, Isolation(setup.context, RUN), listed=listed)


def refresh(
    setup: SyncSetup, *emails: str, listed: bool = True, **options: Any
) -> tuple[dict[tuple[str, str], int], list[str]]:
    """Read people again; return the counts that are not zero, and who was found."""
    counts, found = refresher(setup, listed=listed).refresh(emails, **options)
    return {name: number for name, number in counts.numbers.items() if number}, found


def known_setup(*records: Observation, **changes: Any) -> SyncSetup:
    """Return a setup with a link whose records are in both systems, or only these records."""
    setup = SyncSetup()
    setup.store(agreed(EMAIL, "1", *records, **changes))
    for each in records or (contact(EMAIL), lead(EMAIL)):
        system = setup.plezi if each.side is Side.PLEZI else setup.org
        system.put(each)
    return setup


# How many people are read in one go


@pytest.mark.parametrize(
    ("seconds", "left", "number"),
    [
        (0.0, math.inf, 200),
        (0.15, math.inf, 200),
        (10.0, math.inf, 3),
        (11.0, math.inf, 2),
        (10.0, 15.0, 1),
        (10.0, 20.0, 2),
        (100.0, math.inf, 1),
    ],
)
def test_people_are_read_in_half_a_minute_at_most(seconds: float, left: float, number: int) -> None:
    setup = SyncSetup()
    setup.plezi.seconds = (1000.0, 1000.0, seconds)
    setup.deadline.start(remaining=1e9, budget=left)

    assert refresher(setup).people_in_time(MANY, is_looked_at=False) == number
    assert refresher(setup).people_in_time(MANY[:1], is_looked_at=False) == 1


def test_known_contacts_take_no_time_when_plezi_was_looked_at() -> None:
    setup = SyncSetup()
    setup.plezi.seconds = (0.0, 0.0, 10.0)
    setup.store(*(agreed(email) for email in MANY[:6]))

    people = refresher(setup)

    assert people.people_in_time(MANY[:6], is_looked_at=True) == 6
    assert people.people_in_time(MANY[:6], is_looked_at=False) == 3
    # The first six are known; three of the others fit into the time.
    assert people.people_in_time(MANY, is_looked_at=True) == 9


def test_a_contact_that_was_deleted_or_never_known_is_searched() -> None:
    setup = SyncSetup()
    setup.plezi.seconds = (0.0, 0.0, 10.0)
    deleted = [agreed(it, "1", contact(it, deleted=True), lead(it)) for it in MANY[:2]]
    only_leads = [agreed(email, "1", lead(email)) for email in MANY[2:4]]
    setup.store(*deleted, *only_leads, agreed(MANY[4]))

    assert refresher(setup).people_in_time(MANY[:5], is_looked_at=True) == 3


# Who is read


def test_a_person_whom_neither_system_knows_is_searched_in_both() -> None:
    setup = SyncSetup()

    assert refresh(setup, EMAIL) == ({}, [])
    assert (setup.plezi.look_ups, setup.org.look_ups) == ([([], [EMAIL])], [([], [EMAIL])])
    assert setup.ledger.all_links() == []


def test_a_new_person_is_found_in_both_systems() -> None:
    setup = SyncSetup()
    setup.plezi.put(contact(EMAIL))
    setup.org.put(lead(EMAIL, "2"))

    counts, found = refresh(setup, EMAIL, OTHER)

    assert found == [EMAIL]
    assert counts == {
        ("plezi", "seen"): 1,
        ("plezi", "changed"): 1,
        ("salesforce", "seen"): 1,
        ("salesforce", "changed"): 1,
    }
    link = setup.link(EMAIL)
    assert (set(link.record_ids), link.dirty) == ({CONTACT, LEAD}, True)


def test_the_records_of_a_known_person_are_read_by_id() -> None:
    setup = known_setup()

    counts, found = refresh(setup, EMAIL)

    assert (setup.plezi.look_ups, setup.org.look_ups) == ([([CONTACT], [])], [([LEAD], [EMAIL])])
    assert found == [EMAIL]
    assert counts == {
        ("plezi", "seen"): 1,
        ("plezi", "unchanged"): 1,
        ("salesforce", "seen"): 1,
        ("salesforce", "unchanged"): 1,
    }


def test_a_contact_that_was_looked_at_is_not_read_again() -> None:
    setup = known_setup()

    _, found = refresh(setup, EMAIL, is_looked_at=True)

    assert (setup.plezi.look_ups, setup.org.look_ups) == ([], [([LEAD], [EMAIL])])
    assert found == [EMAIL]


@pytest.mark.parametrize(
    "record", [contact(EMAIL, eligible=False), contact("", id=CONTACT)], ids=["filter", "e-mail"]
)
def test_a_contact_that_takes_no_part_is_read_although_plezi_was_looked_at(
    record: Observation,
) -> None:
    setup = known_setup(record, lead(EMAIL))

    refresh(setup, EMAIL, is_looked_at=True)

    assert setup.plezi.look_ups == [([CONTACT], [])]


def test_a_contact_that_was_deleted_is_read_by_id_and_searched() -> None:
    setup = known_setup(contact(EMAIL, deleted=True), lead(EMAIL))

    refresh(setup, EMAIL, is_looked_at=True)

    assert setup.plezi.look_ups == [([CONTACT], [EMAIL])]


def test_one_system_alone_can_be_read() -> None:
    setup = known_setup()
    setup.org.put(lead(EMAIL, "2", version="2"))

    _, found = refresh(setup, EMAIL, sides=(Side.SALESFORCE,))

    assert (setup.plezi.look_ups, setup.org.look_ups) == ([], [([LEAD], [EMAIL])])
    assert (found, setup.link(EMAIL).salesforce[0].values["Phone"]) == ([EMAIL], "2")


def test_a_contact_is_read_by_its_id_alone() -> None:
    setup = SyncSetup()
    setup.plezi.put(contact(EMAIL))

    counts, found = refresh(setup, contacts=(CONTACT,))

    assert (setup.plezi.look_ups, setup.org.look_ups) == ([([CONTACT], [])], [])
    unknown = Observation(RecordKind.PLEZI_CONTACT, CONTACT, "", "", "", 0.0, {})
    assert (setup.plezi.looked_up, found) == ([unknown], [EMAIL])
    assert counts == {("plezi", "seen"): 1, ("plezi", "changed"): 1}


def test_a_person_is_found_by_the_e_mail_that_the_contact_has_now() -> None:
    setup = known_setup()
    setup.plezi.put(contact(OTHER, id=CONTACT, version="2"))

    _, found = refresh(setup, EMAIL)

    # The link was found under its former e-mail, and is one with the new e-mail now.
    assert found == [EMAIL, OTHER]
    assert setup.link(OTHER).record_ids == {CONTACT, LEAD}


def test_the_names_of_the_people_who_were_found_are_in_order() -> None:
    setup = SyncSetup()
    setup.plezi.put(*(contact(email) for email in MANY))

    assert refresh(setup, *reversed(MANY))[1] == MANY


def test_a_record_without_an_e_mail_is_neither_counted_nor_stored() -> None:
    setup = known_setup()
    setup.plezi.put(contact("", id=CONTACT, version="2"))

    counts, found = refresh(setup, EMAIL, sides=(Side.PLEZI,))

    assert (counts, found) == ({}, [EMAIL])
    assert setup.link(EMAIL).plezi == contact(EMAIL)


@pytest.mark.parametrize("listed", [True, False])
def test_a_link_that_must_be_resolved_is_listed_where_the_run_lists_it(*, listed: bool) -> None:
    setup = SyncSetup()
    setup.plezi.put(contact(EMAIL))

    refresh(setup, EMAIL, listed=listed)

    assert setup.ledger.dirty_emails(10) == ([] if listed else [EMAIL])


# Records that are deleted or cannot be read


@pytest.mark.parametrize("listed", [True, False])
def test_a_record_that_was_deleted_takes_no_part_any_more(*, listed: bool) -> None:
    setup = known_setup()
    setup.org.records.clear()
    setup.org.deleted = {LEAD}

    _, found = refresh(setup, EMAIL, listed=listed)

    link = setup.link(EMAIL)
    assert (link.salesforce[0].deleted, link.dirty, found) == (True, True, [EMAIL])
    assert setup.ledger.dirty_emails(10) == ([] if listed else [EMAIL])


def test_the_deleted_record_of_another_person_does_not_change_an_unreadable_link() -> None:
    setup = known_setup(readable=False)
    setup.org.records.clear()
    setup.org.deleted = {LEAD}
    before = setup.link(EMAIL)

    refresh(setup, EMAIL, sides=(Side.SALESFORCE,))

    assert (setup.link(EMAIL), setup.ledger.saves) == (before, [])


def test_a_record_that_was_deleted_before_is_not_stored_again() -> None:
    setup = known_setup(contact(EMAIL), lead(EMAIL, deleted=True))
    setup.org.records.clear()
    setup.org.deleted = {LEAD}

    refresh(setup, EMAIL, sides=(Side.SALESFORCE,))

    assert setup.ledger.saves == []


def test_a_deleted_record_that_cannot_be_stored_puts_its_link_in_quarantine() -> None:
    setup = known_setup()
    setup.org.records.clear()
    setup.org.deleted = {LEAD}
    setup.ledger.too_large = {EMAIL}

    counts, _ = refresh(setup, EMAIL, sides=(Side.SALESFORCE,))

    assert counts["salesforce", "quarantined"] == 1


def problem(code: ProblemCode) -> RecordProblem:
    return RecordProblem(RecordKind.PLEZI_CONTACT, CONTACT, EMAIL, code, "phone is a list")


@pytest.mark.parametrize(
    ("code", "listed", "noted"),
    [
        (ProblemCode.UNREADABLE_RECORD, True, True),
        (ProblemCode.UNREADABLE_RECORD, False, False),
        (ProblemCode.NOT_VISIBLE, True, True),
        (ProblemCode.NOT_VISIBLE, False, True),
    ],
)
def test_a_record_that_cannot_be_read_is_noted_unless_a_form_comes_back(
    code: ProblemCode, *, listed: bool, noted: bool
) -> None:
    setup = known_setup()
    setup.plezi.records.clear()
    setup.plezi.problems = [problem(code)]

    counts, _ = refresh(setup, EMAIL, sides=(Side.PLEZI,), listed=listed)

    quarantine = setup.link(EMAIL).quarantine
    expected = {("plezi", "skipped.quarantined"): 1, ("plezi", "quarantined"): 1}
    assert counts == (expected if noted else {})
    assert (quarantine is not None and quarantine.code == code.value) is noted
    # The next run may find that the record can be read.
    assert setup.link(EMAIL).dirty is noted
    assert setup.ledger.dirty_emails(10) == ([EMAIL] if noted and not listed else [])


# E-mails that too many records had


def shared_setup(records: Sequence[Observation], present: Sequence[Observation]) -> SyncSetup:
    """Return a setup with a bound of two records, and a shared link."""
    setup = SyncSetup(max_records=2)
    setup.store(agreed(EMAIL, "1", *records, shared=True))
    setup.org.put(*(each for each in present if each.side is Side.SALESFORCE))
    setup.plezi.put(*(each for each in present if each.side is Side.PLEZI))
    return setup


FIRST, SECOND, THIRD = (lead(EMAIL, id=f"l{number}") for number in (1, 2, 3))


def test_records_take_part_again_when_they_are_no_more_than_the_bound() -> None:
    setup = shared_setup([FIRST, SECOND, THIRD], [FIRST, SECOND])

    _, found = refresh(setup, EMAIL)

    link = setup.link(EMAIL)
    assert (link.shared, link.dirty, set(link.record_ids)) == (False, True, {"l1", "l2"})
    assert link.base.keys() == {"l1", "l2"}
    assert (found, setup.ledger.dirty_emails(10)) == ([EMAIL], [])


@pytest.mark.parametrize(
    ("records", "present"),
    [
        ([FIRST, SECOND], [FIRST, SECOND, THIRD]),
        ([contact(EMAIL), FIRST], [contact(EMAIL), FIRST, SECOND]),
        ([contact(EMAIL), FIRST, SECOND], [contact(EMAIL), FIRST, SECOND]),
    ],
    ids=["three Leads", "a contact and two Leads", "a contact and two Leads that are known"],
)
def test_an_e_mail_stays_shared_while_more_records_have_it(
    records: list[Observation], present: list[Observation]
) -> None:
    setup = shared_setup(records, present)

    refresh(setup, EMAIL)

    assert setup.link(EMAIL).shared


def test_the_sharing_of_one_person_ends_beside_a_person_who_shared_nothing() -> None:
    setup = shared_setup([FIRST, SECOND, THIRD], [FIRST, SECOND])
    setup.store(agreed("0@x.fr"))

    refresh(setup, "0@x.fr", EMAIL)

    assert (setup.link("0@x.fr").shared, setup.link(EMAIL).shared) == (False, False)


def test_a_record_with_another_e_mail_does_not_count_for_the_bound() -> None:
    moved = replace(THIRD, email=OTHER, values={"Email": OTHER, "Phone": "1"})
    setup = shared_setup([FIRST, SECOND, THIRD], [FIRST, SECOND, moved])

    refresh(setup, EMAIL)

    assert not setup.link(EMAIL).shared
    assert setup.link(EMAIL).record_ids == {"l1", "l2"}


def test_only_a_reading_of_salesforce_ends_sharing() -> None:
    setup = shared_setup([contact(EMAIL), FIRST], [contact(EMAIL), FIRST])

    refresh(setup, EMAIL, sides=(Side.PLEZI,))
    assert setup.link(EMAIL).shared

    refresh(setup, EMAIL, sides=(Side.SALESFORCE,), listed=False)
    assert not setup.link(EMAIL).shared
    assert setup.ledger.dirty_emails(10) == [EMAIL]


def test_a_link_that_is_not_shared_is_not_stored_for_its_number_of_records() -> None:
    setup = known_setup()

    refresh(setup, EMAIL)

    assert [emails for emails, _ in setup.ledger.saves if emails] == []


def test_a_shared_link_that_cannot_be_stored_is_put_in_quarantine() -> None:
    setup = shared_setup([FIRST, SECOND, THIRD], [FIRST, SECOND])
    setup.ledger.too_large = {EMAIL}

    counts, _ = refresh(setup, EMAIL, sides=(Side.SALESFORCE,))

    assert counts["salesforce", "quarantined"] == 1
