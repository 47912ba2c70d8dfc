"""The oracle judges a write by what the connector could know, and by what somebody typed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from connector.mapping import ConflictPolicy
from connector.model import MergeRule, RecordKind
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
