"""Rules, flows and features of an org: what happens to people, and what the admin can read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import AttentionKind, Quarantine, RunState
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import (
    ANA,
    BOB,
    advance_clocks,
    lead_of,
    next_run_writes_nothing,
)

SEGMENT = FieldPair("segment", "segment__c", Direction.BOTH)
COUNTRY = FieldPair("segment", "Country", Direction.TO_SALESFORCE)


def map_also(harness: Harness, pair: FieldPair) -> None:
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, pair))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def switch_on(harness: Harness, feature: str) -> None:
    harness.control("salesforce", "POST", "features", {"feature": feature})


def add_rule(harness: Harness, **rule: str) -> None:
    harness.control("salesforce", "POST", "validation_rules", {"object": "Lead", **rule})


def quarantine_of(harness: Harness, email: str = ANA) -> Quarantine:
    """Return the quarantine of a person, the only one who is listed."""
    assert harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 10) == [email]
    quarantine = harness.ledger.load_links([email])[email].quarantine
    assert quarantine is not None
    return quarantine


# Validation rules


def test_a_validation_rule_about_a_field_holds_this_field_only(harness: Harness, ana: str) -> None:
    add_rule(harness, condition="Phone = '222'", message="Call the desk", field="Phone")
    harness.edit_person(ana, phone="222", mobile="777")

    harness.sync()

    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("111", "777")
    refused = quarantine_of(harness)
    assert (refused.code, refused.fields) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", ("Phone",))
    assert "a validation rule of the org refuses the record" in refused.remedy
    assert refused.remedy.endswith("Salesforce's message: Call the desk")


def test_the_message_of_a_trigger_is_in_the_review_queue_cut_and_in_one_line(
    harness: Harness, ana: str, admin_client: AdminClient
) -> None:
    message = "Only the desk\n may change   this: " + "x" * 300
    record_error = {"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": message}
    fault = {"kind": "record_error", "count": None, "parameters": record_error}
    harness.control("salesforce", "POST", "faults", fault)
    harness.edit_person(ana, phone="222")
    harness.sync()

    [person] = admin_client.request_ok("GET", "/admin/attention", kind="quarantine")["people"]

    words = person["quarantine"]["remedy"].partition("Salesforce's message: ")[2]
    assert words.startswith("Only the desk may change this: x")
    assert (len(words), words[-1]) == (255, "…")


def test_a_validation_rule_about_a_record_stops_nobody_else(harness: Harness, ana: str) -> None:
    add_rule(harness, condition="LastName = 'Lopez'", message="Ask the owner of the account")
    harness.edit_person(ana, phone="222")
    harness.add_person(email=BOB, last_name="Bob")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead_of(harness)["Phone"] == "111"
    assert len(harness.leads(BOB)) == 1
    assert quarantine_of(harness).code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


# Flows


def test_a_value_that_a_flow_rewrites_reaches_plezi_once(harness: Harness, ana: str) -> None:
    flow = {"object": "Lead", "values": {"Phone": "+33 2"}, "condition": "Phone = '222'"}
    harness.control("salesforce", "POST", "flows", flow)
    harness.edit_person(ana, phone="222")
    harness.sync()
    assert lead_of(harness)["Phone"] == "+33 2"
    advance_clocks(harness)

    harness.sync()

    assert harness.people()[ANA]["phone"] == "+33 2"
    advance_clocks(harness)
    assert next_run_writes_nothing(harness)
    assert lead_of(harness)["Phone"] == "+33 2"


# Features


def test_a_value_that_a_record_type_does_not_have_holds_this_field_only(harness: Harness) -> None:
    map_also(harness, SEGMENT)
    harness.control(
        "salesforce",
        "POST",
        "record_types/Lead",
        {"name": "Partner", "default": True, "values": {"segment__c": ["smb"]}},
    )
    harness.add_person(email=ANA, last_name="Lopez", segment="large", phone="111")
    harness.add_person(email=BOB, last_name="Bob", segment="smb")

    harness.sync()

    assert lead_of(harness)["Phone"] == "111"
    rows = harness.salesforce("GET", "query", q="SELECT Email, segment__c FROM Lead")["records"]
    assert {row["Email"]: row["segment__c"] for row in rows} == {ANA: None, BOB: "smb"}
    refused = quarantine_of(harness)
    assert refused.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert refused.fields == ("segment__c",)


def test_a_country_that_is_not_in_the_picklist_holds_this_field_only(
    harness: Harness, ana: str
) -> None:
    switch_on(harness, "state_and_country_picklists")
    map_also(harness, COUNTRY)
    harness.edit_person(ana, segment="mid", phone="222")

    harness.sync()

    assert lead_of(harness)["Phone"] == "222"
    refused = quarantine_of(harness)
    assert (refused.code, refused.fields) == ("FIELD_INTEGRITY_EXCEPTION", ("Country",))
    assert "state and country lists" in refused.remedy


def test_the_contact_of_a_person_account_is_read_like_any_other(harness: Harness) -> None:
    switch_on(harness, "person_accounts")
    body = {"FirstName": "Ana", "LastName": "Lopez", "PersonEmail": ANA}
    harness.salesforce("POST", "sobjects/Account", body)
    [contact] = harness.salesforce("GET", "query", q="SELECT Id FROM Contact")["records"]
    harness.control(
        "salesforce",
        "PATCH",
        f"records/Contact/{contact['Id']}",
        {"values": {"sync_to_plezi__c": "yes"}, "as_system": True},
    )

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    person = harness.people()[ANA]
    assert (person["first_name"], person["last_name"]) == ("Ana", "Lopez")
    assert harness.leads() == []


@pytest.mark.parametrize("feature", ["person_accounts", "multi_currency"])
def test_a_feature_that_adds_fields_changes_nothing_for_leads(
    harness: Harness, ana: str, feature: str
) -> None:
    switch_on(harness, feature)
    harness.edit_person(ana, phone="222")
    harness.add_person(email=BOB, last_name="Bob")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead_of(harness)["Phone"] == "222"
    assert len(harness.leads(BOB)) == 1
    advance_clocks(harness)
    assert next_run_writes_nothing(harness)


# Pages


def test_all_people_arrive_from_an_org_that_shortens_its_pages(harness: Harness) -> None:
    for at in range(5):
        harness.add_lead(Email=f"p{at}@example.com")
    parameters = {"size": 2}
    fault = {"kind": "short_page", "count": None, "parameters": parameters}
    harness.control("salesforce", "POST", "faults", fault)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert {f"p{at}@example.com" for at in range(5)} <= harness.people().keys()
    assert harness.calls("salesforce")["calls"]["query_more"] >= 2
