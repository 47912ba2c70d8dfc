"""The oracle judges a write by what the connector could know, and by what somebody typed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from connector.mapping import ConflictPolicy, Direction
from connector.model import JournalKind, MergeRule, RecordKind
from tests.simulation.history import excuses
from tests.simulation.watched_person import (
    CONTACT,
    EMAIL,
    LEAD,
    OTHER_LEAD,
    PERSON,
    Person,
    agreed,
    is_lost_silently,
    is_violated,
    mapping,
    swapped,
)


def met_a_contact_after_the_lead_was_deleted(*, second_lead_is_listed: bool) -> Person:
    """Return a person with a Contact and a second Lead, whose first Lead was deleted."""
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.records[LEAD] = replace(person.records[LEAD], deleted=True)
    person.add(CONTACT, RecordKind.CONTACT, Phone="2")
    if not second_lead_is_listed:
        person.oracle.leads_were_listed()
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="3")
    if second_lead_is_listed:
        person.oracle.leads_were_listed()
    person.read(PERSON, CONTACT)
    return person


def test_a_lead_that_was_created_after_the_list_was_read_is_unknown() -> None:
    person = met_a_contact_after_the_lead_was_deleted(second_lead_is_listed=False)
    person.lose(PERSON, "1", "2", MergeRule.CONTACT_WINS)
    person.write(PERSON, phone="2")
    person.oracle.check_journal()
    assert person.oracle.excused == Counter({excuses.UNREAD_LEAD: 1})

    person = met_a_contact_after_the_lead_was_deleted(second_lead_is_listed=False)
    is_lost_silently(person, lambda: person.write(PERSON, phone="2"))


def test_a_lead_that_was_listed_or_read_is_known() -> None:
    person = met_a_contact_after_the_lead_was_deleted(second_lead_is_listed=True)
    is_violated("7", lambda: person.write(PERSON, phone="2"))

    person = met_a_contact_after_the_lead_was_deleted(second_lead_is_listed=False)
    person.read(OTHER_LEAD)
    is_violated("7", lambda: person.write(PERSON, phone="2"))


def set_in_plezi(*, cleared_before_the_write: bool) -> Person:
    """Return a person whose phone was blank, is set in Plezi and written to the Lead.

    Its user may clear it between the reading and the write: the blank is the agreed value.
    """
    person = Person()
    person.type(PERSON, phone=None)
    person.type(LEAD, Phone=None)
    person.agree()
    person.type(PERSON, phone="1")
    person.read(PERSON, LEAD)
    if cleared_before_the_write:
        person.type(PERSON, phone=None)
    person.write(LEAD, Phone="1")
    person.read(PERSON, LEAD)
    return person


def test_a_value_that_is_taken_back_before_it_is_written_may_be_cleared_after_it() -> None:
    person = set_in_plezi(cleared_before_the_write=True)
    person.write(LEAD, Phone=None)
    assert person.records[LEAD].values["Phone"] is None

    person = set_in_plezi(cleared_before_the_write=False)
    is_violated("7", lambda: person.write(LEAD, Phone=None))

    person = set_in_plezi(cleared_before_the_write=True)
    person.type(LEAD, Phone="2")
    person.read(LEAD)
    is_violated("7", lambda: person.write(LEAD, Phone=None))


def test_a_creation_without_an_answer_is_known_by_the_values_that_it_sent() -> None:
    person = Person(mapping(ConflictPolicy.SALESFORCE_WINS))
    contact = person.records.pop(PERSON)
    person.type(LEAD, Phone="1")
    before = dict(person.records)
    person.oracle.stored = dict(before)
    body = {"data": {"attributes": {"email": EMAIL, "phone": "1"}}}
    person.oracle.check_request("POST", "path", json.dumps(body), before)
    person.records[PERSON] = replace(contact, values={**contact.values, "phone": "1"})
    person.oracle.check_changes(before, person.records, "POST path")
    person.oracle.note_unanswered()
    person.type(PERSON, phone="2")
    person.oracle.note_unanswered()  # another process crashes
    assert person.oracle.is_taken_for_another(LEAD)

    person.oracle.finish_run(frozenset({PERSON, LEAD}))
    person.oracle.note_unanswered()
    assert not person.oracle.is_taken_for_another(LEAD)


def met_a_new_contact(*, lead_had_agreed: bool) -> Person:
    """Return a person whose contact was deleted and created again; the Lead was cleared then."""
    person = agreed() if lead_had_agreed else Person()
    person.type(LEAD, Phone="1")
    person.oracle.forget_agreements_of(PERSON)
    person.type(PERSON, phone="2", updated_at="2026-11-25T10:00:00")
    person.type(LEAD, Phone=None, LastModifiedDate="2026-11-25T11:00:00")
    person.read(PERSON, LEAD)
    person.lose(PERSON, "2", None)
    return person


def test_a_clearing_is_known_where_the_cleared_value_had_been_agreed() -> None:
    person = met_a_new_contact(lead_had_agreed=True)
    person.write(PERSON, phone=None)
    person.oracle.check_journal()
    assert not person.oracle.excused

    person = met_a_new_contact(lead_had_agreed=False)
    is_violated("7", lambda: person.write(PERSON, phone=None))


def test_a_clearing_that_is_known_wins_by_the_policy_only() -> None:
    person = met_a_new_contact(lead_had_agreed=True)
    person.journal.clear()
    is_lost_silently(person, lambda: person.write(PERSON, phone=None))

    person = met_a_new_contact(lead_had_agreed=True)
    person.oracle.mappings[:] = [mapping(ConflictPolicy.PLEZI_WINS)]
    is_violated("7", lambda: person.write(PERSON, phone=None))


def joined_by_a_lead(*, contact_had_agreed: bool) -> Person:
    """Return a person whose contact was deleted unseen, with a Contact and a new Lead."""
    person = Person(mapping(ConflictPolicy.HOLD))
    del person.records[LEAD]
    person.oracle.stored = dict(person.records)
    person.add(CONTACT, RecordKind.CONTACT, Phone="1")
    person.type(PERSON, phone="1")
    if contact_had_agreed:
        person.agree()
    person.oracle.forget_agreements_of(PERSON)
    person.add(LEAD, RecordKind.LEAD, Phone="2")
    person.read(LEAD)
    person.lose(LEAD, "2", "1", MergeRule.JOINED)
    return person


def test_a_lead_joins_a_contact_that_agreed_with_a_record_which_was_deleted_unseen() -> None:
    person = joined_by_a_lead(contact_had_agreed=True)
    person.write(LEAD, Phone="1")
    person.oracle.check_journal()
    assert person.oracle.excused == Counter({excuses.JOINS: 1})

    person = joined_by_a_lead(contact_had_agreed=False)
    is_violated("7", lambda: person.write(LEAD, Phone="1"))


@pytest.mark.parametrize("is_read", [False, True])
def test_a_lead_joins_the_agreement_of_one_that_was_deleted_only_until_that_is_read(
    *, is_read: bool
) -> None:
    person = agreed(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="2")
    person.records[LEAD] = replace(person.records[LEAD], deleted=True)
    person.oracle.notice(person.records, "it was deleted")
    person.oracle.forget_agreements_of(LEAD)
    if is_read:
        person.read(LEAD)
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="7")
    person.read(OTHER_LEAD)
    person.lose(OTHER_LEAD, "7", "1", MergeRule.JOINED)
    if is_read:
        is_violated("7", lambda: person.write(OTHER_LEAD, Phone="1"))
    else:
        person.write(OTHER_LEAD, Phone="1")
        assert person.oracle.excused == Counter({excuses.JOINS: 1})


@pytest.mark.parametrize("has_agreed", [True, False])
def test_a_lead_joins_a_contact_that_has_the_company_of_its_account(*, has_agreed: bool) -> None:
    """No field of the Contact shows its company, so that its other fields tell of an agreement."""
    person = Person(mapping(ConflictPolicy.HOLD))
    person.records.pop(LEAD)
    person.oracle.stored = dict(person.records)
    person.add(CONTACT, RecordKind.CONTACT, Phone="1")
    person.type(PERSON, phone="1")
    if has_agreed:
        person.agree()
    person.type(PERSON, company="New SA")
    person.add(OTHER_LEAD, RecordKind.LEAD, Company="Old SA")
    person.read(PERSON, OTHER_LEAD)
    person.lose(OTHER_LEAD, "Old SA", "New SA", MergeRule.CHANGED, pair="Company")
    if has_agreed:
        person.write(OTHER_LEAD, Company="New SA")
        assert person.oracle.excused == Counter({excuses.JOINS: 1})
    else:
        is_violated("7", lambda: person.write(OTHER_LEAD, Company="New SA"))


def read_equal_after_the_ledger_was_lost(*, is_equal: bool) -> Person:
    """Return a person whose contact is typed in after it was read, and before its Lead is."""
    person = agreed(mapping(ConflictPolicy.HOLD))
    person.oracle.forget_all_agreements()
    if not is_equal:
        person.type(LEAD, Phone="3")
    person.read(PERSON)
    person.type(PERSON, phone="2")
    person.read(LEAD)
    person.read(PERSON)
    return person


def test_values_that_were_equal_when_they_were_read_may_be_agreed() -> None:
    person = read_equal_after_the_ledger_was_lost(is_equal=True)
    person.write(LEAD, Phone="2")
    assert person.oracle.excused == Counter({excuses.UNSURE: 1})

    person = read_equal_after_the_ledger_was_lost(is_equal=True)
    is_violated("7", lambda: person.write(PERSON, phone="1"))

    person = read_equal_after_the_ledger_was_lost(is_equal=False)
    is_violated("7", lambda: person.write(LEAD, Phone="2"))


def test_a_value_that_gives_way_on_the_sending_side_stays_there() -> None:
    person = Person(mapping(direction=Direction.TO_PLEZI))
    person.lose(LEAD, "1", "2", MergeRule.OLDEST_LEAD)
    person.oracle.check_journal()

    person = Person(mapping(direction=Direction.TO_SALESFORCE))
    person.lose(LEAD, "1", "2", MergeRule.OLDEST_LEAD)
    is_violated("38", person.oracle.check_journal)


def swapped_twice(policy: ConflictPolicy) -> Person:
    """Return a person whose phone was copied to the Lead's mobile by a mapping of some minutes."""
    person = Person(mapping(policy))
    person.type(PERSON, phone="1", mobile=None, updated_at="2026-11-25T10:00:00")
    person.type(LEAD, Phone=None, MobilePhone=None)
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="1")
    person.agree()
    person.type(PERSON, phone="2", updated_at="2026-11-25T12:00:00")
    first = mapping(policy)
    person.oracle.mappings[:] = [swapped(first)]
    person.read(PERSON, LEAD)
    person.write(LEAD, MobilePhone="2")
    person.write(PERSON, mobile="1")
    person.agree()
    person.oracle.mappings[:] = [first]
    person.read(PERSON, LEAD)
    return person


