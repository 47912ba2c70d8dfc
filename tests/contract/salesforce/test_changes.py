"""What changed: getUpdated, getDeleted, late commits, flows, conversions, merges, undeletion."""

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
    answer = api.get("/sobjects/Lead/updated/", params=window(start, end))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_updated_ids_and_how_far_they_are_sure(
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


def test_seconds_are_ignored_unless_the_switch_says_otherwise(
    api: PrefixedSession, desk: PrefixedSession, clock: SimulatedClock
) -> None:
    clock.advance(50)
    late = window("10:00:20", "10:00:40")
    refused = api.get("/sobjects/Lead/updated", params=late)
    assert refused.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"
    desk.post("/switches", json={"replication_to_the_minute": False})
    answer = api.get("/sobjects/Lead/updated", params=late).json()
    assert answer["latestDateCovered"] == "2026-11-23T10:00:40.000+0000"


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
def test_a_window_may_be_refused(api: PrefixedSession, params: dict[str, str], code: str) -> None:
    answer = api.get("/sobjects/Lead/updated/", params=params)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_deleted_ids_are_kept_for_fifteen_days(
    api: PrefixedSession, new_lead: Create, clock: SimulatedClock, desk: PrefixedSession
) -> None:
    lead = new_lead()
    api.delete(f"/sobjects/Lead/{lead}")
    clock.advance(60)
    answer = api.get("/sobjects/Lead/deleted/", params=window("09:00:00", "10:01:00"))
    assert answer.json() == {
        "deletedRecords": [{"deletedDate": "2026-11-23T10:00:00.000+0000", "id": lead}],
        "earliestDateAvailable": "2026-11-08T10:01:00.000+0000",
        "latestDateCovered": "2026-11-23T10:01:00.000+0000",
    }
    desk.post("/switches", json={"session_timeout_seconds": 10**7})
    clock.advance(16 * 86400)
    answer = api.get("/sobjects/Lead/deleted/", params=window("09:00:00", "10:01:00"))
    assert answer.json()["deletedRecords"] == []


def test_a_late_commit_is_stamped_now_and_seen_later(
    api: PrefixedSession, desk: PrefixedSession, clock: SimulatedClock
) -> None:
    desk.post("/faults", json={"kind": "late_commit", "parameters": {"seconds": 120}})
    body = {"LastName": "Late", "Company": "C", "plezi_url__c": "u"}
    lead = api.post("/sobjects/Lead", json=body).json()["id"]
    assert desk.get("/transactions").json() == {"open": 1}
    clock.advance(60)
    on_time = api.post("/sobjects/Lead", json={"LastName": "On time", "Company": "C"}).json()["id"]
    assert [row["Id"] for row in api.soql("SELECT Id FROM Lead")] == [on_time]
    assert api.get(f"/sobjects/Lead/{lead}").status_code == 404
    taken = api.post("/sobjects/Lead", json=body | {"LastName": "Other"}).json()[0]
    assert taken["message"].endswith("on record with id: <unknown>")
    covered = updated(api, "09:00:00", "10:05:00")
    assert covered == {"ids": [on_time], "latestDateCovered": "2026-11-23T10:00:00.000+0000"}
    clock.advance(60)
    rows = api.soql("SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp")
    assert [row["Id"] for row in rows] == [lead, on_time]
    assert rows[0]["SystemModstamp"] == "2026-11-23T10:00:00.000+0000"
    covered = updated(api, "09:00:00", "10:05:00")
    assert covered["latestDateCovered"] == "2026-11-23T10:02:00.000+0000"


def test_an_open_transaction_shows_the_old_row_and_locks_it(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead(Title="Old")
    clock.advance(60)
    edit = {"Title": "New", "late_commit_seconds": 60}
    assert desk.patch(f"/records/Lead/{lead}", json=edit).status_code == 200
    assert api.get(f"/sobjects/Lead/{lead}").json()["Title"] == "Old"
    locked = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "Mine"})
    assert locked.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    clock.advance(60)
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["SystemModstamp"]) == ("New", "2026-11-23T10:01:00.000+0000")


