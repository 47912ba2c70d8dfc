"""A field that disappears, comes back, or changes: it rests alone, and no edit of it is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, Direction, Line
from connector.model import RunState
from tests.component.stage import Stage

ANA = "ana@example.com"
SEGMENT = Line("segment", "segment__c", Direction.BOTH)


@pytest.fixture
def person(stage: Stage) -> str:
    """Ana, known to both sides, with a segment that travels both ways."""
    mapping = replace(DEFAULT_MAPPING, version=1, lines=(*DEFAULT_MAPPING.lines, SEGMENT))
    stage.world.configuration.save(mapping)  # type: ignore[attr-defined]
    contact = stage.add_person(email=ANA, last_name="Lopez", segment="smb", phone="111")
    stage.sync()
    return contact


def lead(stage: Stage) -> dict[str, Any]:
    answer = stage.salesforce("GET", "query", q="SELECT Id, Phone, segment__c FROM Lead")
    [row] = answer["records"]
    return dict(row)


def visible(stage: Stage, *, read: bool, edit: bool) -> None:
    body = {"read": read, "edit": edit, "username": stage.org.integration_user.username}
    stage.control("salesforce", "POST", "fields/Lead/segment__c/visibility", body)


def later(stage: Stage, seconds: int = 3600) -> None:
    for side in ("plezi", "salesforce"):
        stage.control(side, "POST", "clock", {"advance": seconds})


def test_a_hidden_field_is_parked_and_all_others_go_on(stage: Stage, person: str) -> None:
    visible(stage, read=False, edit=False)
    stage.edit_person(person, phone="222", segment="mid")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    assert lead(stage)["Phone"] == "222"
    assert set(stage.ledger.parked()) == {"segment__c"}
    assert "field-level security" in stage.ledger.parked()["segment__c"]


@pytest.mark.parametrize("side", ["plezi", "salesforce"])
def test_what_is_typed_while_a_field_is_hidden_arrives_when_it_is_back(
    stage: Stage, person: str, side: str
) -> None:
    visible(stage, read=False, edit=False)
    stage.edit_person(person, phone="222")
    stage.sync()
    if side == "plezi":
        stage.edit_person(person, segment="mid")
    else:
        stage.edit_lead(lead(stage)["Id"], segment__c="mid")
    stage.sync()
    later(stage)
    stage.sync()

    visible(stage, read=True, edit=True)
    for client in stage.world.clients.values():
        client.forget_schemas()
    stage.sync()

    assert lead(stage)["segment__c"] == stage.people()[ANA]["segment"] == "mid"
    assert stage.ledger.parked() == {}


def test_a_hidden_field_is_never_taken_for_a_cleared_one(stage: Stage, person: str) -> None:
    visible(stage, read=False, edit=False)
    stage.edit_lead(lead(stage)["Id"], Phone="333")
    stage.sync()
    visible(stage, read=True, edit=True)
    for client in stage.world.clients.values():
        client.forget_schemas()
    stage.edit_person(person, phone="444")

    stage.sync()

    assert lead(stage)["segment__c"] == stage.people()[ANA]["segment"] == "smb"


def test_a_field_that_may_not_be_edited_keeps_its_edits_waiting(stage: Stage, person: str) -> None:
    visible(stage, read=True, edit=False)
    stage.edit_person(person, segment="mid", phone="222")
    for client in stage.world.clients.values():
        client.forget_schemas()
    stage.sync()
    assert (lead(stage)["segment__c"], lead(stage)["Phone"]) == ("smb", "222")
    assert "segment__c" in stage.ledger.parked()

    visible(stage, read=True, edit=True)
    for client in stage.world.clients.values():
        client.forget_schemas()
    stage.sync()

    assert lead(stage)["segment__c"] == "mid"


def test_edit_access_lost_between_two_looks_parks_the_line_and_quarantines_nobody(
    stage: Stage, person: str
) -> None:
    visible(stage, read=True, edit=False)
    stage.edit_person(person, segment="mid", phone="222")

    stage.sync()
    stage.sync()

    assert lead(stage)["Phone"] == "222"
    assert stage.ledger.links([ANA])[ANA].quarantine is None
    assert "segment__c" in stage.ledger.parked()


def test_a_deleted_field_is_parked(stage: Stage, person: str) -> None:
    stage.control("salesforce", "DELETE", "fields/Lead/segment__c")
    stage.edit_person(person, phone="222")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    assert stage.leads()[0]["Phone"] == "222"
    assert "segment__c" in stage.ledger.parked()


def test_a_retyped_field_is_parked_and_a_type_that_fits_brings_it_back(
    stage: Stage, person: str
) -> None:
    stage.control("salesforce", "DELETE", "fields/Lead/segment__c")
    number = {"type": "Number", "label": "Segment", "precision": 8, "scale": 0}
    stage.control("salesforce", "POST", "fields/Lead", {"name": "segment__c", "Metadata": number})
    for client in stage.world.clients.values():
        client.forget_schemas()
    stage.edit_person(person, phone="222", segment="mid")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    assert lead(stage)["Phone"] == "222"
    assert stage.ledger.links([ANA])[ANA].quarantine is None
    assert "types that fit" in stage.ledger.parked()["segment__c"]


def test_an_attribute_withdrawn_in_plezi_is_parked(stage: Stage, person: str) -> None:
    stage.control("plezi", "DELETE", "attributes/segment")
    for client in stage.world.clients.values():
        client.forget_schemas()
    stage.edit_person(person, phone="222")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    assert lead(stage)["Phone"] == "222"
    assert lead(stage)["segment__c"] == "smb"
    assert "segment__c" in stage.ledger.parked()


def test_without_the_flag_field_no_contact_takes_part_and_leads_go_on(stage: Stage) -> None:
    stage.add_contact(Email="cleo@example.com", LastName="Noel", sync_to_plezi__c="yes")
    stage.control("salesforce", "DELETE", "fields/Contact/sync_to_plezi__c")
    stage.add_person(email=ANA, last_name="Lopez")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    assert [row["Email"] for row in stage.leads()] == [ANA]
    assert set(stage.people()) == {ANA}
    assert "Contact filter" in stage.ledger.parked()


def test_a_picklist_that_lost_a_value_refuses_that_person_only(stage: Stage, person: str) -> None:
    stage.control("salesforce", "PATCH", "fields/Lead/segment__c", {"values": ["smb"]})
    stage.edit_person(person, segment="mid")
    stage.add_person(email="bob@example.com", last_name="Roi", segment="smb")

    stage.sync()

    assert stage.ledger.waiting("quarantine", 10) == [ANA]
    assert {row["Email"] for row in stage.leads()} == {ANA, "bob@example.com"}


def test_what_a_side_says_of_its_fields_is_not_believed_for_ever(stage: Stage, person: str) -> None:
    clients = stage.world.clients.values()
    now = stage.world.clock()
    for client in clients:
        client._clock = lambda: now + 2 * 86_400  # type: ignore[attr-defined]
    visible(stage, read=True, edit=False)
    stage.edit_person(person, phone="222")

    stage.sync()

    assert "segment__c" in stage.ledger.parked()
