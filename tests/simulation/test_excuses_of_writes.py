"""Each excuse of a write is narrow: a fault beside it is not excused."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from connector.mapping import ConflictPolicy, Direction, MappingConfig
from connector.model import JournalKind, MergeRule, RecordKind, Value
from local.world.both_sides import StoredRecord
from tests.simulation.history import excuses
from tests.simulation.history.oracle import Decision
from tests.simulation.watched_person import (
    CONTACT,
    EMAIL,
    LEAD,
    OTHER_LEAD,
    PERSON,
    RUN,
    Person,
    agreed,
    is_lost_silently,
    is_violated,
    mapping,
    swapped,
)


def test_only_what_was_typed_after_the_last_read_is_a_race() -> None:
    person = agreed()
    person.type(PERSON, phone="2")
    person.read(PERSON, LEAD)
    person.type(LEAD, Phone="3")
    person.write(LEAD, Phone="2")
    assert person.oracle.excused == Counter({excuses.RACE: 1})

    person = agreed()
    person.type(PERSON, phone="2")
    person.type(LEAD, Phone="3")
    person.read(PERSON, LEAD)
    is_lost_silently(person, lambda: person.write(LEAD, Phone="2"))


def test_an_uncertain_agreement_excuses_only_the_values_of_that_agreement() -> None:
    person = Person()
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="1")
    person.read(PERSON, LEAD)  # and the process crashes
    person.type(PERSON, phone="2")
    person.read(PERSON)
    person.write(LEAD, Phone="2")
    assert person.oracle.excused == Counter({excuses.UNSURE: 1})

    person = Person()
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="1")
    person.read(PERSON, LEAD)
    person.type(LEAD, Phone="3")
    person.type(PERSON, phone="2")
    person.read(PERSON, LEAD)
    is_lost_silently(person, lambda: person.write(LEAD, Phone="2"))


def test_a_record_that_joins_gives_way_only_with_an_entry_and_only_once() -> None:
    person = agreed()
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="7")
    person.read(OTHER_LEAD)
    person.write(OTHER_LEAD, Phone="1")
    is_violated("7", person.oracle.check_journal)

    person = agreed(mapping(ConflictPolicy.SALESFORCE_WINS))
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="7")
    person.read(OTHER_LEAD)
    person.lose(OTHER_LEAD, "7", "1", MergeRule.JOINED)
    person.write(OTHER_LEAD, Phone="1")
    assert person.oracle.excused == Counter({excuses.JOINS: 1})
    person.type(OTHER_LEAD, Phone="8")
    person.read(OTHER_LEAD)
    person.lose(OTHER_LEAD, "8", "1", MergeRule.JOINED)
    is_violated("7", lambda: person.write(OTHER_LEAD, Phone="1"))


@pytest.mark.parametrize("is_typed_over", [True, False])
def test_a_record_joins_an_edit_of_what_others_agreed_on_before_a_third_one_was_deleted(
    *, is_typed_over: bool
) -> None:
    person = Person(mapping(ConflictPolicy.SALESFORCE_WINS))
    person.add(CONTACT, RecordKind.CONTACT, Phone="1")
    person.type(PERSON, phone="0" if is_typed_over else "2")
    person.read(PERSON, CONTACT)
    if is_typed_over:
        person.lose(PERSON, "0", "1", MergeRule.CONTACT_WINS)
        person.write(PERSON, phone="1")
        person.type(PERSON, phone="2")
    person.records[LEAD] = replace(person.records[LEAD], deleted=True)
    person.oracle.notice(person.records, "it was deleted")
    person.oracle.forget_agreements_of(LEAD)
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="7")
    person.read(PERSON, LEAD, OTHER_LEAD)
    person.lose(OTHER_LEAD, "7", "2", MergeRule.CHANGED)
    if is_typed_over:
        person.write(OTHER_LEAD, Phone="2")
        assert person.oracle.excused[excuses.JOINS] == 1
    else:
        is_violated("7", lambda: person.write(OTHER_LEAD, Phone="2"))


def test_a_record_that_joins_fills_a_cleared_field_and_one_that_agreed_does_not() -> None:
    person = agreed()
    person.type(PERSON, phone=None)
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone=None)
    person.add(CONTACT, RecordKind.CONTACT, Phone="7")
    person.read(CONTACT)
    person.write(PERSON, phone="7")
    assert person.oracle.excused == Counter({excuses.FILLS: 1})

    person = agreed()
    person.type(PERSON, phone=None)
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(PERSON, phone="1"))


def test_what_two_new_leads_agree_on_fills_a_cleared_field() -> None:
    person = agreed()
    person.type(PERSON, phone=None)
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone=None)
    person.records[LEAD] = replace(person.records[LEAD], deleted=True)
    person.oracle.notice(person.records, "it was deleted")
    person.oracle.forget_agreements_of(LEAD)
    for lead, phone in ((OTHER_LEAD, "7"), ("00Q3", "8")):
        person.add(lead, RecordKind.LEAD, Phone=phone)
        person.read(lead)
    person.lose("00Q3", "8", "7", MergeRule.OLDEST_LEAD)
    person.write("00Q3", Phone="7")
    person.write(PERSON, phone="7")
    assert person.oracle.excused == Counter({excuses.OLDEST: 1, excuses.FILLS: 1})


def test_of_two_leads_that_meet_only_the_older_one_wins() -> None:
    person = Person()
    person.type(LEAD, Phone="1")
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="2")
    person.read(PERSON, LEAD, OTHER_LEAD)
    person.lose(OTHER_LEAD, "2", "1", MergeRule.OLDEST_LEAD)
    person.write(OTHER_LEAD, Phone="1")
    assert person.oracle.excused == Counter({excuses.OLDEST: 1})

    for is_read_again in (False, True):
        person = Person(mapping(ConflictPolicy.HOLD))
        person.type(LEAD, Phone="1")
        person.add(OTHER_LEAD, RecordKind.LEAD, Phone="2")
        person.read(PERSON, LEAD, OTHER_LEAD)
        person.records[LEAD] = replace(person.records[LEAD], deleted=True)
        person.oracle.notice(person.records, "it was deleted")
        person.oracle.forget_agreements_of(LEAD)
        person.lose(OTHER_LEAD, "2", "1", MergeRule.OLDEST_LEAD)
        if is_read_again:
            person.read(LEAD)
            is_violated("7", lambda: person.write(OTHER_LEAD, Phone="1"))  # noqa: B023
        else:
            person.write(OTHER_LEAD, Phone="1")

    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(LEAD, Phone="1")
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="2")
    person.read(PERSON, LEAD, OTHER_LEAD)
    person.lose(LEAD, "1", "2", MergeRule.OLDEST_LEAD)
    is_violated("7", lambda: person.write(LEAD, Phone="2"))


def test_a_cleared_field_is_filled_by_a_field_that_it_is_newly_mapped_to_and_by_no_other() -> None:
    person = Person()
    person.type(PERSON, phone="1", mobile="5")
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="1", MobilePhone="5")
    person.agree()
    person.type(PERSON, phone=None)
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(PERSON, phone="1"))

    first = mapping()
    person.oracle.mappings.append(swapped(first))
    person.write(PERSON, phone="5")
    assert person.oracle.excused == Counter({excuses.FILLS: 1})


def created_without_an_answer(
    policy: ConflictPolicy = ConflictPolicy.SALESFORCE_WINS, **typed: Value
) -> Person:
    """Return a person whose contact was created, without an answer, and typed in after that."""
    person = Person(mapping(policy))
    before = {LEAD: person.records.pop(LEAD)}
    contact = person.records.pop(PERSON)
    values = {"phone": "1", "last_name": "Ana"}
    person.records = dict(before)
    person.type(LEAD, Phone="1", LastName="Ana")
    before = dict(person.records)
    person.oracle.stored = dict(before)
    body = {"data": {"attributes": {"email": EMAIL, **values}}}
    person.oracle.check_request("POST", "path", json.dumps(body), before)
    person.records[PERSON] = replace(contact, values={**contact.values, **values})
    person.oracle.check_changes(before, person.records, "POST path")
    person.oracle.note_unanswered()
    person.type(PERSON, **typed)
    person.read(PERSON, LEAD)
    return person


def test_only_a_contact_with_none_of_its_created_values_is_taken_for_another() -> None:
    person = created_without_an_answer(phone="2", last_name=None)
    person.write(PERSON, last_name="Ana")
    assert person.oracle.excused == Counter({excuses.RETYPED: 1})

    person = created_without_an_answer(last_name=None)
    is_violated("7", lambda: person.write(PERSON, last_name="Ana"))

    person = created_without_an_answer(phone="2", last_name=None)
    person.oracle.finish_run(frozenset({PERSON, LEAD}))  # the creation was recovered
    is_violated("7", lambda: person.write(PERSON, last_name="Ana"))


@pytest.mark.parametrize("can_search", [False, True])
def test_a_clearing_is_filled_by_a_creation_without_an_answer_where_nothing_can_be_searched(
    *, can_search: bool
) -> None:
    person = created_without_an_answer()
    person.oracle.can_search = can_search
    person.type(LEAD, Phone=None, LastName="Lopez")
    person.read(PERSON, LEAD)
    if can_search:
        is_violated("7", lambda: person.write(LEAD, Phone="1"))
        return
    person.write(LEAD, Phone="1")
    assert person.oracle.excused == Counter({excuses.UNSEARCHED: 1})
    person.oracle.finish_run(frozenset({PERSON, LEAD}))  # it is known now
    person.type(LEAD, Phone=None)
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(LEAD, Phone="1"))


def overwritten_by_a_flow(value: str) -> Person:
    """Return a person whose Lead got a value from a flow within the connector's write of "2"."""
    person = agreed()
    person.type(PERSON, phone="2")
    person.type(LEAD, Phone="9")
    person.read(PERSON, LEAD)
    person.lose(LEAD, "9", "2", MergeRule.NEWEST)
    before = dict(person.records)
    body = {"records": [{"id": LEAD, "Phone": "2"}]}
    person.oracle.check_request("PATCH", "path", json.dumps(body), before)
    values = {**before[LEAD].values, "Phone": value, "LastModifiedDate": "later"}
    person.records[LEAD] = replace(before[LEAD], values=values)
    person.oracle.check_changes(before, person.records, "PATCH path")
    return person


