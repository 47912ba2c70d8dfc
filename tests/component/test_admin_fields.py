"""The fields of both sides, and the set-up of the product's own Salesforce fields."""

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


def states(answer: dict[str, Any]) -> dict[str, str]:
    return {f"{it['object']}.{it['name']}": it["state"] for it in answer["fields"]}


def outcomes(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(it["kind"], it["subject"], it["outcome"]) for it in answer["steps"]]


def withdraw(harness: Harness, *fields: tuple[str, str]) -> None:
    for kind, name in fields:
        harness.control("salesforce", "DELETE", f"fields/{kind}/{name}")


def test_both_sides_are_described_as_they_are(admin_client: AdminClient) -> None:
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


def test_what_is_new_since_the_last_look_is_marked_once(
    admin_client: AdminClient, harness: Harness
) -> None:
    first = admin_client.request_ok("GET", "/admin/fields")
    assert first["previous_view"] is None
    assert not any(it["is_new"] for it in first["lead"])
    harness.control("plezi", "POST", "attributes", {"name": "shoe_size", "label": "Shoe size"})

    remembered = admin_client.request_ok("GET", "/admin/fields")
    assert "shoe_size" not in named(remembered["plezi"])
    fresh = admin_client.request_ok("GET", "/admin/fields", refresh="true")
    assert [it["name"] for it in fresh["plezi"] if it["is_new"]] == ["shoe_size"]
    assert fresh["previous_view"] >= remembered["previous_view"]
    again = admin_client.request_ok("GET", "/admin/fields", refresh="true")
    assert not any(it["is_new"] for it in again["plezi"])


def test_fields_that_are_there_need_nothing(admin_client: AdminClient, harness: Harness) -> None:
    looked = admin_client.request_ok("POST", SETUP)
    assert looked["ready"] is True
    assert set(states(looked).values()) == {"present"}
    harness.mark()

    asked = admin_client.request_ok("POST", SETUP, {"create": True})

    assert asked["steps"] == []
    assert harness.calls("salesforce")["writes"] == 0


def test_missing_fields_are_named_with_how_to_make_them(
    admin_client: AdminClient, harness: Harness
) -> None:
    withdraw(harness, *PRODUCT_FIELDS)

    looked = admin_client.request_ok("POST", SETUP, {"create": False})

    assert looked["ready"] is False
    assert states(looked) == {f"{kind}.{name}": "missing" for kind, name in PRODUCT_FIELDS}
    by_name = {it["name"]: it["remedy"] for it in looked["fields"]}
    assert by_name["plezi_url__c"] == "create it as Text of 255, External ID, unique"
    assert by_name["sync_to_plezi__c"] == "create it as Picklist"
    assert looked["steps"] == []


def test_missing_fields_are_made_opened_and_assigned_and_twice_is_once(
    admin_client: AdminClient, harness: Harness
) -> None:
    withdraw(harness, *PRODUCT_FIELDS)

    made = admin_client.request_ok("POST", SETUP, {"create": True})

    assert made["ready"] is True
    assert set(states(made).values()) == {"present"}
    assert {outcome for _, _, outcome in outcomes(made)} == {"done"}
    kinds = [kind for kind, _, _ in outcomes(made)]
    assert kinds == ["field"] * 4 + ["permission_set"] + ["visibility"] * 4 + ["assignment"]
    lead = named(admin_client.request_ok("GET", "/admin/fields")["lead"])
    assert lead["plezi_url__c"]["unique"]
    assert lead["plezi_url__c"]["updatable"]
    harness.mark()
    assert admin_client.request_ok("POST", SETUP, {"create": True})["steps"] == []
    assert harness.calls("salesforce")["writes"] == 0


def test_the_people_of_both_sides_meet_in_an_org_that_was_set_up(
    admin_client: AdminClient, harness: Harness
) -> None:
    withdraw(harness, *PRODUCT_FIELDS)
    admin_client.request_ok("POST", SETUP, {"create": True})
    harness.add_person(email="ana@example.com", last_name="Lopez")

    run = harness.sync()

    assert run.counts["salesforce"]["created"] == 1
    assert admin_client.request_ok("GET", "/admin/status")["suspended_pairs"] == []


def test_an_invisible_field_is_opened_and_not_made_anew(
    admin_client: AdminClient, harness: Harness
) -> None:
    hidden = "fields/Lead/score__c/visibility"
    harness.control("salesforce", "POST", hidden, {"read": False, "edit": False})
    assert states(admin_client.request_ok("POST", SETUP))["Lead.score__c"] == "invisible"

    made = admin_client.request_ok("POST", SETUP, {"create": True})

    assert [it for it in outcomes(made) if it[0] == "field"] == []
    assert ("visibility", "Lead.score__c", "done") in outcomes(made)
    assert made["ready"] is True