def test_a_copy_of_another_field_gives_way_by_the_policy_and_is_journaled() -> None:
    person = swapped_twice(ConflictPolicy.PLEZI_WINS)
    person.lose(LEAD, "2", "1", MergeRule.PLEZI_WINS, pair="MobilePhone")
    person.write(LEAD, MobilePhone="1")
    person.oracle.check_journal()

    person = swapped_twice(ConflictPolicy.PLEZI_WINS)
    is_lost_silently(person, lambda: person.write(LEAD, MobilePhone="1"))

    person = swapped_twice(ConflictPolicy.SALESFORCE_WINS)
    is_violated("7", lambda: person.write(LEAD, MobilePhone="1"))

    person = swapped_twice(ConflictPolicy.PLEZI_WINS)
    is_violated("7", lambda: person.write(PERSON, phone="1"))


def edited_in_an_unmapped_field(*, policy: ConflictPolicy = ConflictPolicy.NEWEST) -> Person:
    """Return a person in conflict, whose contact was edited last, in a field without a pair."""
    person = agreed(mapping(policy))
    person.oracle.suspended = lambda: {"newsletter_optout__c"}
    person.type(PERSON, phone="2", updated_at="2026-11-25T10:00:00")
    person.read(PERSON)
    person.type(LEAD, Phone="3", LastModifiedDate="2026-11-25T11:00:00")
    person.type(PERSON, newsletter_optout=True, updated_at="2026-11-25T12:00:00")
    person.read(PERSON, LEAD)
    person.lose(PERSON, "2", "3", MergeRule.NEWEST)
    return person


