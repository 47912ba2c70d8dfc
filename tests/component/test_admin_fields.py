"""The fields of both sides, and the set-up of the Salesforce fields that the product needs."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.component.admin_client import AdminClient
from tests.component.harness import REGION, Harness

PRODUCT_FIELDS = [
    ("Lead", "plezi_url__c"),
    ("Lead", "score__c"),
    ("Lead", "status__c"),
    ("Contact", "sync_to_plezi__c"),
]
SETUP = "/admin/setup/salesforce-fields"
INTEGRATION = "integration@acme.example"


def named(fields: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in fields}


def states(result: dict[str, Any]) -> dict[str, str]:
    return {f"{field['object']}.{field['name']}": field["state"] for field in result["fields"]}


def outcomes(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["kind"], step["subject"], step["outcome"]) for step in result["steps"]]


def delete_fields(harness: Harness, *fields: tuple[str, str]) -> None:
    for kind, name in fields:
        harness.control("salesforce", "DELETE", f"fields/{kind}/{name}")


def test_the_fields_of_both_sides_are_listed_with_their_properties(
    admin_client: AdminClient,
) -> None:
    fields = admin_client.request_ok("GET", "/admin/fields")

    plezi, lead, contact = (named(fields[side]) for side in ("plezi", "lead", "contact"))
    assert plezi["email"]["required"]
    assert plezi["email"]["type"] == "email"
    assert not plezi["behaviour_score"]["writable"]
    assert lead["plezi_url__c"]["unique"]
    assert lead["plezi_url__c"]["length"] == 255
    assert lead["segment__c"]["options"] == ["smb", "mid", "large"]
    assert lead["LastName"]["required"]
    assert lead["LastName"]["label"] == "Last Name"
    assert lead["Phone"]["mapped"]
    assert not lead["segment__c"]["mapped"]
    assert not contact["Account.Name"]["writable"]


def test_fields_that_are_new_since_the_last_view_are_marked_once(
    admin_client: AdminClient, harness: Harness
) -> None:
    first = admin_client.request_ok("GET", "/admin/fields")
    assert first["previous_view"] is None
    assert not any(field["is_new"] for field in first["lead"])
    harness.control("plezi", "POST", "attributes", {"name": "shoe_size", "label": "Shoe size"})

    cached = admin_client.request_ok("GET", "/admin/fields")
    assert "shoe_size" not in named(cached["plezi"])
    fresh = admin_client.request_ok("GET", "/admin/fields", refresh="true")
    assert [field["name"] for field in fresh["plezi"] if field["is_new"]] == ["shoe_size"]
    assert fresh["previous_view"] >= cached["previous_view"]
    again = admin_client.request_ok("GET", "/admin/fields", refresh="true")
    assert not any(field["is_new"] for field in again["plezi"])


def test_the_set_up_changes_nothing_when_all_fields_exist(
    admin_client: AdminClient, harness: Harness
) -> None:
    report = admin_client.request_ok("POST", SETUP)
    assert report["ready"] is True
    assert set(states(report).values()) == {"present"}
    harness.mark()

    result = admin_client.request_ok("POST", SETUP, {"create": True})

    assert result["steps"] == []
    assert harness.calls("salesforce")["writes"] == 0


def test_missing_fields_are_reported_with_their_types(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, *PRODUCT_FIELDS)

    report = admin_client.request_ok("POST", SETUP, {"create": False})

    assert report["ready"] is False
    assert states(report) == {f"{kind}.{name}": "missing" for kind, name in PRODUCT_FIELDS}
    by_name = {field["name"]: field["remedy"] for field in report["fields"]}
    assert by_name["plezi_url__c"] == "create it as Text of 255, External ID, unique"
    assert by_name["sync_to_plezi__c"] == "create it as Picklist"
    assert report["steps"] == []


def test_missing_fields_are_created_and_granted_once(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, *PRODUCT_FIELDS)

    created = admin_client.request_ok("POST", SETUP, {"create": True})

    assert created["ready"] is True
    assert set(states(created).values()) == {"present"}
    assert {outcome for _, _, outcome in outcomes(created)} == {"done"}
    kinds = [kind for kind, _, _ in outcomes(created)]
    access = ["permission_set"] + ["visibility"] * 4
    assert kinds == ["field"] * 4 + access + ["assignment"] + access
    lead = named(admin_client.request_ok("GET", "/admin/fields")["lead"])
    assert lead["plezi_url__c"]["unique"]
    assert lead["plezi_url__c"]["updatable"]
    harness.mark()
    assert admin_client.request_ok("POST", SETUP, {"create": True})["steps"] == []
    assert harness.calls("salesforce")["writes"] == 0


def test_sales_sees_the_new_fields_once_an_administrator_assigns_the_second_permission_set(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, ("Lead", "score__c"), ("Contact", "sync_to_plezi__c"))
    created = admin_client.request_ok("POST", SETUP, {"create": True})
    assert ("visibility", "Lead.score__c in Plezi_Fields", "done") in outcomes(created)
    assert "score__c" not in rights_of_sales(harness, "Lead")

    assignment = {"username": harness.org.sales_user.username}
    harness.control("salesforce", "POST", "permission_sets/Plezi_Fields/assignments", assignment)

    assert rights_of_sales(harness, "Lead")["score__c"] is False
    assert rights_of_sales(harness, "Contact")["sync_to_plezi__c"] is True


def rights_of_sales(harness: Harness, kind: str) -> dict[str, bool]:
    """Return the fields that a sales user sees, each with whether the user may edit it."""
    described = harness.salesforce("GET", f"sobjects/{kind}/describe")
    return {field["name"]: field["updateable"] for field in described["fields"]}


def test_contacts_are_synchronized_after_the_set_up(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, *PRODUCT_FIELDS)
    admin_client.request_ok("POST", SETUP, {"create": True})
    harness.add_person(email="ana@example.com", last_name="Lopez")

    run = harness.sync()

    assert run.counts["salesforce"]["created"] == 1
    assert admin_client.request_ok("GET", "/admin/status")["suspended_pairs"] == []


def test_an_invisible_field_is_granted_and_not_created_again(
    admin_client: AdminClient, harness: Harness
) -> None:
    hidden = "fields/Lead/score__c/visibility"
    harness.control("salesforce", "POST", hidden, {"read": False, "edit": False})
    assert states(admin_client.request_ok("POST", SETUP))["Lead.score__c"] == "invisible"

    created = admin_client.request_ok("POST", SETUP, {"create": True})

    assert [step for step in outcomes(created) if step[0] == "field"] == []
    assert ("visibility", "Lead.score__c", "done") in outcomes(created)
    assert created["ready"] is True


def test_a_read_only_field_gets_edit_access(admin_client: AdminClient, harness: Harness) -> None:
    hidden = "fields/Lead/score__c/visibility"
    harness.control("salesforce", "POST", hidden, {"read": True, "edit": False})
    assert states(admin_client.request_ok("POST", SETUP))["Lead.score__c"] == "read_only"

    assert admin_client.request_ok("POST", SETUP, {"create": True})["ready"] is True


def test_a_field_of_an_unsuitable_type_is_reported_and_not_changed(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, ("Lead", "score__c"))
    date = {"name": "score__c", "Metadata": {"type": "Date", "label": "Score"}}
    harness.control("salesforce", "POST", "fields/Lead", date)
    harness.control("salesforce", "PATCH", "fields/Lead/plezi_url__c", {"unique": False})

    created = admin_client.request_ok("POST", SETUP, {"create": True})

    assert created["ready"] is False
    fields = created["fields"]
    wrong = {field["name"]: field["remedy"] for field in fields if field["state"] == "wrong_type"}
    assert "it is a date, and must be a number or text" in wrong["score__c"]
    assert "External ID" in wrong["plezi_url__c"]
    assert created["steps"] == []


def test_a_refused_step_names_the_missing_permission_and_the_other_steps_continue(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, ("Lead", "score__c"))
    hidden = "fields/Lead/status__c/visibility"
    harness.control("salesforce", "POST", hidden, {"read": False, "edit": False})
    rights = {"customize_application": False}
    harness.control("salesforce", "POST", f"users/{INTEGRATION}", rights)

    created = admin_client.request_ok("POST", SETUP, {"create": True})

    refused = next(step for step in created["steps"] if step["outcome"] == "refused")
    assert (refused["kind"], refused["subject"]) == ("field", "Lead.score__c")
    assert refused["code"] == "INSUFFICIENT_ACCESS"
    assert "Customize Application" in refused["remedy"]
    assert ("visibility", "Lead.status__c", "done") in outcomes(created)
    assert states(created)["Lead.status__c"] == "present"
    assert states(created)["Lead.score__c"] == "missing"

    harness.control("salesforce", "POST", f"users/{INTEGRATION}", {"customize_application": True})
    again = admin_client.request_ok("POST", SETUP, {"create": True})
    assert again["ready"] is True
    assert ("permission_set", "Plezi_Salesforce_Connector", "already") in outcomes(again)
    assert ("assignment", "Plezi_Salesforce_Connector", "already") in outcomes(again)


def test_a_lost_response_is_reported_and_a_second_set_up_finds_the_created_field(
    admin_client: AdminClient, harness: Harness
) -> None:
    delete_fields(harness, ("Lead", "score__c"))
    lost = {"kind": "reset_after_commit", "method": "POST", "path": "CustomField"}
    harness.control("salesforce", "POST", "faults", lost)

    first = admin_client.request_ok("POST", SETUP, {"create": True})
    assert ("field", "Lead.score__c", "refused") in outcomes(first)
    second = admin_client.request_ok("POST", SETUP, {"create": True})

    assert not [step for step in outcomes(second) if step[0] == "field"]
    assert second["ready"] is True


def test_the_names_of_the_fields_come_from_the_mapping(admin_client: AdminClient) -> None:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    for pair in mapping["pairs"]:
        if pair["salesforce"] == "score__c":
            pair["direction"] = "off"
    mapping["contact_filter"] = {
        "field": "newsletter_optout__c",
        "operator": "equals",
        "value": "no",
    }
    admin_client.request_ok("PUT", "/admin/mapping", mapping)

    found = states(admin_client.request_ok("POST", SETUP))
    assert set(found) == {"Lead.plezi_url__c", "Lead.status__c", "Contact.newsletter_optout__c"}
    assert found["Contact.newsletter_optout__c"] == "present"


@pytest.mark.usefixtures("harness")
def test_the_recipients_of_alerts_are_listed(admin_client: AdminClient) -> None:
    sns = boto3.client("sns", region_name=REGION)
    topic = sns.list_topics()["Topics"][0]["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")

    (recipient,) = admin_client.request_ok("GET", "/admin/status")["alert_recipients"]
    assert (recipient["protocol"], recipient["endpoint"]) == ("email", "ops@example.com")


@pytest.mark.usefixtures("harness")
def test_a_set_up_with_an_unknown_member_is_refused_with_its_place(
    admin_client: AdminClient,
) -> None:
    response = admin_client.request("POST", SETUP, {"make": True})
    assert response.status == 422
    assert "make" in response.body["problems"][0]["field"]