def test_a_flow_edits_after_the_save_at_once_or_later(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    flow = {"object": "Lead", "values": {"Rating": "Hot"}, "condition": "Title = 'CEO'"}
    desk.post("/flows", json=flow)
    desk.post("/flows", json={"object": "Lead", "values": {"Fax": "1"}, "seconds": 5})
    lead = new_lead(Title="CEO")
    other = new_lead(Title="CTO")
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Rating"], row["Fax"]) == ("Hot", None)
    clock.advance(5)
    rows = {row["Id"]: row for row in api.soql("SELECT Id, Rating, Fax, SystemModstamp FROM Lead")}
    assert rows[lead]["Fax"] == rows[other]["Fax"] == "1"
    assert rows[other]["Rating"] is None
    assert rows[lead]["SystemModstamp"] == "2026-11-23T10:00:05.000+0000"
    desk.delete("/flows")
    assert desk.get("/rules").json()["flows"] == []


def test_a_person_or_the_org_itself_edits_a_record(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead()
    clock.advance(60)
    desk.patch(f"/records/Lead/{lead}", json={"Title": "CEO"})
    [row] = api.soql("SELECT LastModifiedBy.Name, LastModifiedDate FROM Lead")
    assert row["LastModifiedBy"]["Name"] == "Sam Sales"
    clock.advance(60)
    desk.patch(f"/records/Lead/{lead}", json={"EmailBouncedReason": "full", "touch": "system"})
    [row] = api.soql("SELECT EmailBouncedReason, LastModifiedDate, SystemModstamp FROM Lead")
    assert row["EmailBouncedReason"] == "full"
    assert row["LastModifiedDate"] == "2026-11-23T10:01:00.000+0000"
    assert row["SystemModstamp"] == "2026-11-23T10:02:00.000+0000"
    desk.delete(f"/records/Lead/{lead}")
    assert desk.get(f"/records/Lead/{lead}").json()["IsDeleted"] is True
    made = desk.post("/records/Contact", json={"LastName": "A", "by": "admin@acme.example"})
    [contact] = api.soql("SELECT Id, CreatedBy.Username FROM Contact")
    assert contact["Id"] == made.json()["id"]
    assert contact["CreatedBy"]["Username"] == "admin@acme.example"


def test_a_conversion_leaves_the_lead_and_makes_a_contact(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    lead = new_lead(Email="a@x.fr", City="Lyon", FirstName="Ana")
    clock.advance(60)
    result = desk.post(f"/leads/{lead[:15]}/convert", json={"createOpportunity": True}).json()
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
    assert desk.post(f"/leads/{lead}/convert").status_code == 400
    assert (
        desk.post(f"/leads/{new_lead()}/convert", json={"convertedStatus": "x"}).status_code == 400
    )


def test_a_merge_deletes_the_loser_and_points_to_the_winner(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create, clock: SimulatedClock
) -> None:
    winner, loser = new_lead(), new_lead(Title="CEO")
    clock.advance(60)
    order = {"loser": loser, "values": {"Title": "CEO"}}
    assert desk.post(f"/leads/{winner}/merge", json=order).json()["success"] is True
    soql = "SELECT Id, IsDeleted, MasterRecordId, Title, SystemModstamp FROM Lead"
    rows = {r["Id"]: r for r in api.get("/queryAll", params={"q": soql}).json()["records"]}
    assert (rows[loser]["IsDeleted"], rows[loser]["MasterRecordId"]) == (True, winner)
    assert rows[winner]["Title"] == "CEO"
    assert {row["SystemModstamp"] for row in rows.values()} == {"2026-11-23T10:01:00.000+0000"}
    clock.advance(60)
    gone = api.get("/sobjects/Lead/deleted", params=window("10:00:00", "10:02:00")).json()
    assert [row["id"] for row in gone["deletedRecords"]] == [loser]
    assert desk.post(f"/leads/{winner}/merge", json={"loser": winner}).status_code == 400
    assert desk.post(f"/leads/{winner}/merge", json={}).status_code == 400
    assert desk.post(f"/records/Lead/{winner}/merge", json={"loser": loser}).status_code == 404


def test_contacts_of_a_merged_account_follow_the_winner(
    api: PrefixedSession, desk: PrefixedSession
) -> None:
    winner, loser = (
        api.post("/sobjects/Account", json={"Name": name}).json()["id"] for name in ("A", "B")
    )
    api.post("/sobjects/Contact", json={"LastName": "A", "AccountId": loser})
    desk.post(f"/records/Account/{winner}/merge", json={"loser": loser})
    [contact] = api.soql("SELECT AccountId FROM Contact")
    assert contact["AccountId"] == winner


def test_a_deleted_record_comes_back_or_goes_for_good(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead()
    assert desk.post(f"/records/Lead/{lead}/undelete").status_code == 404
    api.delete(f"/sobjects/Lead/{lead}")
    assert desk.post(f"/records/Lead/{lead}/undelete").json()["success"] is True
    assert api.get(f"/sobjects/Lead/{lead}").status_code == 200
    api.delete(f"/sobjects/Lead/{lead}")
    assert desk.post(f"/records/Lead/{lead}/erase").json()["success"] is True
    rows = api.get("/queryAll", params={"q": "SELECT Id FROM Lead"}).json()["records"]
    assert rows == []


def test_a_deleted_record_whose_unique_value_was_taken_stays_deleted(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(plezi_url__c="u")
    api.delete(f"/sobjects/Lead/{lead}")
    holder = new_lead(plezi_url__c="U")
    refused = desk.post(f"/records/Lead/{lead}/undelete")
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].endswith(f"on record with id: {holder[:15]}")


def test_a_unique_value_written_by_an_open_transaction_is_taken(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create
) -> None:
    late, other = new_lead(), new_lead(plezi_url__c="old")
    desk.patch(f"/records/Lead/{late}", json={"plezi_url__c": "new", "late_commit_seconds": 60})
    refused = api.patch(f"/sobjects/Lead/{other}", json={"plezi_url__c": "NEW"}).json()[0]
    assert refused["errorCode"] == "DUPLICATE_VALUE"
    assert api.patch(f"/sobjects/Lead/{other}", json={"plezi_url__c": "old"}).status_code == 204