def test_an_edit_of_a_field_that_no_pair_has_does_not_make_a_record_newer() -> None:
    person = edited_in_an_unmapped_field()
    person.write(PERSON, phone="3")
    person.oracle.check_journal()
    assert person.oracle.excused == Counter({excuses.UNSEEN: 1})

    person = edited_in_an_unmapped_field()
    person.type(PERSON, mobile="7", updated_at="2026-11-25T12:30:00")
    person.read(PERSON)
    is_violated("7", lambda: person.write(PERSON, phone="3"))


def held_twice(*, older_is_journalled_last: bool) -> Person:
    """Return a person whose field is held; a paused process journals a hold from before it."""
    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    older = person.time
    person.type(PERSON, phone="3")
    person.read(PERSON)
    newer = person.time + 1
    times = (newer, older) if older_is_journalled_last else (older,)
    for at in times:
        person.time = at
        person.lose(PERSON, "3" if at == newer else "1", None, kind=JournalKind.HELD)
        person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    person.time = newer + 1
    person.type(LEAD, Phone="4")
    person.read(LEAD)
    person.lose(PERSON, "3", "4", MergeRule.EDITED)
    return person


def test_what_is_typed_ends_the_newest_hold() -> None:
    person = held_twice(older_is_journalled_last=True)
    person.write(PERSON, phone="4")
    person.oracle.check_journal()

    person = held_twice(older_is_journalled_last=False)
    is_violated("7", lambda: person.write(PERSON, phone="4"))