def test_an_old_value_put_back_by_a_flow_excuses_only_an_unfinished_write() -> None:
    person = overwritten_by_a_flow("9")
    person.oracle.note_unanswered({(LEAD, "Phone")})
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="2")
    assert person.oracle.excused[excuses.OLD_VALUE_BACK] == 1

    for value, unfinished in (("9", "MobilePhone"), ("8", "Phone")):
        person = overwritten_by_a_flow(value)
        person.oracle.note_unanswered({(LEAD, unfinished)})
        person.read(PERSON, LEAD)
        act = partial(person.write, LEAD, Phone="2")
        is_violated("7", act)


def paused_while_a_form_arrives(policy: ConflictPolicy) -> Person:
    """Return a person whose conflict was decided before a form made the contact the newer one."""
    person = agreed(mapping(policy))
    person.type(PERSON, phone="2", updated_at="2026-11-25T10:00:00")
    person.type(LEAD, Phone="3", LastModifiedDate="2026-11-25T11:00:00")
    person.read(PERSON, LEAD)
    with person.oracle.observed.second_process():
        person.type(PERSON, mobile="7", updated_at="2026-11-25T12:00:00")
        person.read(PERSON)
    person.lose(PERSON, "2", "3", MergeRule.NEWEST)
    return person


def test_a_conflict_follows_the_times_that_the_paused_process_knew() -> None:
    person = paused_while_a_form_arrives(ConflictPolicy.NEWEST)
    person.write(PERSON, phone="3")
    person.oracle.check_journal()
    assert person.oracle.excused == Counter({excuses.RACE_OF_STAMP: 1})

    person = paused_while_a_form_arrives(ConflictPolicy.PLEZI_WINS)
    is_violated("7", lambda: person.write(PERSON, phone="3"))

    person = paused_while_a_form_arrives(ConflictPolicy.NEWEST)
    person.oracle.finish_run(frozenset())
    is_violated("7", lambda: person.write(PERSON, phone="3"))


