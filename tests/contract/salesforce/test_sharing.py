"""Sharing: a record that the user may not see is absent from every read, and is not deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession

INTEGRATION = "integration@acme.example"
WINDOW = {"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T11:00:00Z"}


@pytest.fixture
def hidden_lead(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> str:
    """Return the id of a lead that sharing hides from the integration user."""
    lead = new_lead(Email="ana@example.com", plezi_url__c="https://app.plezi.co/1")
    control.post(f"/users/{INTEGRATION}", json={"view_all_data": False})
    response = control.post(f"/records/Lead/{lead}/sharing", json={"access": "none"})
    assert response.status_code == 200, response.text
    assert api.get("/limits").status_code == 200
    return lead


def errors_of(item: dict[str, Any]) -> list[str]:
    return [error["statusCode"] for error in item["errors"]]


def test_a_hidden_record_is_absent_from_queries(
    api: PrefixedSession, hidden_lead: str, new_lead: Callable[..., str]
) -> None:
    other = new_lead(Email="bob@example.com")

    assert [row["Id"] for row in api.soql("SELECT Id FROM Lead")] == [other]
    assert api.soql(f"SELECT Id FROM Lead WHERE Id = '{hidden_lead}'") == []
    assert api.soql("SELECT Id FROM Lead WHERE Email = 'ana@example.com'") == []
    everything = api.get("/queryAll", params={"q": "SELECT Id FROM Lead"}).json()
    assert everything["totalSize"] == 1
    count = api.get("/query", params={"q": "SELECT COUNT() FROM Lead"}).json()
    assert count["totalSize"] == 1
    [total] = api.soql("SELECT COUNT(Id) n FROM Lead")
    assert total["n"] == 1


def test_a_hidden_record_is_not_found_by_its_id_or_key(
    api: PrefixedSession, hidden_lead: str
) -> None:
    for path in (
        f"/sobjects/Lead/{hidden_lead}",
        "/sobjects/Lead/Email/ana@example.com",
        "/sobjects/Lead/plezi_url__c/https%3A%2F%2Fapp.plezi.co%2F1",
    ):
        response = api.get(path)
        assert response.status_code == 404, path
        assert response.json()[0]["errorCode"] == "NOT_FOUND"
    rows = api.get("/composite/sobjects/Lead", params={"ids": hidden_lead, "fields": "Id"})
    assert rows.json() == [None]


def test_a_hidden_record_is_neither_updated_nor_deleted_in_replication(
    api: PrefixedSession, control: PrefixedSession, hidden_lead: str, clock: SimulatedClock
) -> None:
    clock.advance(120)
    assert api.get("/sobjects/Lead/updated", params=WINDOW).json()["ids"] == []
    assert api.get("/sobjects/Lead/deleted", params=WINDOW).json()["deletedRecords"] == []

    control.delete(f"/records/Lead/{hidden_lead}")

    assert api.get("/sobjects/Lead/deleted", params=WINDOW).json()["deletedRecords"] == []


def test_a_hidden_record_cannot_be_written(
    api: PrefixedSession, control: PrefixedSession, hidden_lead: str
) -> None:
    path = f"/sobjects/Lead/{hidden_lead}"
    message = f"insufficient access rights on cross-reference id: {hidden_lead[:15]}"
    expected = {
        "message": message,
        "errorCode": "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "fields": [],
    }
    assert api.patch(path, json={"Title": "x"}).json() == [expected]
    assert api.delete(path).json() == [expected]
    record = {"attributes": {"type": "Lead"}, "id": hidden_lead, "Title": "x"}
    [item] = api.patch("/composite/sobjects", json={"records": [record]}).json()
    assert errors_of(item) == ["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"]
    assert control.get(f"/records/Lead/{hidden_lead}").json()["Title"] is None


def test_a_unique_value_of_a_hidden_record_is_refused_without_its_name(
    api: PrefixedSession, hidden_lead: str
) -> None:
    """The upsert does not find the record, so that it creates one."""
    body = {"LastName": "New", "Company": "C"}
    created = api.post("/sobjects/Lead", json={**body, "plezi_url__c": "https://app.plezi.co/1"})
    upserted = api.patch("/sobjects/Lead/plezi_url__c/https%3A%2F%2Fapp.plezi.co%2F1", json=body)

    for response in (created, upserted):
        [error] = response.json()
        assert error["errorCode"] == "DUPLICATE_VALUE"
        assert error["message"] == (
            "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
        )
    assert hidden_lead not in created.text


def test_a_record_is_visible_again_as_it_was(
    api: PrefixedSession, control: PrefixedSession, hidden_lead: str
) -> None:
    before = control.get(f"/records/Lead/{hidden_lead}").json()

    control.post(f"/records/Lead/{hidden_lead}/sharing", json={"access": None})

    [row] = api.soql("SELECT Id, SystemModstamp FROM Lead")
    assert row["Id"] == hidden_lead
    assert row["SystemModstamp"] == before["SystemModstamp"]  # a share changes no stamp
    assert api.patch(f"/sobjects/Lead/{hidden_lead}", json={"Title": "x"}).status_code == 204


def test_other_users_still_see_a_record_that_is_hidden_from_one(
    log_in: Callable[..., PrefixedSession], org: SalesforceOrg, hidden_lead: str
) -> None:
    sales = org.sales_user
    session = log_in(username=sales.username, password=sales.password + sales.security_token)

    assert [row["Id"] for row in session.soql("SELECT Id FROM Lead")] == [hidden_lead]


def test_in_a_private_org_a_user_sees_the_records_that_it_owns(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    own = new_lead()
    control.post("/records/Lead", json={"values": {"LastName": "B", "Company": "C"}})
    control.post(f"/users/{INTEGRATION}", json={"view_all_data": False})
    control.post("/sharing", json={"object": "Lead", "default": "private"})

    assert [row["Id"] for row in api.soql("SELECT Id FROM Lead")] == [own]

    control.post("/objects/Lead/permissions", json={"view_all": True})

    assert len(api.soql("SELECT Id FROM Lead")) == 2


def test_a_lead_that_an_assignment_rule_gives_away_is_hidden_from_its_creator(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    control.post(f"/users/{INTEGRATION}", json={"view_all_data": False})
    control.post("/sharing", json={"object": "Lead", "default": "private"})
    control.post("/switches", json={"assignment_rule_owner": "sales@acme.example"})

    lead = new_lead()

    assert api.get(f"/sobjects/Lead/{lead}").status_code == 404


def test_a_record_that_is_shared_read_only_refuses_changes(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    body = {"values": {"LastName": "B", "Company": "C"}}
    lead = control.post("/records/Lead", json=body).json()["id"]
    control.post("/sharing", json={"object": "Lead", "default": "read_only"})

    assert api.get(f"/sobjects/Lead/{lead}").status_code == 200
    [error] = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"}).json()
    assert error["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert error["message"] == "insufficient access rights on object id"


def test_a_duplicate_rule_does_not_compare_with_hidden_records(
    api: PrefixedSession, control: PrefixedSession, hidden_lead: str
) -> None:
    control.post("/duplicate_rules", json={"object": "Lead", "action": "block"})
    body = {"LastName": "B", "Company": "C", "Email": "ana@example.com"}

    assert api.post("/sobjects/Lead", json=body).status_code == 201

    control.post(f"/records/Lead/{hidden_lead}/sharing", json={"access": "read"})
    [error] = api.post("/sobjects/Lead", json=body).json()
    assert error["errorCode"] == "DUPLICATES_DETECTED"


def test_a_record_cannot_be_hidden_from_a_user_who_sees_all_records(
    control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    response = control.post(f"/records/Lead/{new_lead()}/sharing", json={"access": "none"})

    assert response.status_code == 400
    assert "view_all_data" in response.json()["error"]
    assert control.get("/sharing").json() == {"defaults": {}, "records": []}


def test_invalid_settings_of_sharing_are_refused(
    control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    lead = new_lead()
    for route, body in (
        ("/sharing", {"object": "Lead", "default": "open"}),
        ("/sharing", {"object": "User", "default": "private"}),
        (f"/records/Lead/{lead}/sharing", {"access": "write"}),
        ("/records/Lead/00Q000000000000AAA/sharing", {"access": "none"}),
    ):
        assert control.post(route, json=body).status_code == 400, route


OWN_SETS = (
    f"SELECT PermissionSetId FROM PermissionSetAssignment WHERE Assignee.Username = '{INTEGRATION}'"
)
VIEW_ALL = (
    "SELECT SobjectType, PermissionsViewAllRecords FROM ObjectPermissions"
    f" WHERE SobjectType = 'Lead' AND ParentId IN ({OWN_SETS})"
)
VIEW_ALL_DATA = (
    f"SELECT Id FROM PermissionSet WHERE PermissionsViewAllData = true AND Id IN ({OWN_SETS})"
)


def test_the_organization_shows_the_defaults_of_its_objects(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    soql = "SELECT DefaultLeadAccess, DefaultContactAccess, DefaultAccountAccess FROM Organization"
    [before] = api.soql(soql)
    control.post("/sharing", json={"object": "Lead", "default": "private"})
    control.post("/sharing", json={"object": "Contact", "default": "read_only"})
    [after] = api.soql(soql)

    assert [before[name] for name in sorted(before) if name != "attributes"] == [
        "Edit",
        "Edit",
        "ReadEditTransfer",
    ]
    assert (after["DefaultLeadAccess"], after["DefaultContactAccess"]) == ("None", "Read")


def test_the_permissions_of_a_user_show_whether_the_user_sees_all_records(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    assert [row["PermissionsViewAllRecords"] for row in api.soql(VIEW_ALL)] == [False]
    assert len(api.soql(VIEW_ALL_DATA)) == 1
    control.post("/objects/Lead/permissions", json={"view_all": True})
    control.post(f"/users/{INTEGRATION}", json={"view_all_data": False})

    assert [row["PermissionsViewAllRecords"] for row in api.soql(VIEW_ALL)] == [True]
    assert api.soql(VIEW_ALL_DATA) == []


def test_permissions_exist_only_for_a_user_who_may_view_the_setup(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post(f"/users/{INTEGRATION}", json={"view_setup": False})

    refused = api.get("/query", params={"q": "SELECT Id FROM ObjectPermissions"})
    assert refused.json()[0]["errorCode"] == "INVALID_TYPE"
    assignments = {"q": "SELECT Id FROM PermissionSetAssignment"}
    assert api.get("/query", params=assignments).status_code == 200
    control.post(f"/users/{INTEGRATION}", json={"customize_application": False})
    assert api.get("/query", params=assignments).json()[0]["errorCode"] == "INVALID_TYPE"
