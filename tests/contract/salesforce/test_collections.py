"""sObject Collections and composite calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.contract.salesforce.conftest import PrefixedSession

Create = Callable[..., str]
PATH = "/composite/sobjects"
LEAD = {"attributes": {"type": "Lead"}}
GOOD = {**LEAD, "LastName": "Martin", "Company": "Acme"}
BAD = {**GOOD, "Email": "bad"}


def codes(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return ["" if item["success"] else item["errors"][0]["statusCode"] for item in response.json()]


def refusal(response: requests.Response) -> tuple[int, str]:
    [body] = response.json()
    return response.status_code, body["errorCode"]


def test_each_record_succeeds_or_fails_on_its_own_in_order(api: PrefixedSession) -> None:
    response = api.post(PATH, json={"records": [GOOD, BAD, {**GOOD, "foo": 1}, GOOD]})
    assert codes(response) == ["", "INVALID_EMAIL_ADDRESS", "INVALID_FIELD", ""]
    assert "id" not in response.json()[1]
    assert response.json()[2]["errors"] == [
        {
            "statusCode": "INVALID_FIELD",
            "message": "No such column 'foo' on sobject of type Lead",
            "fields": [],
        }
    ]


def test_all_or_none_rolls_back_the_other_records(api: PrefixedSession) -> None:
    response = api.post(PATH, json={"allOrNone": True, "records": [GOOD, BAD]})
    assert codes(response) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_EMAIL_ADDRESS"]
    assert "id" not in response.json()[0]
    assert api.soql("SELECT Id FROM Lead") == []


def test_the_size_of_a_call_is_limited(api: PrefixedSession) -> None:
    assert refusal(api.post(PATH, json={"records": []})) == (400, "REQUIRED_FIELD_MISSING")
    assert refusal(api.post(PATH, json={"records": [GOOD] * 201})) == (400, "EXCEEDED_ID_LIMIT")
    contact = {"attributes": {"type": "Contact"}, "LastName": "A"}
    mixed = {"records": [GOOD, contact] * 6}
    assert refusal(api.post(PATH, json=mixed)) == (400, "INVALID_INPUT")
    assert codes(api.post(PATH, json={"records": [GOOD, contact] * 5})) == [""] * 10


def test_updates_need_the_id_of_an_existing_record(api: PrefixedSession, new_lead: Create) -> None:
    lead, deleted = new_lead(), new_lead()
    api.delete(f"/sobjects/Lead/{deleted}")
    response = api.patch(
        PATH,
        json={
            "records": [
                {**LEAD, "ID": lead[:15], "Title": "CEO"},
                {**LEAD, "Title": "x"},
                {**LEAD, "id": deleted, "Title": "x"},
                {**LEAD, "id": "00Q8d0000000001EAA", "Title": "x"},
                {**LEAD, "id": "nonsense", "Title": "x"},
                {**LEAD, "id": lead, "Title": "again"},
                {"attributes": {"type": "Nothing"}, "id": lead},
            ]
        },
    )
    assert codes(response) == [
        "",
        "MISSING_ARGUMENT",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "DUPLICATE_VALUE",
        "INVALID_TYPE",
    ]
    assert response.json()[0]["id"] == lead
    assert response.json()[1]["errors"][0]["message"] == "Id not specified in an update call"


def test_an_upsert_returns_whether_it_created_the_record(api: PrefixedSession) -> None:
    path = f"{PATH}/lead/PLEZI_URL__C"
    first = api.patch(path, json={"records": [{**GOOD, "plezi_url__c": "https://p/1"}]})
    assert first.json()[0]["created"] is True
    response = api.patch(
        path,
        json={
            "records": [
                {**LEAD, "plezi_url__c": "HTTPS://p/1", "Title": "CEO"},
                {**GOOD, "plezi_url__c": "https://p/2"},
                {**GOOD, "plezi_url__c": "https://p/2"},
                GOOD,
                {**LEAD, "plezi_url__c": "https://p/3", "LastName": "A"},
            ]
        },
    )
    assert codes(response) == [
        "",
        "DUPLICATE_VALUE",
        "DUPLICATE_VALUE",
        "MISSING_ARGUMENT",
        "REQUIRED_FIELD_MISSING",
    ]
    assert [item["created"] for item in response.json()] == [False] * 5
    assert len(api.soql("SELECT Id FROM Lead")) == 1
    assert response.json()[0]["id"] == first.json()[0]["id"]
    assert refusal(api.patch(f"{PATH}/Lead/Title", json={"records": [GOOD]})) == (404, "NOT_FOUND")


def test_an_upsert_on_an_ambiguous_key_changes_nothing(
    api: PrefixedSession, new_lead: Create
) -> None:
    for _ in range(2):
        new_lead(Email="a@x.fr")
    body = {"records": [{**LEAD, "Email": "a@x.fr", "Title": "CEO"}]}
    response = api.patch(f"{PATH}/Lead/Email", json=body)
    assert codes(response) == ["DUPLICATE_EXTERNAL_ID"]
    message = response.json()[0]["errors"][0]["message"]
    assert message == "The external ID provided matches more than one record"


def test_an_upsert_by_id_without_an_id_creates(api: PrefixedSession, new_lead: Create) -> None:
    records = [{**GOOD, "Id": None}, {**LEAD, "Id": new_lead(), "Title": "CEO"}]
    response = api.patch(f"{PATH}/Lead/Id", json={"records": records})
    assert [item["created"] for item in response.json()] == [True, False]


def test_several_records_are_deleted_at_once(api: PrefixedSession, new_lead: Create) -> None:
    leads = [new_lead() for _ in range(2)]
    response = api.delete(f"{PATH}?ids={','.join(leads)},nonsense")
    assert codes(response) == ["", "", "MALFORMED_ID"]
    assert api.soql("SELECT Id FROM Lead") == []


def test_several_records_are_read_at_once_with_null_for_missing_ones(
    api: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(Title="CEO")
    ids = f"{lead},00Q8d0000000001EAA"
    for response in (
        api.get(f"{PATH}/Lead?ids={ids}&fields=Title"),
        api.post(f"{PATH}/Lead", json={"ids": ids.split(","), "fields": ["Title"]}),
    ):
        existing, missing = response.json()
        assert (existing["Title"], existing["Id"], missing) == ("CEO", lead, None)
    assert refusal(api.get(f"{PATH}/Lead?ids={ids}")) == (400, "MISSING_ARGUMENT")


def test_one_unreadable_value_refuses_the_whole_call(api: PrefixedSession) -> None:
    records = [GOOD, {**GOOD, "last_visit__c": "soon"}]
    assert refusal(api.post(PATH, json={"records": records})) == (400, "JSON_PARSER_ERROR")
    assert api.soql("SELECT Id FROM Lead") == []


def test_a_fault_can_apply_to_some_records_of_a_call(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post("/faults", json={"kind": "lock_row", "count": 2, "parameters": {"records": [1]}})
    for _ in range(2):
        response = api.post(PATH, json={"records": [GOOD, GOOD]})
        assert codes(response) == ["", "UNABLE_TO_LOCK_ROW"]
    assert codes(api.post(PATH, json={"records": [GOOD, GOOD]})) == ["", ""]


def part(name: str, url: str, method: str = "GET", **extra: Any) -> dict[str, Any]:
    url = url if url.startswith("http") else f"/services/data/v64.0{url}"
    return {"method": method, "url": url, "referenceId": name, **extra}


def query(name: str, soql: str) -> dict[str, Any]:
    return part(name, f"/query/?q={quote(soql)}")


def test_a_composite_call_runs_several_queries(
    api: PrefixedSession, control: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(Email="a@x.fr")
    control.post("/mark")
    parts = [
        query("leads", "SELECT Id FROM Lead WHERE Email = 'a@x.fr'"),
        query("wrong", "SELECT Nope FROM Lead"),
    ]
    response = api.post("/composite", json={"compositeRequest": parts})
    first, second = response.json()["compositeResponse"]
    assert (first["referenceId"], first["httpStatusCode"]) == ("leads", 200)
    assert first["body"]["records"][0]["Id"] == lead
    assert first["httpHeaders"] == {}
    assert (second["httpStatusCode"], second["body"][0]["errorCode"]) == (400, "INVALID_FIELD")
    assert control.get("/calls").json()["total"] == 1


def test_a_later_part_can_use_an_earlier_response(api: PrefixedSession) -> None:
    body = {"LastName": "A", "Company": "C"}
    parts = [
        part("made", "/sobjects/Lead", "POST", body=body),
        part("read", "/sobjects/Lead/@{made.id}?fields=LastName"),
        part("lost", "/sobjects/Lead/@{nobody.id}"),
    ]
    responses = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [item["httpStatusCode"] for item in responses] == [201, 200, 400]
    assert responses[1]["body"]["LastName"] == "A"
    assert responses[0]["httpHeaders"]["Location"].endswith(responses[0]["body"]["id"])
    assert responses[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_a_part_can_be_conditional_on_no_change_since_a_date(
    api: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead()
    headers = {"If-Unmodified-Since": "Mon, 23 Nov 2026 09:00:00 GMT"}
    write = part("w", f"/sobjects/Lead/{lead}", "PATCH", body={"Title": "x"}, httpHeaders=headers)
    [response] = api.post("/composite", json={"compositeRequest": [write]}).json()[
        "compositeResponse"
    ]
    assert response["httpStatusCode"] == 412


def test_a_composite_call_with_all_or_none_is_rolled_back(api: PrefixedSession) -> None:
    parts = [
        part("good", "/sobjects/Lead", "POST", body={"LastName": "A", "Company": "C"}),
        part("bad", "/sobjects/Lead", "POST", body={"LastName": "A"}),
        part("after", "/limits"),
    ]
    body = {"allOrNone": True, "compositeRequest": parts}
    responses = api.post("/composite", json=body).json()["compositeResponse"]
    assert [item["body"][0]["errorCode"] for item in responses] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
    ]
    assert api.soql("SELECT Id FROM Lead") == []


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part(f"p{number}", "/limits") for number in range(26)],
        [query(f"q{number}", "SELECT Id FROM Lead") for number in range(6)],
        [part("same", "/limits"), part("same", "/limits")],
        [{"method": "GET"}],
        [part("a", "/limits", httpHeaders={"X": 5})],
        [part("a", "/limits", httpHeaders="X")],
    ],
)
def test_a_composite_call_has_limits(api: PrefixedSession, parts: list[dict[str, Any]]) -> None:
    response = api.post("/composite", json={"compositeRequest": parts})
    assert refusal(response) == (400, "INVALID_INPUT")


def test_a_composite_call_stays_on_its_instance(api: PrefixedSession) -> None:
    parts = [
        part("a", "https://example.com/services/data/v64.0/limits"),
        part("b", "/composite", "POST", body={}),
        part("c", "/../v99.0/limits"),
    ]
    responses = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    codes = [item["body"][0]["errorCode"] for item in responses]
    assert codes == ["INVALID_INPUT", "INVALID_INPUT", "NOT_FOUND"]


def test_an_unreadable_part_returns_the_position_of_the_value(api: PrefixedSession) -> None:
    body = {"LastName": "A", "Company": "C", "last_visit__c": "soon"}
    write = part("a", "/sobjects/Lead", "POST", body=body)
    [response] = api.post("/composite", json={"compositeRequest": [write]}).json()[
        "compositeResponse"
    ]
    assert response["body"][0]["message"].endswith("at [line:1, column:52]")


def test_a_record_without_attributes_is_refused(api: PrefixedSession) -> None:
    for attributes in (None, 5, {}, {"type": 5}):
        response = api.post(PATH, json={"records": [{**GOOD, "attributes": attributes}]})
        assert codes(response) == ["INVALID_INPUT"]


TRIGGER_CODE = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("apex_limit", "System.LimitException: Apex CPU time limit exceeded"),
        ("trigger_error", "System.NullPointerException"),
        ("trigger_lock", "first error: UNABLE_TO_LOCK_ROW"),
    ],
)
def test_a_failing_trigger_fails_every_record_of_the_call_and_saves_none(
    api: PrefixedSession, control: PrefixedSession, kind: str, text: str
) -> None:
    control.post("/faults", json={"kind": kind})
    response = api.post(PATH, json={"records": [GOOD, GOOD]})
    assert codes(response) == [TRIGGER_CODE, TRIGGER_CODE]
    assert all(text in item["errors"][0]["message"] for item in response.json())
    assert api.soql("SELECT Id FROM Lead") == []
    assert codes(api.post(PATH, json={"records": [GOOD, GOOD]})) == ["", ""]


def test_a_trigger_can_fail_above_a_number_of_records_only(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    fault = {"kind": "apex_limit", "count": None, "parameters": {"above": 2}}
    control.post("/faults", json=fault)
    assert codes(api.post(PATH, json={"records": [GOOD] * 3})) == [TRIGGER_CODE] * 3
    assert codes(api.post(PATH, json={"records": [GOOD] * 2})) == ["", ""]
    assert api.post("/sobjects/Lead", json={"LastName": "A", "Company": "C"}).status_code == 201


def test_a_trigger_can_fail_for_one_record_and_thereby_for_all(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    parameters = {"contains": {"LastName": "Bad"}}
    control.post("/faults", json={"kind": "trigger_error", "count": 1, "parameters": parameters})
    assert codes(api.post(PATH, json={"records": [GOOD]})) == [""]
    records = [GOOD, {**GOOD, "LastName": "Bad"}]
    assert codes(api.post(PATH, json={"records": records})) == [TRIGGER_CODE] * 2