def with_a_lead_that_missed_a_write(policy: ConflictPolicy, *, typed_in: str) -> Person:
    """Return a person of whom a value has reached one of two Leads, and the other had an edit."""
    person = agreed(mapping(policy))
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="1")
    person.agree()
    person.type(LEAD, Phone="3", LastModifiedDate="2026-11-25T10:00:00")
    if typed_in == PERSON:
        person.type(PERSON, phone="2")
        person.read(PERSON)
        person.write(OTHER_LEAD, Phone="2")
    else:
        person.type(OTHER_LEAD, Phone="2", LastModifiedDate="2026-11-25T11:00:00")
    person.read(PERSON, LEAD, OTHER_LEAD)
    person.lose(OTHER_LEAD, "2", "3", MergeRule.SALESFORCE_WINS)
    return person


def test_a_lead_with_a_value_typed_in_plezi_gives_way_by_the_policy_for_both_sides() -> None:
    person = with_a_lead_that_missed_a_write(ConflictPolicy.SALESFORCE_WINS, typed_in=PERSON)
    person.write(OTHER_LEAD, Phone="3")
    person.oracle.check_journal()
    assert person.oracle.checked["8 conflict is journaled"] == 1

    person = with_a_lead_that_missed_a_write(ConflictPolicy.SALESFORCE_WINS, typed_in=OTHER_LEAD)
    is_violated("7", lambda: person.write(OTHER_LEAD, Phone="3"))

    person = with_a_lead_that_missed_a_write(ConflictPolicy.HOLD, typed_in=PERSON)
    is_violated("7", lambda: person.write(OTHER_LEAD, Phone="3"))