def typed_in_a_contact(*, before_it_was_read: bool) -> Person:
    """Return a person with a Contact, in which a user typed just before the connector wrote.

    Its first value had given way to that of the Lead, which is typed over at the same time.
    """
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.add(CONTACT, RecordKind.CONTACT, Phone="9")
    person.read(PERSON, LEAD, CONTACT)
    person.lose(CONTACT, "9", "1", MergeRule.PLEZI_WINS)
    person.agree()
    person.type(PERSON, phone="2")
    if before_it_was_read:
        person.type(CONTACT, Phone="3")
    person.read(PERSON, LEAD, CONTACT)
    if not before_it_was_read:
        person.type(CONTACT, Phone="3")
    person.write(LEAD, Phone="2")
    person.read(PERSON, LEAD, CONTACT)
    person.lose(PERSON, "2", "3", MergeRule.CONTACT_WINS)
    person.lose(LEAD, "2", "3", MergeRule.CONTACT_WINS)
    return person


def test_what_is_typed_in_a_contact_between_its_reading_and_a_write_is_an_edit_of_both() -> None:
    person = typed_in_a_contact(before_it_was_read=False)
    person.write(PERSON, phone="3")
    person.write(LEAD, Phone="3")
    person.oracle.check_journal()

    person = typed_in_a_contact(before_it_was_read=True)
    is_violated("7", lambda: person.write(PERSON, phone="3"))


def held_before_the_pairs_were_swapped(*, typed: str) -> Person:
    """Return a person whose phone was held; the Lead's phone is paired with the mobile now."""
    person = Person(mapping(ConflictPolicy.SALESFORCE_WINS))
    person.type(PERSON, phone="1", mobile=None)
    person.type(LEAD, Phone="2", MobilePhone=None)
    person.read(PERSON, LEAD)
    person.time += 1
    person.lose(PERSON, "1", None, kind=JournalKind.HELD)
    person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    first = person.oracle.mappings[-1]
    if typed == "mobile":
        person.oracle.mappings[:] = [swapped(first)]
    person.type(PERSON, **{typed: "3"})
    person.read(PERSON, LEAD)
    person.lose(PERSON, "3", "2", MergeRule.SALESFORCE_WINS)
    return person


def test_a_hold_of_another_field_does_not_show_what_is_paired_with_its_field_now() -> None:
    person = held_before_the_pairs_were_swapped(typed="mobile")
    person.write(PERSON, mobile="2")
    person.oracle.check_journal()

    person = held_before_the_pairs_were_swapped(typed="phone")
    is_violated("7", lambda: person.write(PERSON, phone="2"))
