"""Two hundred records in one call, and several calls in one."""

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


def codes(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return ["" if item["success"] else item["errors"][0]["statusCode"] for item in answer.json()]


def refusal(answer: requests.Response) -> tuple[int, str]:
    [body] = answer.json()
    return answer.status_code, body["errorCode"]


def test_each_record_succeeds_or_fails_on_its_own_in_order(api: PrefixedSession) -> None:
    answer = api.post(PATH, json={"records": [GOOD, BAD, {**GOOD, "foo": 1}, GOOD]})
    assert codes(answer) == ["", "INVALID_EMAIL_ADDRESS", "INVALID_FIELD", ""]
    assert "id" not in answer.json()[1]
    assert answer.json()[2]["errors"] == [
        {
            "statusCode": "INVALID_FIELD",
            "message": "No such column 'foo' on sobject of type Lead",
            "fields": [],
        }
    ]


def test_all_or_none_rolls_the_others_back(api: PrefixedSession) -> None:
    answer = api.post(PATH, json={"allOrNone": True, "records": [GOOD, BAD]})
    assert codes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_EMAIL_ADDRESS"]
    assert "id" not in answer.json()[0]
    assert api.soql("SELECT Id FROM Lead") == []


def test_the_size_of_a_call_is_limited(api: PrefixedSession) -> None:
    assert refusal(api.post(PATH, json={"records": []})) == (400, "REQUIRED_FIELD_MISSING")
    assert refusal(api.post(PATH, json={"records": [GOOD] * 201})) == (400, "EXCEEDED_ID_LIMIT")
    contact = {"attributes": {"type": "Contact"}, "LastName": "A"}
    mixed = {"records": [GOOD, contact] * 6}
    assert refusal(api.post(PATH, json=mixed)) == (400, "INVALID_INPUT")
    assert codes(api.post(PATH, json={"records": [GOOD, contact] * 5})) == [""] * 10


def test_updates_need_an_id_that_leads_somewhere(api: PrefixedSession, new_lead: Create) -> None:
    lead, gone = new_lead(), new_lead()
    api.delete(f"/sobjects/Lead/{gone}")
    answer = api.patch(
        PATH,
        json={
            "records": [
                {**LEAD, "ID": lead[:15], "Title": "CEO"},
                {**LEAD, "Title": "x"},
                {**LEAD, "id": gone, "Title": "x"},
                {**LEAD, "id": "00Q8d0000000001EAA", "Title": "x"},
                {**LEAD, "id": "nonsense", "Title": "x"},
                {**LEAD, "id": lead, "Title": "again"},
                {"attributes": {"type": "Nothing"}, "id": lead},
            ]
        },
    )
    assert codes(answer) == [
        "",
        "MISSING_ARGUMENT",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "DUPLICATE_VALUE",
        "INVALID_TYPE",
    ]
    assert answer.json()[0]["id"] == lead
    assert answer.json()[1]["errors"][0]["message"] == "Id not specified in an update call"


def test_an_upsert_tells_what_it_created(api: PrefixedSession) -> None:
    path = f"{PATH}/lead/PLEZI_URL__C"
    first = api.patch(path, json={"records": [{**GOOD, "plezi_url__c": "https://p/1"}]})
    assert first.json()[0]["created"] is True
    answer = api.patch(
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
    assert codes(answer) == [
        "",
        "",
        "DUPLICATE_VALUE",
        "MISSING_ARGUMENT",
        "REQUIRED_FIELD_MISSING",
    ]
    assert [item.get("created") for item in answer.json()[:2]] == [False, True]
    assert answer.json()[0]["id"] == first.json()[0]["id"]
    assert refusal(api.patch(f"{PATH}/Lead/Title", json={"records": [GOOD]})) == (404, "NOT_FOUND")


def test_an_upsert_on_an_ambiguous_key_changes_nothing(
    api: PrefixedSession, new_lead: Create
) -> None:
    for _ in range(2):
        new_lead(Email="a@x.fr")
    body = {"records": [{**LEAD, "Email": "a@x.fr", "Title": "CEO"}]}
    answer = api.patch(f"{PATH}/Lead/Email", json=body)
    assert codes(answer) == ["DUPLICATE_EXTERNAL_ID"]
    message = answer.json()[0]["errors"][0]["message"]
    assert message == "The external ID provided matches more than one record"


def test_an_upsert_by_id_without_an_id_creates(api: PrefixedSession, new_lead: Create) -> None:
    records = [{**GOOD, "Id": None}, {**LEAD, "Id": new_lead(), "Title": "CEO"}]
    answer = api.patch(f"{PATH}/Lead/Id", json={"records": records})
    assert [item["created"] for item in answer.json()] == [True, False]


def test_several_are_deleted_at_once(api: PrefixedSession, new_lead: Create) -> None:
    leads = [new_lead() for _ in range(2)]
    answer = api.delete(f"{PATH}?ids={','.join(leads)},nonsense")
    assert codes(answer) == ["", "", "MALFORMED_ID"]
    assert api.soql("SELECT Id FROM Lead") == []


def test_several_are_read_at_once_with_null_for_what_is_missing(
    api: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(Title="CEO")
    ids = f"{lead},00Q8d0000000001EAA"
    for answer in (
        api.get(f"{PATH}/Lead?ids={ids}&fields=Title"),
        api.post(f"{PATH}/Lead", json={"ids": ids.split(","), "fields": ["Title"]}),
    ):
        found, missing = answer.json()
        assert (found["Title"], found["Id"], missing) == ("CEO", lead, None)
    assert refusal(api.get(f"{PATH}/Lead?ids={ids}")) == (400, "MISSING_ARGUMENT")


def test_one_unreadable_value_refuses_the_whole_call(api: PrefixedSession) -> None:
    records = [GOOD, {**GOOD, "last_visit__c": "soon"}]
    assert refusal(api.post(PATH, json={"records": records})) == (400, "JSON_PARSER_ERROR")
    assert api.soql("SELECT Id FROM Lead") == []


def test_a_fault_may_strike_some_records_of_a_call(
    api: PrefixedSession, desk: PrefixedSession
) -> None:
    desk.post("/faults", json={"kind": "lock_row", "count": 2, "parameters": {"records": [1]}})
    for _ in range(2):
        answer = api.post(PATH, json={"records": [GOOD, GOOD]})
        assert codes(answer) == ["", "UNABLE_TO_LOCK_ROW"]
    assert codes(api.post(PATH, json={"records": [GOOD, GOOD]})) == ["", ""]


def part(name: str, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    url = url if url.startswith("http") else f"/services/data/v64.0{url}"
    return {"method": method, "url": url, "referenceId": name, **more}


def query(name: str, soql: str) -> dict[str, Any]:
    return part(name, f"/query/?q={quote(soql)}")


def test_several_queries_travel_in_one_call(
    api: PrefixedSession, desk: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(Email="a@x.fr")
    desk.post("/mark")
    parts = [
        query("leads", "SELECT Id FROM Lead WHERE Email = 'a@x.fr'"),
        query("wrong", "SELECT Nope FROM Lead"),
    ]
    answer = api.post("/composite", json={"compositeRequest": parts})
    first, second = answer.json()["compositeResponse"]
    assert (first["referenceId"], first["httpStatusCode"]) == ("leads", 200)
    assert first["body"]["records"][0]["Id"] == lead
    assert first["httpHeaders"] == {}
    assert (second["httpStatusCode"], second["body"][0]["errorCode"]) == (400, "INVALID_FIELD")
    assert desk.get("/calls").json()["total"] == 1


def test_a_later_part_may_use_an_earlier_answer(api: PrefixedSession) -> None:
    body = {"LastName": "A", "Company": "C"}
    parts = [
        part("made", "/sobjects/Lead", "POST", body=body),
        part("read", "/sobjects/Lead/@{made.id}?fields=LastName"),
        part("lost", "/sobjects/Lead/@{nobody.id}"),
    ]
    answers = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [each["httpStatusCode"] for each in answers] == [201, 200, 400]
    assert answers[1]["body"]["LastName"] == "A"
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])
    assert answers[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_parts_may_depend_on_nobody_having_changed_a_record(
    api: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead()
    headers = {"If-Unmodified-Since": "Mon, 23 Nov 2026 09:00:00 GMT"}
    write = part("w", f"/sobjects/Lead/{lead}", "PATCH", body={"Title": "x"}, httpHeaders=headers)
    [answer] = api.post("/composite", json={"compositeRequest": [write]}).json()[
        "compositeResponse"
    ]
    assert answer["httpStatusCode"] == 412


def test_a_composite_of_all_or_none_is_undone_together(api: PrefixedSession) -> None:
    parts = [
        part("good", "/sobjects/Lead", "POST", body={"LastName": "A", "Company": "C"}),
        part("bad", "/sobjects/Lead", "POST", body={"LastName": "A"}),
        part("after", "/limits"),
    ]
    body = {"allOrNone": True, "compositeRequest": parts}
    answers = api.post("/composite", json=body).json()["compositeResponse"]
    assert [each["body"][0]["errorCode"] for each in answers] == [
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
def test_a_composite_has_limits(api: PrefixedSession, parts: list[dict[str, Any]]) -> None:
    answer = api.post("/composite", json={"compositeRequest": parts})
    assert refusal(answer) == (400, "INVALID_INPUT")


def test_a_composite_stays_on_its_instance(api: PrefixedSession) -> None:
    parts = [
        part("a", "https://example.com/services/data/v64.0/limits"),
        part("b", "/composite", "POST", body={}),
        part("c", "/../v99.0/limits"),
    ]
    answers = api.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    codes = [each["body"][0]["errorCode"] for each in answers]
    assert codes == ["INVALID_INPUT", "INVALID_INPUT", "NOT_FOUND"]


def test_a_part_that_cannot_be_read_says_where(api: PrefixedSession) -> None:
    body = {"LastName": "A", "Company": "C", "last_visit__c": "soon"}
    write = part("a", "/sobjects/Lead", "POST", body=body)
    [answer] = api.post("/composite", json={"compositeRequest": [write]}).json()[
        "compositeResponse"
    ]
    assert answer["body"][0]["message"].endswith("at [line:1, column:52]")


def test_a_record_without_attributes_names_no_type(api: PrefixedSession) -> None:
    for attributes in (None, 5, {}, {"type": 5}):
        answer = api.post(PATH, json={"records": [{**GOOD, "attributes": attributes}]})
        assert codes(answer) == ["INVALID_INPUT"]