@pytest.mark.parametrize("has_its_own_contact", [True, False])
def test_a_contact_wins_although_a_lead_that_agreed_before_is_now_another_contacts(
    *, has_its_own_contact: bool
) -> None:
    other = "bob@example.com"
    person = agreed(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="2")
    person.records[LEAD] = replace(person.records[LEAD], email=other)
    if has_its_own_contact:
        person.records["p-2"] = StoredRecord(
            RecordKind.PLEZI_CONTACT, "p-2", other, {"email": other}
        )
    person.add(CONTACT, RecordKind.CONTACT, Phone="3")
    person.read(PERSON, LEAD, CONTACT)
    person.lose(PERSON, "2", "3", MergeRule.CONTACT_WINS)

    if has_its_own_contact:
        person.write(PERSON, phone="3")
        person.oracle.check_journal()
    else:
        is_violated("7", lambda: person.write(PERSON, phone="3"))


@pytest.mark.parametrize("is_recorded", [True, False])
@pytest.mark.parametrize("has_left", [True, False])
def test_a_contact_wins_over_a_creation_without_an_answer_whose_lead_has_left(
    *, has_left: bool, is_recorded: bool
) -> None:
    """The connector cannot know that the contact was created for a Lead of another address."""
    person = created_without_an_answer(ConflictPolicy.PLEZI_WINS, phone="2")
    if is_recorded:
        person.oracle.finish_run(frozenset({PERSON, LEAD}))
    if has_left:
        person.records[LEAD] = replace(person.records[LEAD], email="bob@example.com")
    person.add(CONTACT, RecordKind.CONTACT, Phone="3")
    person.read(PERSON, LEAD, CONTACT)
    person.lose(PERSON, "2", "3", MergeRule.CONTACT_WINS)

    if has_left and not is_recorded:
        person.write(PERSON, phone="3")
    else:
        is_violated("7", lambda: person.write(PERSON, phone="3"))


def with_a_contact_that_was_left_behind(*, agreed_on: Value, edited_first: bool = False) -> Person:
    """Return a person whose contact in Plezi was edited, and whose Contact in Salesforce too.

    A run wrote the edit of Plezi to the Lead in between. `edited_first`: it had read both edits.
    The Lead is the record that a user edited last, in another field.
    """
    person = agreed(mapping(ConflictPolicy.NEWEST))
    person.add(CONTACT, RecordKind.CONTACT, Phone=agreed_on)
    if agreed_on == "1":
        person.agree()
    person.type(PERSON, phone="2", updated_at="2026-11-25T09:00:00")
    if edited_first:
        person.type(CONTACT, Phone="3", LastModifiedDate="2026-11-25T08:00:00")
        person.read(CONTACT)
    person.read(PERSON)
    person.write(LEAD, Phone="2")
    if not edited_first:
        person.type(CONTACT, Phone="3", LastModifiedDate="2026-11-25T10:00:00")
    person.type(LEAD, LastName="x", LastModifiedDate="2026-11-25T11:00:00")
    person.read(PERSON, LEAD, CONTACT)
    return person


def test_an_edit_of_a_contact_replaces_what_was_agreed_on_without_it_before() -> None:
    person = with_a_contact_that_was_left_behind(agreed_on="1")
    person.write(LEAD, Phone="3")
    person.write(PERSON, phone="3")
    assert not person.oracle.excused

    for other in (
        with_a_contact_that_was_left_behind(agreed_on="1", edited_first=True),
        with_a_contact_that_was_left_behind(agreed_on="9"),
    ):
        is_violated("7", partial(other.write, LEAD, Phone="3"))


def test_an_edit_of_a_contact_replaces_the_value_to_which_its_former_one_gave_way() -> None:
    person = with_a_contact_that_was_left_behind(agreed_on="9")
    person.lose(CONTACT, "9", "2")
    is_violated("7", lambda: person.write(LEAD, Phone="3"))

    person = with_a_contact_that_was_left_behind(agreed_on="9")
    person.time -= 2
    person.lose(CONTACT, "9", "2")
    person.time += 2
    person.write(LEAD, Phone="3")
    assert not person.oracle.excused


def typed_again_as_it_was_read(phone: str) -> Person:
    """Return a person whose phone "2" was typed over in both systems; last in Plezi, again."""
    person = agreed()
    person.type(PERSON, phone="2", updated_at="2026-11-25T10:00:00")
    person.read(PERSON)
    person.type(LEAD, Phone="3", LastModifiedDate="2026-11-25T11:00:00")
    person.type(PERSON, phone="9", updated_at="2026-11-25T12:00:00")
    person.type(PERSON, phone=phone, updated_at="2026-11-25T13:00:00")
    person.read(PERSON, LEAD)
    person.lose(PERSON, phone, "3", MergeRule.NEWEST)
    return person


