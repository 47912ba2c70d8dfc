"""Changes: getUpdated, getDeleted, late commits, flows, conversions, merges, undeletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.control import SimulatedClock
from tests.contract.salesforce.conftest import PrefixedSession

Create = Callable[..., str]


def window(start: str, end: str) -> dict[str, str]:
    return {"start": f"2026-11-23T{start}Z", "end": f"2026-11-23T{end}Z"}


def updated(api: PrefixedSession, start: str, end: str) -> dict[str, Any]:
    response = api.get("/sobjects/Lead/updated/", params=window(start, end))
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_updated_returns_ids_and_the_date_covered(
    api: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead()
    clock.advance(90)
    new_lead()
    assert updated(api, "09:59:00", "10:01:00") == {
        "ids": [lead],
        "latestDateCovered": "2026-11-23T10:01:00.000+0000",
    }
    later = updated(api, "09:59:00", "12:00:00")
    assert len(later["ids"]) == 2
    assert later["latestDateCovered"] == "2026-11-23T10:01:00.000+0000"


def test_seconds_of_a_window_are_ignored_unless_the_switch_is_off(
    api: PrefixedSession, control: PrefixedSession, clock: SimulatedClock
) -> None:
    clock.advance(50)
    seconds_window = window("10:00:20", "10:00:40")
    refused = api.get("/sobjects/Lead/updated", params=seconds_window)
    assert refused.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"
    control.post("/switches", json={"replication_to_the_minute": False})
    response = api.get("/sobjects/Lead/updated", params=seconds_window).json()
    assert response["latestDateCovered"] == "2026-11-23T10:00:40.000+0000"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (window("10:00:00", "10:00:00"), "INVALID_REPLICATION_DATE"),
        (
            {"start": "2026-10-01T00:00:00Z", "end": "2026-11-23T00:00:00Z"},
            "INVALID_REPLICATION_DATE",
        ),
        ({"start": "yesterday", "end": "today"}, "INVALID_REPLICATION_DATE"),
        (
            {"start": "2026-11-22T00:00:00", "end": "2026-11-23T00:00:00Z"},
            "INVALID_REPLICATION_DATE",
        ),
        ({"end": "2026-11-23T00:00:00Z"}, "MISSING_ARGUMENT"),
    ],
)
def test_an_invalid_window_is_refused(
    api: PrefixedSession, params: dict[str, str], code: str
) -> None:
    response = api.get("/sobjects/Lead/updated/", params=params)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, code)


def test_deleted_ids_are_kept_for_fifteen_days(
    api: PrefixedSession, new_lead: Create, clock: SimulatedClock, control: PrefixedSession
) -> None:
    lead = new_lead()
    api.delete(f"/sobjects/Lead/{lead}")
    clock.advance(60)
    response = api.get("/sobjects/Lead/deleted/", params=window("09:00:00", "10:01:00"))
    assert response.json() == {
        "deletedRecords": [{"deletedDate": "2026-11-23T10:00:00.000+0000", "id": lead}],
        "earliestDateAvailable": "2026-11-08T10:01:00.000+0000",
        "latestDateCovered": "2026-11-23T10:01:00.000+0000",
    }
    control.post("/switches", json={"session_timeout_seconds": 10**7})
    clock.advance(16 * 86400)
    response = api.get("/sobjects/Lead/deleted/", params=window("09:00:00", "10:01:00"))
    assert response.json()["deletedRecords"] == []


def test_a_late_commit_has_an_early_stamp_and_becomes_visible_later(
    api: PrefixedSession, control: PrefixedSession, clock: SimulatedClock
) -> None:
    control.post("/faults", json={"kind": "late_commit", "parameters": {"seconds": 120}})
    body = {"LastName": "Late", "Company": "C", "plezi_url__c": "u"}
    lead = api.post("/sobjects/Lead", json=body).json()["id"]
    assert control.get("/transactions").json() == {"open": 1}
    clock.advance(60)
    on_time = api.post("/sobjects/Lead", json={"LastName": "On time", "Company": "C"}).json()["id"]
    assert [row["Id"] for row in api.soql("SELECT Id FROM Lead")] == [on_time]
    assert api.get(f"/sobjects/Lead/{lead}").status_code == 404
    refused = api.post("/sobjects/Lead", json=body | {"LastName": "Other"}).json()[0]
    assert refused["message"].endswith("on record with id: <unknown>")
    covered = updated(api, "09:00:00", "10:05:00")
    assert covered == {"ids": [on_time], "latestDateCovered": "2026-11-23T10:00:00.000+0000"}
    clock.advance(60)
    rows = api.soql("SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp")
    assert [row["Id"] for row in rows] == [lead, on_time]
    assert rows[0]["SystemModstamp"] == "2026-11-23T10:00:00.000+0000"
    covered = updated(api, "09:00:00", "10:05:00")
    assert covered["latestDateCovered"] == "2026-11-23T10:02:00.000+0000"


def test_an_open_transaction_shows_the_old_row_and_locks_it(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead(Title="Old")
    clock.advance(60)
    edit = {"Title": "New", "late_commit_seconds": 60}
    assert control.patch(f"/records/Lead/{lead}", json=edit).status_code == 200
    assert api.get(f"/sobjects/Lead/{lead}").json()["Title"] == "Old"
    locked = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "Mine"})
    assert locked.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    clock.advance(60)
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["SystemModstamp"]) == ("New", "2026-11-23T10:01:00.000+0000")


def test_a_flow_edits_after_the_save_at_once_or_later(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    flow = {"object": "Lead", "values": {"Rating": "Hot"}, "condition": "Title = 'CEO'"}
    control.post("/flows", json=flow)
    control.post("/flows", json={"object": "Lead", "values": {"Fax": "1"}, "seconds": 5})
    lead = new_lead(Title="CEO")
    other_lead = new_lead(Title="CTO")
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Rating"], row["Fax"]) == ("Hot", None)
    clock.advance(5)
    rows = {row["Id"]: row for row in api.soql("SELECT Id, Rating, Fax, SystemModstamp FROM Lead")}
    assert rows[lead]["Fax"] == rows[other_lead]["Fax"] == "1"
    assert rows[other_lead]["Rating"] is None
    assert rows[lead]["SystemModstamp"] == "2026-11-23T10:00:05.000+0000"
    control.delete("/flows")
    assert control.get("/rules").json()["flows"] == []


def test_a_user_or_the_org_itself_edits_a_record(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead()
    clock.advance(60)
    control.patch(f"/records/Lead/{lead}", json={"Title": "CEO"})
    [row] = api.soql("SELECT LastModifiedBy.Name, LastModifiedDate FROM Lead")
    assert row["LastModifiedBy"]["Name"] == "Sam Sales"
    clock.advance(60)
    control.patch(f"/records/Lead/{lead}", json={"EmailBouncedReason": "full", "touch": "system"})
    [row] = api.soql("SELECT EmailBouncedReason, LastModifiedDate, SystemModstamp FROM Lead")
    assert row["EmailBouncedReason"] == "full"
    assert row["LastModifiedDate"] == "2026-11-23T10:01:00.000+0000"
    assert row["SystemModstamp"] == "2026-11-23T10:02:00.000+0000"
    control.delete(f"/records/Lead/{lead}")
    assert control.get(f"/records/Lead/{lead}").json()["IsDeleted"] is True
    created = control.post("/records/Contact", json={"LastName": "A", "by": "admin@acme.example"})
    [contact] = api.soql("SELECT Id, CreatedBy.Username FROM Contact")
    assert contact["Id"] == created.json()["id"]
    assert contact["CreatedBy"]["Username"] == "admin@acme.example"


def test_a_conversion_keeps_the_lead_and_creates_a_contact(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead(Email="a@x.fr", City="Lyon", FirstName="Ana")
    clock.advance(60)
    result = control.post(f"/leads/{lead[:15]}/convert", json={"createOpportunity": True}).json()
    assert result["leadId"] == lead
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Status"], row["IsConverted"]) == ("Closed - Converted", True)
    assert row["ConvertedDate"] == "2026-11-23"
    assert row["ConvertedContactId"] == result["contactId"]
    assert row["ConvertedOpportunityId"] == result["opportunityId"]
    assert row["IsUnreadByOwner"] is False
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-11-23T10:01:00.000+0000"
    [contact] = api.soql("SELECT Email, MailingCity, Account.Name FROM Contact")
    assert (contact["Email"], contact["MailingCity"]) == ("a@x.fr", "Lyon")
    assert contact["Account"]["Name"] == "Acme"
    assert control.post(f"/leads/{lead}/convert").status_code == 400
    assert (
        control.post(f"/leads/{new_lead()}/convert", json={"convertedStatus": "x"}).status_code
        == 400
    )


def test_a_merge_deletes_the_loser_and_references_the_winner(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    winner, loser = new_lead(), new_lead(Title="CEO")
    clock.advance(60)
    body = {"loser": loser, "values": {"Title": "CEO"}}
    assert control.post(f"/leads/{winner}/merge", json=body).json()["success"] is True
    soql = "SELECT Id, IsDeleted, MasterRecordId, Title, SystemModstamp FROM Lead"
    rows = {r["Id"]: r for r in api.get("/queryAll", params={"q": soql}).json()["records"]}
    assert (rows[loser]["IsDeleted"], rows[loser]["MasterRecordId"]) == (True, winner)
    assert rows[winner]["Title"] == "CEO"
    assert {row["SystemModstamp"] for row in rows.values()} == {"2026-11-23T10:01:00.000+0000"}
    clock.advance(60)
    deleted = api.get("/sobjects/Lead/deleted", params=window("10:00:00", "10:02:00")).json()
    assert [row["id"] for row in deleted["deletedRecords"]] == [loser]
    assert control.post(f"/leads/{winner}/merge", json={"loser": winner}).status_code == 400
    assert control.post(f"/leads/{winner}/merge", json={}).status_code == 400
    assert control.post(f"/records/Lead/{winner}/merge", json={"loser": loser}).status_code == 404


def test_contacts_of_a_merged_account_move_to_the_winner(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    winner, loser = (
        api.post("/sobjects/Account", json={"Name": name}).json()["id"] for name in ("A", "B")
    )
    api.post("/sobjects/Contact", json={"LastName": "A", "AccountId": loser})
    control.post(f"/records/Account/{winner}/merge", json={"loser": loser})
    [contact] = api.soql("SELECT AccountId FROM Contact")
    assert contact["AccountId"] == winner


def test_a_deleted_record_can_be_undeleted_or_erased(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead()
    assert control.post(f"/records/Lead/{lead}/undelete").status_code == 404
    api.delete(f"/sobjects/Lead/{lead}")
    assert control.post(f"/records/Lead/{lead}/undelete").json()["success"] is True
    assert api.get(f"/sobjects/Lead/{lead}").status_code == 200
    api.delete(f"/sobjects/Lead/{lead}")
    assert control.post(f"/records/Lead/{lead}/erase").json()["success"] is True
    rows = api.get("/queryAll", params={"q": "SELECT Id FROM Lead"}).json()["records"]
    assert rows == []


def test_a_deleted_record_is_not_undeleted_if_its_unique_value_is_taken(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(plezi_url__c="u")
    api.delete(f"/sobjects/Lead/{lead}")
    holder = new_lead(plezi_url__c="U")
    refused = control.post(f"/records/Lead/{lead}/undelete")
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].endswith(f"on record with id: {holder[:15]}")


def test_a_unique_value_written_by_an_open_transaction_is_taken(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    uncommitted, other_lead = new_lead(), new_lead(plezi_url__c="old")
    control.patch(
        f"/records/Lead/{uncommitted}", json={"plezi_url__c": "new", "late_commit_seconds": 60}
    )
    refused = api.patch(f"/sobjects/Lead/{other_lead}", json={"plezi_url__c": "NEW"}).json()[0]
    assert refused["errorCode"] == "DUPLICATE_VALUE"
    assert (
        api.patch(f"/sobjects/Lead/{other_lead}", json={"plezi_url__c": "old"}).status_code == 204
    )


def test_the_readings_of_a_lead_by_an_integration_are_kept_when_somebody_wants_them(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    lead = control.post("/records/Lead", json={"values": {"LastName": "Lopez", "Company": "Acme"}})
    record = lead.json()["id"]
    control.post("/readings", json={"keep": True})

    api.soql("SELECT Id FROM Lead")  # as a user looks for a record
    assert control.get("/readings").json() == {"readings": {}}
    api.soql("SELECT Id, Email, SystemModstamp FROM Lead")

    readings = control.get("/readings").json()["readings"]
    assert (list(readings), len(readings[record])) == ([record], 1)
