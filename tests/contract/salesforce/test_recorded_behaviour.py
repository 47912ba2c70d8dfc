"""Behaviour of real orgs that recordings and the tests of other clients show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from local.salesforce_org.certificates import make_certificates
from local.serving import ServedApplication
from tests.contract.salesforce.conftest import HOST, PrefixedSession

UNKNOWN_LEAD = "00Q8d0000000001EAA"


def error(response: requests.Response) -> tuple[int, str, str]:
    [body] = response.json()
    return response.status_code, body["errorCode"], body["message"]


# Records


@pytest.mark.parametrize("status", [None, ""])
def test_a_lead_without_a_status_takes_the_default_one(
    api: PrefixedSession, new_lead: Callable[..., str], status: str | None
) -> None:
    lead = new_lead(Status=status)
    assert api.get(f"/sobjects/Lead/{lead}").json()["Status"] == "Open - Not Contacted"
    assert error(api.patch(f"/sobjects/Lead/{lead}", json={"Status": None}))[1] == (
        "REQUIRED_FIELD_MISSING"
    )


@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_the_fields_about_bounced_emails_are_updateable(api: PrefixedSession, kind: str) -> None:
    body: dict[str, str] = {"LastName": "B"} | ({"Company": "C"} if kind == "Lead" else {})
    record = api.post(f"/sobjects/{kind}", json=body).json()["id"]
    bounced = {"EmailBouncedReason": "full", "EmailBouncedDate": "2026-11-20T08:00:00.000+0000"}

    assert api.patch(f"/sobjects/{kind}/{record}", json=bounced).status_code == 204

    stored: dict[str, Any] = api.get(f"/sobjects/{kind}/{record}").json()
    assert {name: stored[name] for name in bounced} == bounced
    fields = {each["name"]: each for each in api.get(f"/sobjects/{kind}/describe").json()["fields"]}
    assert all(fields[name]["updateable"] for name in bounced)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_malformed_id_in_a_path_is_an_unknown_key(api: PrefixedSession, method: str) -> None:
    body: dict[str, str] | None = {} if method == "PATCH" else None
    refused = error(api.request(method, "/sobjects/Lead/nonsense", json=body))
    assert refused == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: nonsense",
    )


def test_the_deletion_of_an_unknown_record_is_an_invalid_reference(
    api: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    unknown = error(api.delete(f"/sobjects/Lead/{UNKNOWN_LEAD}"))
    assert unknown == (404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    lead = new_lead()
    api.delete(f"/sobjects/Lead/{lead}")
    assert error(api.delete(f"/sobjects/Lead/{lead}"))[:2] == (404, "ENTITY_IS_DELETED")


def test_a_view_in_the_browser_dates_the_record_and_changes_no_stamp(
    api: PrefixedSession,
    web: PrefixedSession,
    clock: SimulatedClock,
    new_lead: Callable[..., str],
) -> None:
    lead = new_lead()
    before = api.get(f"/sobjects/Lead/{lead}").json()
    assert before["LastViewedDate"] is None
    clock.advance(60)

    web.get(f"/Lead/{lead}")

    after = api.get(f"/sobjects/Lead/{lead}").json()
    assert after["LastViewedDate"] == "2026-11-23T10:01:00.000+0000"
    assert after["SystemModstamp"] == before["SystemModstamp"]


# Duplicate rules


def duplicates(response: requests.Response) -> tuple[dict[str, Any], dict[str, Any]]:
    [body] = response.json()
    return body, body["duplicateResut"]


def test_a_duplicate_error_has_no_fields_and_addresses_of_the_called_version(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    lead = new_lead(Email="ana@example.com")
    control.post("/duplicate_rules", json={"object": "Lead", "action": "block"})
    body = {"LastName": "B", "Company": "C", "Email": "ana@example.com"}

    refused, details = duplicates(api.post(f"{HOST}/services/data/v58.0/sobjects/Lead", json=body))

    assert set(refused) == {"message", "errorCode", "duplicateResut"}
    record = details["matchResults"][0]["matchRecords"][0]["record"]
    assert record["attributes"]["url"] == f"/services/data/v58.0/sobjects/Lead/{lead}"


def test_the_duplicate_rule_of_leads_compares_with_contacts_too(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    contact = api.post(
        "/sobjects/Contact", json={"LastName": "B", "Email": "ana@example.com"}
    ).json()["id"]
    control.post("/duplicate_rules", json={"object": "Lead", "action": "block"})
    body = {"LastName": "B", "Company": "C", "Email": "ana@example.com"}

    _, details = duplicates(api.post("/sobjects/Lead", json=body))

    [match] = details["matchResults"]
    assert match["entityType"] == "Contact"
    assert match["matchRecords"][0]["record"]["Id"] == contact


# Queries


@pytest.mark.parametrize("field", ["Id", "Name", "Email", "OwnerId"])
def test_a_comparison_with_an_empty_text_finds_every_value(
    api: PrefixedSession, new_lead: Callable[..., str], field: str
) -> None:
    lead = new_lead(Email="ana@example.com")
    new_lead_without_email = new_lead()

    found = [row["Id"] for row in api.soql(f"SELECT Id FROM Lead WHERE {field} > ''")]

    expected = [lead] if field == "Email" else [lead, new_lead_without_email]
    assert sorted(found) == sorted(expected)
    refused = api.get("/query", params={"q": f"SELECT Id FROM Lead WHERE {field} > null"})
    assert refused.status_code == 400


# The clock of the tests shows Monday, 23 November 2026.
SPANS = {
    "THIS_QUARTER": ("2026-10-01", "2026-12-31"),
    "LAST_QUARTER": ("2026-07-01", "2026-09-30"),
    "NEXT_QUARTER": ("2027-01-01", "2027-03-31"),
    "THIS_FISCAL_QUARTER": ("2026-10-01", "2026-12-31"),
    "LAST_FISCAL_YEAR": ("2025-01-01", "2025-12-31"),
    "NEXT_FISCAL_YEAR": ("2027-01-01", "2027-12-31"),
    "LAST_N_WEEKS:2": ("2026-11-08", "2026-11-21"),
    "NEXT_N_WEEKS:1": ("2026-11-29", "2026-12-05"),
    "N_WEEKS_AGO:1": ("2026-11-15", "2026-11-21"),
    "LAST_N_MONTHS:2": ("2026-09-01", "2026-10-31"),
    "NEXT_N_MONTHS:2": ("2026-12-01", "2027-01-31"),
    "N_MONTHS_AGO:11": ("2025-12-01", "2025-12-31"),
    "LAST_N_QUARTERS:2": ("2026-04-01", "2026-09-30"),
    "N_QUARTERS_AGO:4": ("2025-10-01", "2025-12-31"),
    "LAST_N_YEARS:2": ("2024-01-01", "2025-12-31"),
    "N_YEARS_AGO:1": ("2025-01-01", "2025-12-31"),
    "LAST_N_FISCAL_QUARTERS:1": ("2026-07-01", "2026-09-30"),
    "N_FISCAL_YEARS_AGO:2": ("2024-01-01", "2024-12-31"),
}


@pytest.mark.parametrize(("literal", "span"), SPANS.items())
def test_a_date_literal_is_a_span_of_whole_periods(
    api: PrefixedSession, new_lead: Callable[..., str], literal: str, span: tuple[str, str]
) -> None:
    first, last = span
    inside = [new_lead(birthdate__c=day) for day in span]
    for edge, step in ((first, -1), (last, 1)):
        new_lead(birthdate__c=shifted(edge, step))

    found = api.soql(f"SELECT Id FROM Lead WHERE birthdate__c = {literal}")

    assert sorted(row["Id"] for row in found) == sorted(inside)


def shifted(day: str, step: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=step)).isoformat()


def test_several_date_literals_can_be_listed(
    api: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    today, other = new_lead(birthdate__c="2026-11-23"), new_lead(birthdate__c="2026-11-20")
    field = "birthdate__c"
    one = api.soql(f"SELECT Id FROM Lead WHERE {field} IN (TODAY, TOMORROW)")
    assert [row["Id"] for row in one] == [today]
    rest = api.soql(f"SELECT Id FROM Lead WHERE {field} NOT IN (TODAY)")
    assert [row["Id"] for row in rest] == [other]


# Describes and directories


def test_the_version_directory_has_the_identity_of_the_caller(
    api: PrefixedSession, org: SalesforceOrg
) -> None:
    user = org.integration_user.id
    identity = f"https://login.salesforce.com/id/{org.state.org_id}/{user}"
    assert api.get("/").json()["identity"] == identity


def test_a_query_of_the_tooling_api_has_its_own_envelope(api: PrefixedSession) -> None:
    soql = "SELECT Id FROM CustomField WHERE DeveloperName = 'score'"
    page = api.get("/tooling/query", params={"q": soql}).json()
    assert {name: page[name] for name in page if name != "records"} == {
        "size": 1,
        "totalSize": 1,
        "done": True,
        "queryLocator": None,
        "entityTypeName": "CustomField",
    }


def test_a_describe_has_its_children_and_record_types(api: PrefixedSession) -> None:
    account = api.get("/sobjects/Account/describe").json()
    children = {(each["childSObject"], each["field"]) for each in account["childRelationships"]}
    assert ("Contact", "AccountId") in children
    [master] = api.get("/sobjects/Lead/describe").json()["recordTypeInfos"]
    assert (master["recordTypeId"], master["master"]) == ("012000000000000AAA", True)


def test_a_describe_has_a_tag_and_is_not_repeated_for_it(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    tag = api.get("/sobjects/Lead/describe").headers["ETag"]
    known = {"If-None-Match": tag}

    unchanged = api.get("/sobjects/Lead/describe", headers=known)

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["ETag"] == tag
    control.patch("/fields/Lead/Title", json={"label": "Function"})
    assert api.get("/sobjects/Lead/describe", headers=known).status_code == 200


def test_the_tag_of_a_describe_counts_before_its_time(api: PrefixedSession) -> None:
    first = api.get("/sobjects/Lead/describe")
    headers = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]}
    assert api.get("/sobjects/Lead/describe", headers=headers).status_code == 200


def test_ids_have_one_byte_for_each_character(api: PrefixedSession) -> None:
    fields = {each["name"]: each for each in api.get("/sobjects/Lead/describe").json()["fields"]}
    assert {name: fields[name]["byteLength"] for name in ("Id", "OwnerId", "Title", "Phone")} == {
        "Id": 18,
        "OwnerId": 18,
        "Title": 384,
        "Phone": 120,
    }


# Paths


def test_a_path_may_begin_with_two_slashes(web: PrefixedSession, api: PrefixedSession) -> None:
    assert web.get(f"{HOST}//services/data").status_code == 200
    response = api.get(f"{HOST}//services/data/v64.0/sobjects/Lead/describe")
    assert response.json()["name"] == "Lead"


def test_a_path_may_begin_with_two_slashes_on_a_socket(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    org = SalesforceOrg(seed=7)
    with ServedApplication(
        org, certificate=files.certificate, key=files.key, double_slash=True
    ) as served:
        response = requests.get(
            f"{served.url}//services/data", verify=str(files.ca_bundle), timeout=10
        )
    org.close()
    assert response.status_code == 200
    assert response.json()[0]["version"] == "31.0"