def test_a_value_that_was_read_before_and_is_typed_again_shows_no_newer_edit() -> None:
    person = typed_again_as_it_was_read("2")
    person.write(PERSON, phone="3")
    person.oracle.check_journal()
    assert person.oracle.excused == Counter({excuses.UNSEEN: 1})

    person = typed_again_as_it_was_read("4")
    is_violated("7", lambda: person.write(PERSON, phone="3"))


def test_a_clearing_counts_although_a_record_of_the_person_was_deleted_and_restored() -> None:
    person = agreed()
    person.type(PERSON, phone=None)
    person.oracle.forget_agreements_of(LEAD)
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone=None)
    assert person.oracle.excused == Counter({excuses.UNSURE: 1})

    person = agreed()
    person.oracle.forget_agreements_of(LEAD)
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(LEAD, Phone=None))


def committed_after_the_hold(*, typed_before: bool) -> Person:
    """Return a person whose Lead was typed in before, or after, a hold showed both its values.

    A second process held the field later, with a value of the contact that it had read before.
    """
    person = Person(mapping(ConflictPolicy.NEWEST))
    person.type(PERSON, phone="0", updated_at="2026-11-25T09:00:00")
    person.type(PERSON, phone="1", updated_at="2026-11-25T12:00:00")
    person.type(LEAD, Phone="2", LastModifiedDate="2026-11-25T10:00:00")
    person.read(PERSON, LEAD)
    typed_at = person.time if typed_before else person.time + 9
    person.oracle.uncommitted[LEAD, "Phone"] = ("3", typed_at)
    for shown in ("1", "0"):
        person.time += 1
        person.lose(PERSON, shown, None, kind=JournalKind.HELD)
        person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    person.type(LEAD, Phone="3", LastModifiedDate="2026-11-25T11:00:00")
    person.read(PERSON, LEAD)
    person.lose(PERSON, "1", "3", MergeRule.EDITED)
    return person


@pytest.mark.parametrize("has_agreed", [True, False])
def test_a_lead_takes_the_value_of_another_one_if_its_own_was_typed_over_in_plezi(
    *, has_agreed: bool
) -> None:
    """A second Lead was typed in while it could not be written, and wins over Plezi's edit."""
    person = agreed(mapping(ConflictPolicy.SALESFORCE_WINS))
    person.add(OTHER_LEAD, RecordKind.LEAD, Phone="1")
    person.agree()
    person.type(OTHER_LEAD, Phone="2", LastModifiedDate="2026-11-25T08:00:00")
    person.type(LEAD, Phone="3", LastModifiedDate="2026-11-25T09:00:00")
    if has_agreed:
        person.read(PERSON, LEAD)
        person.write(PERSON, phone="3")
    person.type(PERSON, phone="4")
    person.read(PERSON, LEAD, OTHER_LEAD)
    person.lose(PERSON, "4", "2", MergeRule.SALESFORCE_WINS)

    if has_agreed:
        person.write(LEAD, Phone="2")
        person.write(PERSON, phone="2")
        person.oracle.check_journal()
    else:
        is_violated("7", lambda: person.write(LEAD, Phone="2"))


def typed_again_after_our_write(*, has_times: bool, seconds: float, phone: str) -> Person:
    """Return a person whose phone "2" in Plezi gave way to the "3" of the Lead, and was typed over.

    Some seconds after our write a user typed in Plezi, and then one in the Lead.
    """
    person = agreed(mapping(ConflictPolicy.SALESFORCE_WINS))
    person.oracle.has_times = has_times
    person.type(PERSON, phone="2")
    person.type(LEAD, Phone="3")
    person.read(PERSON, LEAD)
    person.lose(PERSON, "2", "3", MergeRule.SALESFORCE_WINS)
    person.write(PERSON, phone="3")
    person.time += seconds - 1
    person.type(PERSON, phone=phone)
    person.type(LEAD, Phone="4")
    person.read(PERSON, LEAD)
    return person


def test_without_times_what_a_write_replaced_is_no_edit_within_a_minute() -> None:
    person = typed_again_after_our_write(has_times=False, seconds=60.0, phone="2")
    person.write(PERSON, phone="4")
    person.oracle.check_journal()
    assert person.oracle.excused == Counter({excuses.REPLACED: 1})

    for other in (
        typed_again_after_our_write(has_times=True, seconds=60.0, phone="2"),
        typed_again_after_our_write(has_times=False, seconds=61.0, phone="2"),
        typed_again_after_our_write(has_times=False, seconds=60.0, phone="5"),
    ):
        is_lost_silently(other, partial(other.write, PERSON, phone="4"))

    late = typed_again_after_our_write(has_times=False, seconds=60.0, phone="2")
    late.time += 60.0
    is_lost_silently(late, lambda: late.write(PERSON, phone="4"))