def test_a_field_that_can_only_be_read_gets_edit_access(
    admin_client: AdminClient, harness: Harness
) -> None:
    hidden = "fields/Lead/score__c/visibility"
    harness.control("salesforce", "POST", hidden, {"read": True, "edit": False})
    assert states(admin_client.request_ok("POST", SETUP))["Lead.score__c"] == "read_only"

    assert admin_client.request_ok("POST", SETUP, {"create": True})["ready"] is True


def test_a_field_that_does_not_serve_is_told_and_left_alone(
    admin_client: AdminClient, harness: Harness
) -> None:
    withdraw(harness, ("Lead", "score__c"))
    date = {"name": "score__c", "Metadata": {"type": "Date", "label": "Score"}}
    harness.control("salesforce", "POST", "fields/Lead", date)
    harness.control("salesforce", "PATCH", "fields/Lead/plezi_url__c", {"unique": False})

    made = admin_client.request_ok("POST", SETUP, {"create": True})

    assert made["ready"] is False
    wrong = {it["name"]: it["remedy"] for it in made["fields"] if it["state"] == "wrong_type"}
    assert "it is a date, and must be a number or text" in wrong["score__c"]
    assert "External ID" in wrong["plezi_url__c"]
    assert made["steps"] == []


def test_a_refusal_names_the_right_it_wants_and_the_rest_goes_on(
    admin_client: AdminClient, harness: Harness
) -> None:
    withdraw(harness, ("Lead", "score__c"))
    hidden = "fields/Lead/status__c/visibility"
    harness.control("salesforce", "POST", hidden, {"read": False, "edit": False})
    rights = {"customize_application": False}
    harness.control("salesforce", "POST", f"users/{INTEGRATION}", rights)

    made = admin_client.request_ok("POST", SETUP, {"create": True})

    refused = next(it for it in made["steps"] if it["outcome"] == "refused")
    assert (refused["kind"], refused["subject"]) == ("field", "Lead.score__c")
    assert refused["code"] == "INSUFFICIENT_ACCESS"
    assert "Customize Application" in refused["remedy"]
    assert ("visibility", "Lead.status__c", "done") in outcomes(made)
    assert states(made)["Lead.status__c"] == "present"
    assert states(made)["Lead.score__c"] == "missing"

    harness.control("salesforce", "POST", f"users/{INTEGRATION}", {"customize_application": True})
    again = admin_client.request_ok("POST", SETUP, {"create": True})
    assert again["ready"] is True
    assert ("permission_set", "Plezi_Salesforce_Connector", "already") in outcomes(again)
    assert ("assignment", "Plezi_Salesforce_Connector", "already") in outcomes(again)


def test_an_answer_that_was_not_heard_is_told_and_asking_again_finds_what_was_made(
    admin_client: AdminClient, harness: Harness
) -> None:
    withdraw(harness, ("Lead", "score__c"))
    lost = {"kind": "reset_after_commit", "method": "POST", "path": "CustomField"}
    harness.control("salesforce", "POST", "faults", lost)

    first = admin_client.request_ok("POST", SETUP, {"create": True})
    assert ("field", "Lead.score__c", "refused") in outcomes(first)
    second = admin_client.request_ok("POST", SETUP, {"create": True})

    assert not [it for it in outcomes(second) if it[0] == "field"]
    assert second["ready"] is True


def test_the_names_follow_the_mapping(admin_client: AdminClient) -> None:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    for line in mapping["pairs"]:
        if line["salesforce"] == "score__c":
            line["direction"] = "off"
    mapping["contact_filter"] = {
        "field": "newsletter_optout__c",
        "operator": "equals",
        "value": "no",
    }
    admin_client.request_ok("PUT", "/admin/mapping", mapping)

    looked = states(admin_client.request_ok("POST", SETUP))
    assert set(looked) == {"Lead.plezi_url__c", "Lead.status__c", "Contact.newsletter_optout__c"}
    assert looked["Contact.newsletter_optout__c"] == "present"


@pytest.mark.usefixtures("harness")
def test_who_is_alerted_is_listed(admin_client: AdminClient) -> None:
    sns = boto3.client("sns", region_name=REGION)
    topic = sns.list_topics()["Topics"][0]["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")

    (told,) = admin_client.request_ok("GET", "/admin/status")["alert_recipients"]
    assert (told["protocol"], told["endpoint"]) == ("email", "ops@example.com")


@pytest.mark.usefixtures("harness")
def test_a_setup_asked_in_other_words_is_refused_by_its_place(admin_client: AdminClient) -> None:
    answer = admin_client.request("POST", SETUP, {"make": True})
    assert answer.status == 422
    assert "make" in answer.body["problems"][0]["field"]
