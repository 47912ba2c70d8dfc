"""A field that disappears, returns or changes: only its pair is suspended, no edit is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import AttentionKind, RunState
from tests.component.harness import Harness

ANA = "ana@example.com"
SEGMENT = FieldPair("segment", "segment__c", Direction.BOTH)


@pytest.fixture
def person(harness: Harness) -> str:
    """Ana, known to both sides, with a segment that is synchronized both ways."""
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, SEGMENT))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]
    contact = harness.add_person(email=ANA, last_name="Lopez", segment="smb", phone="111")
    harness.sync()
    return contact


def lead(harness: Harness) -> dict[str, Any]:
    response = harness.salesforce("GET", "query", q="SELECT Id, Phone, segment__c FROM Lead")
    [row] = response["records"]
    return dict(row)


def set_visibility(harness: Harness, *, read: bool, edit: bool) -> None:
    body = {"read": read, "edit": edit, "username": harness.org.integration_user.username}
    harness.control("salesforce", "POST", "fields/Lead/segment__c/visibility", body)


def advance_both_clocks(harness: Harness, seconds: int = 3600) -> None:
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"advance": seconds})


def test_a_hidden_field_is_suspended_and_all_others_are_synchronized(
    harness: Harness, person: str
) -> None:
    set_visibility(harness, read=False, edit=False)
    harness.edit_person(person, phone="222", segment="mid")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead(harness)["Phone"] == "222"
    assert set(harness.ledger.suspended_pairs()) == {"segment__c"}
    assert "field-level security" in harness.ledger.suspended_pairs()["segment__c"]


@pytest.mark.parametrize("side", ["plezi", "salesforce"])
def test_an_edit_of_a_hidden_field_is_synchronized_when_the_field_is_visible_again(
    harness: Harness, person: str, side: str
) -> None:
    set_visibility(harness, read=False, edit=False)
    harness.edit_person(person, phone="222")
    harness.sync()
    if side == "plezi":
        harness.edit_person(person, segment="mid")
    else:
        harness.edit_lead(lead(harness)["Id"], segment__c="mid")
    harness.sync()
    advance_both_clocks(harness)
    harness.sync()

    set_visibility(harness, read=True, edit=True)
    for client in harness.context.clients.values():
        client.invalidate_schemas()
    harness.sync()

    assert lead(harness)["segment__c"] == harness.people()[ANA]["segment"] == "mid"
    assert harness.ledger.suspended_pairs() == {}


def test_a_hidden_field_is_never_handled_as_cleared(harness: Harness, person: str) -> None:
    set_visibility(harness, read=False, edit=False)
    harness.edit_lead(lead(harness)["Id"], Phone="333")
    harness.sync()
    set_visibility(harness, read=True, edit=True)
    for client in harness.context.clients.values():
        client.invalidate_schemas()
    harness.edit_person(person, phone="444")

    harness.sync()

    assert lead(harness)["segment__c"] == harness.people()[ANA]["segment"] == "smb"


def test_an_edit_of_a_read_only_field_waits_for_edit_access(harness: Harness, person: str) -> None:
    set_visibility(harness, read=True, edit=False)
    harness.edit_person(person, segment="mid", phone="222")
    for client in harness.context.clients.values():
        client.invalidate_schemas()
    harness.sync()
    assert (lead(harness)["segment__c"], lead(harness)["Phone"]) == ("smb", "222")
    assert "segment__c" in harness.ledger.suspended_pairs()

    set_visibility(harness, read=True, edit=True)
    for client in harness.context.clients.values():
        client.invalidate_schemas()
    harness.sync()

    assert lead(harness)["segment__c"] == "mid"


def test_edit_access_lost_between_two_describes_suspends_the_pair_and_quarantines_no_link(
    harness: Harness, person: str
) -> None:
    set_visibility(harness, read=True, edit=False)
    harness.edit_person(person, segment="mid", phone="222")

    harness.sync()
    harness.sync()

    assert lead(harness)["Phone"] == "222"
    assert harness.ledger.load_links([ANA])[ANA].quarantine is None
    assert "segment__c" in harness.ledger.suspended_pairs()


def test_a_deleted_field_is_suspended(harness: Harness, person: str) -> None:
    harness.control("salesforce", "DELETE", "fields/Lead/segment__c")
    harness.edit_person(person, phone="222")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.leads()[0]["Phone"] == "222"
    assert "segment__c" in harness.ledger.suspended_pairs()


def test_a_field_whose_type_changed_is_suspended(harness: Harness, person: str) -> None:
    harness.control("salesforce", "DELETE", "fields/Lead/segment__c")
    number = {"type": "Number", "label": "Segment", "precision": 8, "scale": 0}
    harness.control("salesforce", "POST", "fields/Lead", {"name": "segment__c", "Metadata": number})
    for client in harness.context.clients.values():
        client.invalidate_schemas()
    harness.edit_person(person, phone="222", segment="mid")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead(harness)["Phone"] == "222"
    assert harness.ledger.load_links([ANA])[ANA].quarantine is None
    assert "do not fit" in harness.ledger.suspended_pairs()["segment__c"]


def test_an_attribute_deleted_in_plezi_is_suspended(harness: Harness, person: str) -> None:
    harness.control("plezi", "DELETE", "attributes/segment")
    for client in harness.context.clients.values():
        client.invalidate_schemas()
    harness.edit_person(person, phone="222")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead(harness)["Phone"] == "222"
    assert lead(harness)["segment__c"] == "smb"
    assert "segment__c" in harness.ledger.suspended_pairs()


def test_without_the_flag_field_no_contact_takes_part_and_leads_are_synchronized(
    harness: Harness,
) -> None:
    harness.add_contact(Email="cleo@example.com", LastName="Noel", sync_to_plezi__c="yes")
    harness.control("salesforce", "DELETE", "fields/Contact/sync_to_plezi__c")
    harness.add_person(email=ANA, last_name="Lopez")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert [row["Email"] for row in harness.leads()] == [ANA]
    assert set(harness.people()) == {ANA}
    assert "Contact filter" in harness.ledger.suspended_pairs()


def test_a_picklist_that_lost_a_value_refuses_only_the_contact_with_this_value(
    harness: Harness, person: str
) -> None:
    harness.control("salesforce", "PATCH", "fields/Lead/segment__c", {"values": ["smb"]})
    harness.edit_person(person, segment="mid")
    harness.add_person(email="bob@example.com", last_name="Roi", segment="smb")

    harness.sync()

    assert harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 10) == [ANA]
    assert {row["Email"] for row in harness.leads()} == {ANA, "bob@example.com"}


def test_a_describe_expires(harness: Harness, person: str) -> None:
    harness.let_pass(2 * 86_400)
    set_visibility(harness, read=True, edit=False)
    harness.edit_person(person, phone="222")

    harness.sync()

    assert "segment__c" in harness.ledger.suspended_pairs()