@pytest.mark.parametrize("was_written", [True, False])
def test_a_clearing_is_known_once_the_value_before_it_is_in_both_systems(
    *, was_written: bool
) -> None:
    """A company is typed and cleared again in Plezi; a run that had read it writes it."""
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.type(PERSON, company="Acme")
    person.read(PERSON, LEAD)
    person.type(PERSON, company=None)
    if was_written:
        person.write(LEAD, Company="Acme")
    person.type(LEAD, Company="Other")
    person.read(PERSON, LEAD)
    person.lose(LEAD, "Other", None, MergeRule.PLEZI_WINS, pair="Company")

    if was_written:
        person.write(LEAD, Company="[unknown]")
        person.oracle.check_journal()
    else:
        is_violated("7", lambda: person.write(LEAD, Company="[unknown]"))


def test_a_transaction_that_commits_after_a_hold_was_typed_before_it() -> None:
    person = committed_after_the_hold(typed_before=True)
    person.write(PERSON, phone="3")
    assert person.oracle.excused == Counter({excuses.RACE_OF_HOLD: 1})

    person = committed_after_the_hold(typed_before=False)
    is_violated("7", lambda: person.write(PERSON, phone="3"))


def met_with_a_contact(address: str) -> Person:
    """Return a person whose Lead has this address when the contact meets a Contact.

    The ledger was lost before.
    """
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.oracle.forget_all_agreements()
    person.records[LEAD] = replace(person.records[LEAD], email=address)
    person.add(CONTACT, RecordKind.CONTACT, Phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON, CONTACT)
    person.lose(PERSON, "3", "2", MergeRule.CONTACT_WINS)
    return person


def test_after_a_lost_ledger_a_lead_with_another_address_is_another_person() -> None:
    met_with_a_contact("else@example.com").write(PERSON, phone="2")
    person = met_with_a_contact(EMAIL)
    is_violated("7", lambda: person.write(PERSON, phone="2"))


@pytest.mark.parametrize("has_agreed", [True, False])
def test_a_lead_whose_address_changed_before_it_met_anybody_is_another_person(
    *, has_agreed: bool
) -> None:
    person = Person(mapping(ConflictPolicy.PLEZI_WINS))
    person.type(PERSON, phone="3")
    if has_agreed:
        person.type(LEAD, Phone="3")
        person.agree()
    person.records[LEAD] = replace(person.records[LEAD], email="else@example.com")
    person.add(CONTACT, RecordKind.CONTACT, Phone="2")
    person.read(PERSON, CONTACT)
    person.lose(PERSON, "3", "2", MergeRule.CONTACT_WINS)
    if has_agreed:
        is_violated("7", lambda: person.write(PERSON, phone="2"))
    else:
        person.write(PERSON, phone="2")


def held_before_the_clock_was_set(*, back: bool) -> Person:
    """Return a person whose values were held by a clock that was set back since they were typed."""
    person = Person(mapping(ConflictPolicy.HOLD))
    person.time = 100
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    if back:
        person.time = 50
        person.oracle.clock_was_set()
    person.lose(PERSON, "1", None, kind=JournalKind.HELD)
    person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    if not back:
        person.journal = [replace(it, at=50) for it in person.journal]
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    person.lose(LEAD, "2", "3", MergeRule.EDITED)
    return person


def test_what_a_hold_shows_was_typed_before_it_although_the_clock_was_set_back() -> None:
    held_before_the_clock_was_set(back=True).write(LEAD, Phone="3")
    person = held_before_the_clock_was_set(back=False)
    is_violated("7", lambda: person.write(LEAD, Phone="3"))


@pytest.mark.parametrize("typed", ["2", "3"])
def test_a_value_gives_way_to_one_that_a_user_typed_too_since_the_last_reading(typed: str) -> None:
    person = agreed()
    person.type(PERSON, phone="2")
    person.read(PERSON, LEAD)
    person.type(LEAD, Phone="2")
    person.oracle.check_request("PATCH", "path", sent_to_lead(typed), dict(person.records))
    person.lose(LEAD, "1", typed, MergeRule.NEWEST)

    if typed == "2":
        person.oracle.check_journal()
    else:
        is_violated("38", person.oracle.check_journal)


def sent_to_lead(phone: str) -> str:
    """Return the body of a write of a phone to the Lead."""
    return json.dumps({"records": [{"id": LEAD, "Phone": phone}]})


