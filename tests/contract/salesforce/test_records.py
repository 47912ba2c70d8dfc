"""Single records: saves, refusals and their messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import HOST, PrefixedSession

Create = Callable[..., str]
BASE = {"LastName": "Martin", "Company": "Acme"}


def only(response: requests.Response) -> dict[str, Any]:
    [body] = response.json()
    return {"status": response.status_code, **body}


def test_written_values_are_trimmed_and_normalized(api: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead(
        lastname="  Noël ",
        EMAIL=" Chloe.Myers@Example.COM ",
        Title="   ",
        employees__c="12",
        newsletter_optout__c=True,
        birthdate__c="1990-02-03",
        last_visit__c="2026-01-31T10:30:15+01:00",
        interests__c="hiring;events;hiring",
    )
    row = api.get(f"/sobjects/Lead/{lead[:15]}").json()
    assert row["attributes"] == {
        "type": "Lead",
        "url": f"/services/data/v64.0/sobjects/Lead/{lead}",
    }
    assert row["LastName"] == "Noël"
    assert row["Email"] == "chloe.myers@example.com"
    assert row["Title"] is None
    assert row["employees__c"] == 12.0
    assert row["newsletter_optout__c"] is True
    assert row["birthdate__c"] == "1990-02-03"
    assert row["last_visit__c"] == "2026-01-31T09:30:15.000+0000"
    assert row["interests__c"] == "events;hiring"
    assert row["Status"] == "Open - Not Contacted"
    assert row["SystemModstamp"] == "2026-11-23T10:00:00.000+0000"
    assert row["Address"] is None


def test_a_read_returns_the_requested_fields(api: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead(City="Lyon")
    row = api.get(f"/sobjects/Lead/{lead}", params={"fields": "city,Address"}).json()
    assert list(row) == ["attributes", "City", "Address", "Id"]
    assert row["Address"]["city"] == "Lyon"
    refused = only(api.get(f"/sobjects/Lead/{lead}", params={"fields": "nope"}))
    assert refused["errorCode"] == "INVALID_FIELD"


def refused_create(api: PrefixedSession, **values: Any) -> dict[str, Any]:
    return only(api.post("/sobjects/Lead", json={**BASE, **values}))


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        (
            {"LastName": None, "Company": ""},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName, Company]",
            ["LastName", "Company"],
        ),
        (
            {"Email": "badone"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: badone",
            ["Email"],
        ),
        (
            {"score__c": "é" * 11},
            "STRING_TOO_LONG",
            f"Plezi score: data value too large: {'é' * 11} (max length=10)",
            ["score__c"],
        ),
        (
            {"segment__c": "huge"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Segment: bad value for restricted picklist field: huge",
            ["segment__c"],
        ),
        (
            {"interests__c": "events;golf"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Interests: bad value for restricted picklist field: golf",
            ["interests__c"],
        ),
        (
            {"employees__c": 10**8},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 100000000",
            ["employees__c"],
        ),
        (
            {"IsDeleted": True},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            (
                "Unable to create/update fields: IsDeleted. Please check the security settings of"
                " this field and verify that it is read/write for your profile or permission set."
            ),
            ["IsDeleted"],
        ),
        (
            {"OwnerId": "bad id"},
            "MALFORMED_ID",
            "Owner ID: id value of incorrect type: bad id",
            ["OwnerId"],
        ),
        (
            {"OwnerId": "0058d0000000001AAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
        (
            {"OwnerId": "00Q8d0000000001EAA"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Owner ID: id value of incorrect type: 00Q8d0000000001EAA",
            ["OwnerId"],
        ),
        (
            {"birthdate__c": "1200-01-01"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Birth date: invalid date: 1200-01-01",
            ["birthdate__c"],
        ),
    ],
)
def test_a_value_is_refused_by_label_and_by_name(
    api: PrefixedSession,
    values: dict[str, Any],
    code: str,
    message: str,
    fields: list[str],
) -> None:
    refused = refused_create(api, **values)
    assert refused == {"status": 400, "errorCode": code, "message": message, "fields": fields}


def test_an_unknown_field_is_refused_without_a_list_of_fields(api: PrefixedSession) -> None:
    assert refused_create(api, foo="x") == {
        "status": 400,
        "errorCode": "INVALID_FIELD",
        "message": "No such column 'foo' on sobject of type Lead",
    }


@pytest.mark.parametrize(("text", "stored"), [("true", True), ("false", False)])
def test_a_checkbox_may_be_written_as_a_text(
    api: PrefixedSession, new_lead: Create, *, text: str, stored: bool
) -> None:
    lead = new_lead(newsletter_optout__c=text)
    assert api.get(f"/sobjects/Lead/{lead}").json()["newsletter_optout__c"] is stored


def test_a_value_of_a_wrong_json_type_is_refused(api: PrefixedSession) -> None:
    refused = refused_create(api, last_visit__c="yesterday")
    assert refused["errorCode"] == "JSON_PARSER_ERROR"
    assert "fields" not in refused
    assert refused["message"].startswith(
        "Cannot deserialize instance of datetime from VALUE_STRING value yesterday"
        " or request may be missing a required field at [line:1, column:"
    )
    for name, value in (
        ("newsletter_optout__c", None),
        ("newsletter_optout__c", "yes"),
        ("newsletter_optout__c", "True"),
        ("Title", 5),
        ("Title", ["a"]),
        ("employees__c", "many"),
        ("NumberOfEmployees", 1.5),
        ("birthdate__c", "03/02/1990"),
    ):
        assert refused_create(api, **{name: value})["errorCode"] == "JSON_PARSER_ERROR", name


@pytest.mark.parametrize("body", ["", "jk", "[]", '"text"'])
def test_a_body_that_is_not_an_object_is_refused(api: PrefixedSession, body: str) -> None:
    refused = only(api.post("/sobjects/Lead", data=body))
    assert (refused["status"], refused["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_parent_can_be_referenced_by_its_external_id(
    api: PrefixedSession, org: SalesforceOrg, new_lead: Create
) -> None:
    lead = new_lead(Owner={"Username": "sales@acme.example"})
    [row] = api.soql(f"SELECT OwnerId FROM Lead WHERE Id = '{lead}'")
    assert row["OwnerId"] == org.sales_user.id
    refused = refused_create(api, Owner={"Username": "X"})
    assert refused["message"] == (
        "Foreign key external ID: x not found for field Username in entity User"
    )


def test_an_inactive_owner_is_refused(
    api: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    control.post("/users/sales@acme.example", json={"is_active": False})
    refused = refused_create(api, OwnerId=org.sales_user.id)
    assert refused["errorCode"] == "INACTIVE_OWNER_OR_USER"


def test_an_update_without_a_change_moves_the_stamps(
    api: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead(Title="CEO")
    clock.advance(61)
    response = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "CEO"})
    assert (response.status_code, response.content) == (204, b"")
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-11-23T10:01:01.000+0000"
    assert row["CreatedDate"] == "2026-11-23T10:00:00.000+0000"
    clock.advance(-3600)
    api.patch(f"/sobjects/Lead/{lead}", json={"Title": "CTO"})
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert row["SystemModstamp"] == "2026-11-23T10:01:01.000+0000"


def test_a_required_value_cannot_be_cleared(api: PrefixedSession, new_lead: Create) -> None:
    refused = only(api.patch(f"/sobjects/Lead/{new_lead()}", json={"Company": None}))
    assert refused["message"] == "Required fields are missing: [Company]"


def test_an_id_in_the_body_is_refused(api: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead()
    refused = only(api.patch(f"/sobjects/Lead/{lead}", json={"Id": lead}))
    assert refused["message"] == "The Id field should not be specified in the sobject data."


def test_an_update_can_be_conditional_on_no_change_since_a_date(
    api: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead()
    clock.advance(60)
    api.patch(f"/sobjects/Lead/{lead}", json={"Title": "CEO"})
    stale = {"If-Unmodified-Since": "Mon, 23 Nov 2026 10:00:30 GMT"}
    response = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "CTO"}, headers=stale)
    assert response.status_code == 412
    fresh = {"If-Unmodified-Since": "Mon, 23 Nov 2026 10:01:00 GMT"}
    response = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "CTO"}, headers=fresh)
    assert response.status_code == 204


def test_a_deleted_record_is_not_found_by_reads_and_is_deleted_for_writes(
    api: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead()
    assert api.delete(f"/sobjects/Lead/{lead}").status_code == 204
    assert only(api.get(f"/sobjects/Lead/{lead}")) == {
        "status": 404,
        "errorCode": "NOT_FOUND",
        "message": "The requested resource does not exist",
    }
    deleted_error = {
        "status": 404,
        "errorCode": "ENTITY_IS_DELETED",
        "message": "entity is deleted",
        "fields": [],
    }
    assert only(api.delete(f"/sobjects/Lead/{lead}")) == deleted_error
    assert only(api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"})) == deleted_error


def test_malformed_and_unknown_ids_are_refused(api: PrefixedSession) -> None:
    malformed = only(api.patch("/sobjects/Lead/0038d0000000001", json={}))
    assert malformed["errorCode"] == "MALFORMED_ID"  # the id of another object
    assert malformed["fields"] == ["Id"]
    unknown = only(api.patch("/sobjects/Lead/00Q8d0000000001EAA", json={}))
    assert unknown["errorCode"] == "NOT_FOUND"
    assert only(api.post("/sobjects/Nothing", json={}))["errorCode"] == "NOT_FOUND"
    setup = only(api.post("/sobjects/Organization", json={}))
    assert setup["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_an_upsert_creates_and_then_updates_regardless_of_case(api: PrefixedSession) -> None:
    path = "/sobjects/Lead/plezi_url__c/https%3A%2F%2Fapp.plezi.co%2Fc%2F1"
    created = api.patch(path, json=BASE)
    assert (created.status_code, created.json()["created"]) == (201, True)
    updated = api.patch(path.upper().replace("/SOBJECTS", "/sobjects"), json={"Title": "CEO"})
    assert (updated.status_code, updated.json()["created"]) == (200, False)
    assert updated.json()["id"] == created.json()["id"]
    assert api.get(path).json()["plezi_url__c"] == "https://app.plezi.co/c/1"
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_an_upsert_has_its_own_refusals(api: PrefixedSession, new_lead: Create) -> None:
    for _ in range(2):
        new_lead(Email="a@x.fr")
    ambiguous = api.patch("/sobjects/Lead/Email/a@x.fr", json={"Title": "x"})
    assert ambiguous.status_code == 300
    assert ambiguous.json()[0].startswith("/services/data/v64.0/sobjects/Lead/00Q")
    assert only(api.patch("/sobjects/Lead/Title/x", json=BASE)) == {
        "status": 404,
        "errorCode": "NOT_FOUND",
        "message": "Provided external ID field does not exist or is not accessible: Title",
    }
    key = only(api.patch("/sobjects/Lead/plezi_url__c/1", json=BASE | {"plezi_url__c": "1"}))
    assert key["errorCode"] == "INVALID_FIELD"
    path = "/sobjects/Lead/plezi_url__c/1?updateOnly=true"
    assert api.patch(path, json=BASE).status_code == 404


def test_a_unique_value_of_a_converted_lead_stays_taken(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(plezi_url__c="https://app.plezi.co/1")
    control.post(f"/leads/{lead}/convert")
    refused = refused_create(api, plezi_url__c="HTTPS://app.plezi.co/1")
    assert refused["errorCode"] == "DUPLICATE_VALUE"
    assert refused["message"] == (
        "duplicate value found: plezi_url__c duplicates value on record with id: " + lead[:15]
    )
    assert refused["fields"] == []
    assert api.delete(f"/sobjects/Lead/{lead}").status_code == 204
    assert api.post("/sobjects/Lead", json={**BASE, "plezi_url__c": "https://app.plezi.co/1"}).ok


def test_a_converted_lead_refuses_changes(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(Email="a@x.fr")
    control.post(f"/leads/{lead}/convert")
    assert only(api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"})) == {
        "status": 400,
        "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD",
        "message": "cannot reference converted lead",
        "fields": [],
    }
    [row] = api.soql("SELECT Id, IsConverted FROM Lead WHERE Email IN ('a@x.fr')")
    assert row["IsConverted"] is True
    control.post("/users/integration@acme.example", json={"edit_converted_leads": True})
    assert api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"}).status_code == 204


@pytest.mark.parametrize("action", ["block", "alert"])
def test_a_duplicate_rule_blocks_or_alerts(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create, action: str
) -> None:
    lead = new_lead(Email="a@x.fr")
    control.post("/duplicate_rules", json={"object": "Lead", "action": action})
    [rule] = api.soql("SELECT DeveloperName FROM DuplicateRule WHERE IsActive = true")
    assert rule["DeveloperName"] == "Standard_Lead_Duplicate_Rule"
    refused = refused_create(api, Email="A@x.fr")
    assert refused["errorCode"] == "DUPLICATES_DETECTED"
    assert refused["message"] == "Use one of these records?"
    details = refused["duplicateResut"]
    assert details["allowSave"] is (action == "alert")
    match = details["matchResults"][0]["matchRecords"][0]
    assert match["record"]["Id"] == lead
    allowing = {"Sforce-Duplicate-Rule-Header": "allowSave=true; runAsCurrentUser=true"}
    body = {**BASE, "Email": "a@x.fr"}
    response = api.post("/sobjects/Lead", json=body, headers=allowing)
    assert response.status_code == (201 if action == "alert" else 400)


def test_a_validation_rule_returns_the_administrator_s_message(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    rule = {
        "object": "Lead",
        "condition": "Company = 'Forbidden'",
        "message": "Not that company",
        "field": "Company",
    }
    control.post("/validation_rules", json=rule)
    assert refused_create(api, Company="forbidden") == {
        "status": 400,
        "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "message": "Not that company",
        "fields": ["Company"],
    }
    assert api.soql("SELECT Id FROM Lead") == []
    control.delete("/validation_rules")
    assert api.post("/sobjects/Lead", json={**BASE, "Company": "Forbidden"}).ok


def test_a_locked_row_and_any_other_refusal_can_be_injected(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead()
    control.post("/faults", json={"kind": "lock_row", "method": "PATCH"})
    refused = only(api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"}))
    assert refused["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert refused["message"].endswith(f"or 1 records: {lead[:15]}")
    parameters = {
        "errorCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "message": "trigger",
        "fields": [],
    }
    control.post("/faults", json={"kind": "record_error", "parameters": parameters})
    refused = only(api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"}))
    assert refused["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_the_assignment_rule_runs_unless_the_header_disables_it(
    api: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    control.post("/switches", json={"assignment_rule_owner": "sales@acme.example"})
    first = api.post("/sobjects/Lead", json=BASE).json()["id"]
    second = api.post("/sobjects/Lead", json=BASE, headers={"Sforce-Auto-Assign": "FALSE"})
    owners = {row["Id"]: row["OwnerId"] for row in api.soql("SELECT Id, OwnerId FROM Lead")}
    assert owners[first] == org.sales_user.id
    assert owners[second.json()["id"]] == org.integration_user.id
    assert [assignment["ran"] for assignment in control.get("/assignments").json()] == [True, False]


def test_the_method_can_be_a_query_parameter(api: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead()
    response = api.post(f"/sobjects/Lead/{lead}?_HttpMethod=PATCH", json={"Title": "CEO"})
    assert response.status_code == 204
    assert api.get(f"/sobjects/Lead/{lead}").json()["Title"] == "CEO"


def test_responses_are_compressed_only_on_request(api: PrefixedSession) -> None:
    url = f"{HOST}/services/data/v64.0/sobjects/Lead/describe"
    assert "Content-Encoding" not in api.get(url, headers={"Accept-Encoding": ""}).headers
    compressed = api.get(url, headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.json()["name"] == "Lead"