def test_only_a_lead_that_has_left_gives_way_without_a_write() -> None:
    person = agreed()
    person.type(LEAD, Phone=None)
    person.lose(LEAD, None, "2", MergeRule.NEWEST)
    is_violated("38", person.oracle.check_journal)
    person.records[LEAD] = replace(person.records[LEAD], converted=True)
    person.oracle.notice(person.records, "the Lead was converted")
    person.oracle.check_journal()


def typed_before_the_hold_is_stored(shown: str) -> Person:
    """Return a person whose phone was typed again before the hold with this value was stored."""
    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.type(PERSON, phone="3")
    person.time += 1
    person.lose(PERSON, shown, None, kind=JournalKind.HELD)
    person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    person.read(PERSON, LEAD)
    person.lose(LEAD, "2", "3", MergeRule.EDITED)
    return person


def test_a_value_typed_before_its_hold_was_stored_ends_only_that_hold() -> None:
    person = typed_before_the_hold_is_stored(shown="1")
    person.write(LEAD, Phone="3")
    assert person.oracle.excused == Counter({excuses.RACE_OF_HOLD: 1})

    person = typed_before_the_hold_is_stored(shown="3")
    is_violated("7", lambda: person.write(LEAD, Phone="3"))


def cleared_before_the_hold_is_stored(shown: str) -> Person:
    """Return a person whose phone was cleared before the hold with this value was stored."""
    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.type(PERSON, phone=None)
    person.time += 1
    person.lose(PERSON, shown, None, kind=JournalKind.HELD)
    person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    person.read(PERSON, LEAD)
    person.lose(LEAD, "2", None, MergeRule.EDITED)
    return person


def test_a_clearing_before_its_hold_was_stored_ends_only_that_hold() -> None:
    person = cleared_before_the_hold_is_stored(shown="1")
    person.write(LEAD, Phone=None)
    assert person.oracle.excused == Counter({excuses.RACE_OF_HOLD: 1})

    person = cleared_before_the_hold_is_stored(shown="3")
    is_violated("7", lambda: person.write(LEAD, Phone=None))


def test_a_lost_ledger_excuses_only_the_losses_of_unfinished_writes() -> None:
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.type(PERSON, phone="2")
    person.type(LEAD, Phone="3")
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="2")

    person.oracle.forget_losses_of({"another run"})
    is_violated("7", person.oracle.check_journal)

    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.type(PERSON, phone="2")
    person.type(LEAD, Phone="3")
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="2")
    person.oracle.forget_losses_of({RUN})
    person.oracle.check_journal()
    assert person.oracle.excused[excuses.LOST_INTENT] == 1


def test_an_address_gives_way_only_to_one_typed_over_the_same_address() -> None:
    person = Person()
    person.type(PERSON, email="zoe@example.com")
    person.read(PERSON, LEAD)
    person.write(LEAD, Email="zoe@example.com")
    assert not person.oracle.losses

    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, email="zoe@example.com")
    person.type(LEAD, Email="leo@example.com")
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(LEAD, Email="zoe@example.com"))


def test_the_receiving_side_of_a_one_way_pair_gives_way_with_an_entry() -> None:
    person = Person(mapping(direction=Direction.TO_PLEZI))
    person.type(PERSON, phone="1")
    is_violated("11", lambda: person.write(LEAD, Phone="1"))
    person = Person(mapping(direction=Direction.TO_PLEZI))
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.write(PERSON, phone="2")
    is_violated("7", person.oracle.check_journal)
    person.lose(PERSON, "1", "2", MergeRule.ONE_WAY)


def overwritten_while_pairs_are_swapped(journaled: str) -> Person:
    """Return a person whose phone gave way to the mobile phone of the Lead, to which it is mapped.

    The journal names this pair of fields.
    """
    first = mapping(ConflictPolicy.SALESFORCE_WINS)
    person = agreed(first)
    person.oracle.mappings.append(swapped(first))
    person.type(PERSON, phone="2")
    person.type(LEAD, MobilePhone="3")
    person.read(PERSON, LEAD)
    person.lose(PERSON, "2", "3", MergeRule.SALESFORCE_WINS, pair=journaled)
    person.write(PERSON, phone="3")
    return person


def test_the_journal_names_the_pair_of_the_version_of_the_mapping_that_was_used() -> None:
    overwritten_while_pairs_are_swapped("MobilePhone").oracle.check_journal()
    is_violated("7", overwritten_while_pairs_are_swapped("Title").oracle.check_journal)


def called_one_way(*newer: MappingConfig) -> Person:
    """Return a person whose conflict in a two-way pair is journaled as one of a one-way pair."""
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.oracle.mappings.extend(newer)
    person.type(LEAD, Phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    person.lose(LEAD, "2", "3", MergeRule.ONE_WAY)
    person.write(LEAD, Phone="3")
    return person


def test_a_lost_conflict_of_a_two_way_pair_is_not_called_one_way() -> None:
    is_violated("8", called_one_way().oracle.check_journal)
    is_violated("8", called_one_way(mapping()).oracle.check_journal)


def test_a_pair_whose_direction_changes_during_a_run_may_be_called_one_way() -> None:
    called_one_way(mapping(direction=Direction.TO_SALESFORCE)).oracle.check_journal()


def test_the_value_of_an_unfinished_write_typed_by_a_user_excuses_that_field_only() -> None:
    person = agreed()
    person.type(LEAD, Phone="2", MobilePhone="5")
    person.oracle.history.weaken((LEAD, "Phone"))
    person.type(PERSON, phone="3", mobile="6")
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="3")
    assert person.oracle.excused == Counter({excuses.UNSURE: 1})
    is_lost_silently(person, lambda: person.write(LEAD, MobilePhone="6"))


def test_a_decision_excuses_only_what_the_admin_was_shown() -> None:
    def held() -> Person:
        person = agreed(mapping(ConflictPolicy.HOLD))
        person.type(LEAD, Phone="2")
        person.type(PERSON, phone="3")
        person.read(PERSON, LEAD)
        person.oracle.decisions.append(Decision("Phone", PERSON, person.oracle.order))
        return person

    person = held()
    person.write(LEAD, Phone="3")
    is_violated("7", person.oracle.check_journal)  # the journal is silent
    person.lose(LEAD, "2", "3", MergeRule.CHOSEN)
    person.oracle.check_journal()

    person = held()
    person.type(LEAD, Phone="4")
    person.read(LEAD)
    is_violated("7", lambda: person.write(LEAD, Phone="3"))


def test_what_is_typed_after_a_hold_was_shown_replaces_what_was_shown() -> None:
    def held() -> Person:
        person = agreed(mapping(ConflictPolicy.HOLD))
        person.type(LEAD, Phone="2")
        person.type(PERSON, phone="3")
        person.read(PERSON, LEAD)
        person.lose(LEAD, "2", "2", kind=JournalKind.HELD)
        person.lose(PERSON, "3", "3", kind=JournalKind.HELD)
        return person

    person = held()
    person.type(LEAD, Phone="4")
    person.read(LEAD)
    person.write(PERSON, phone="4")

    person = held()
    person.type(PERSON, phone="5")  # no hold showed this one
    person.type(LEAD, Phone="4")
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(PERSON, phone="4"))


@pytest.mark.parametrize("stored", [True, False])
def test_a_hold_that_its_process_did_not_store_was_shown_to_nobody(*, stored: bool) -> None:
    person = agreed(mapping(ConflictPolicy.HOLD))
    person.type(LEAD, Phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    for record, shown in ((LEAD, "2"), (PERSON, "3")):
        person.lose(record, shown, None, kind=JournalKind.HELD)
    person.oracle.note_holds({(LEAD, "Phone"), (PERSON, "Phone")} if stored else set())
    person.type(LEAD, Phone="1")
    person.read(PERSON, LEAD)

    if stored:
        is_violated("7", lambda: person.write(LEAD, Phone="3"))
    else:
        person.write(LEAD, Phone="3")


def test_after_a_lost_ledger_different_values_are_in_conflict_and_equal_ones_agree() -> None:
    person = agreed()
    person.type(PERSON, phone="2")
    person.oracle.forget_all_agreements()
    person.read(PERSON, LEAD)
    is_lost_silently(person, lambda: person.write(LEAD, Phone="2"))


def test_a_value_of_another_person_is_never_excused() -> None:
    person = agreed()
    person.records["p-2"] = StoredRecord(
        RecordKind.PLEZI_CONTACT, "p-2", "bob@example.com", {"phone": "8"}
    )
    person.oracle.same_person("p-2", "bob@example.com")
    person.oracle.notice(person.records, "another person")
    is_violated("14", lambda: person.write(LEAD, Phone="8"))


def test_a_creation_never_overwrites_a_lead() -> None:
    person = agreed()
    person.type(PERSON, phone="2")
    person.read(PERSON, LEAD)
    person.type(LEAD, Phone="3")
    before = dict(person.records)
    body = {"records": [{"Email": EMAIL, "Phone": "2"}]}
    person.oracle.check_request("PATCH", "path", json.dumps(body), before)
    stored = person.records[LEAD]
    person.records[LEAD] = replace(stored, values={**stored.values, "Phone": "2"})
    is_lost_silently(
        person, lambda: person.oracle.check_changes(before, person.records, "PATCH path")
    )
