"""Any answer of Salesforce gives values or named problems (field case S5): no exception leaves."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import ConnectorError, RetryError, StopReason
from connector.mapping import Filter, Operator, ReadScope
from connector.model import Cursor, Observation, ProblemCode, RecordKind
from connector.salesforce.answers import (
    UnreadableError,
    read_composite,
    read_covered_date,
    read_created_id,
    read_members,
    read_query_page,
)
from connector.salesforce.client import _reduce_field
from connector.salesforce.connection import part_error, to_error
from connector.salesforce.describe import checked_describe, parse_schema
from connector.salesforce.page_position import since_condition
from connector.salesforce.reader import Reader
from connector.salesforce.write_answer import Effect, read_answers
from tests.unit.connector.salesforce_fakes import (
    SCOPE,
    AnsweringSession,
    always,
    connect,
    reader,
)

MEMBERS = (
    "Id", "Email", "SystemModstamp", "LastModifiedDate", "IsDeleted", "IsConverted", "Phone",
    "MasterRecordId", "ConvertedContactId", "Account", "Name", "plezi_url__c", "records", "done",
    "nextRecordsUrl", "compositeResponse", "httpStatusCode", "body", "fields", "name", "type",
    "picklistValues", "value", "active", "length", "scale", "label", "success", "id", "errors",
    "statusCode", "message", "errorCode", "latestDateCovered", "user_id",
)  # fmt: skip
LEAD_ID = "00Q000000000001AAA"
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=8),
    st.sampled_from(
        (
            LEAD_ID, "003000000000001AAA", "ana@example.com", "2026-11-25T10:00:00.000+0000",
            "0001-01-01T00:00:00.000+0100", "9999-12-31T23:59:59.000-0100", "picklist", "double",
            "/services/data/v64.0/query/01g-2000", "INVALID_FIELD", "UNABLE_TO_LOCK_ROW", "\ud800",
        )
    ),
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), TEXTS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(MEMBERS), TEXTS), inner, max_size=8),
    ),
    max_leaves=25,
)
ROWS = st.dictionaries(st.sampled_from(MEMBERS), JSON)
GOOD_ROW = {
    "Id": LEAD_ID,
    "Email": "Ana@Example.com",
    "SystemModstamp": "2026-11-25T10:00:00.000+0000",
    "LastModifiedDate": "2026-11-25T10:00:00.000+0000",
    "IsDeleted": False,
    "IsConverted": False,
    "MasterRecordId": None,
    "ConvertedContactId": None,
    "Phone": "111",
    "plezi_url__c": None,
}
ANY_READER, _ = reader(always({}))
FILTERED = ReadScope(SCOPE.field_names, {RecordKind.LEAD: Filter("Phone", Operator.EQUALS, "111")})
DEEP = b'{"records":' + b"[" * 100_000 + b"]" * 100_000 + b',"done":true}'


def lead(email: str = "ana@example.com", record_id: str = LEAD_ID) -> Observation:
    return Observation(RecordKind.LEAD, record_id, email, "", "", 0.0, {})


@given(st.one_of(ROWS, JSON), st.sampled_from([RecordKind.LEAD, RecordKind.CONTACT]))
@example({**GOOD_ROW, "Phone": float("nan")}, RecordKind.LEAD)
@example({**GOOD_ROW, "LastModifiedDate": "0001-01-01T00:00:00+01:00"}, RecordKind.LEAD)
def test_any_row_is_an_observation_or_a_named_problem(row: object, kind: RecordKind) -> None:
    for each in (ANY_READER, reader(always({}), FILTERED)[0]):
        result = each._read_row(kind, row, 0.0)
        if not isinstance(result, Observation):
            assert result.code is ProblemCode.UNREADABLE_RECORD
            assert result.detail
            json.dumps([result.email, result.record_id, result.detail]).encode()


@given(JSON)
def test_any_body_of_a_page_is_a_page_or_an_unavailable_salesforce(body: object) -> None:
    for decode in (
        read_query_page,
        read_created_id,
        lambda it: read_composite(it, 2),
        lambda it: read_members(it, ("Id", "Name")),
        checked_describe,
    ):
        with suppress(RetryError):
            decode(body)


@given(JSON)
def test_any_date_of_get_updated_is_a_time_or_named_unreadable(body: object) -> None:
    with suppress(UnreadableError):
        read_covered_date(body)


@given(st.one_of(st.lists(JSON, min_size=2, max_size=2), JSON))
def test_any_answer_to_a_write_has_one_effect_for_each_record(body: object) -> None:
    answers = read_answers(body, 2)

    assert len(answers) == 2
    for answer in answers:
        assert (answer.effect is Effect.SAVED) == bool(answer.record_id)
        assert answer.row is None or answer.row.code == answer.code


@given(st.integers(0, 999), JSON)
@example(400, [{"errorCode": "INVALID_FIELD", "message": None, "fields": None}])
@example(401, [{"errorCode": "INVALID_SESSION_ID"}])
def test_any_error_body_is_an_error_of_the_connector(status: int, body: object) -> None:
    assert isinstance(part_error(status, body), ConnectorError)
    assert isinstance(to_error(status, body), Exception)


@given(st.lists(st.one_of(st.dictionaries(st.sampled_from(MEMBERS), JSON), JSON)))
def test_any_description_of_fields_is_a_schema(fields: list[Any]) -> None:
    schema = parse_schema(RecordKind.LEAD, {"fields": [_reduce_field(each) for each in fields]})

    for name, field in schema.items():
        assert name == field.name
        (name + field.label + "".join(field.options)).encode()


@given(TEXTS, TEXTS)
def test_any_stored_position_leads_to_a_condition(position: str, watermark: str) -> None:
    condition = since_condition(Cursor(RecordKind.LEAD, watermark=watermark, position=position))

    assert condition == "" or condition.startswith(" WHERE ")


def test_an_unreadable_position_restarts_from_the_watermark() -> None:
    watermark = "2026-11-25T10:00:00Z"
    cursor = Cursor(RecordKind.LEAD, watermark=watermark, position="yesterday ' OR Id != '")

    assert since_condition(cursor) == f" WHERE SystemModstamp >= {watermark}"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"5", b"null", b"true", b'"text"', b"[]", b"{}", b"<html></html>", b'{"records": [',
        b'{"records": 1e999, "done": true}', b"\xff\xfe", DEEP, b"1" * 5000,
        b'{"records": [], "done": false}', b'{"records": [], "done": "no"}',
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_used_is_an_unavailable_salesforce(content: bytes) -> None:
    some_reader, http = reader(always(content))

    with pytest.raises(RetryError) as caught:
        list(some_reader.read(Cursor(RecordKind.LEAD, next_watermark="x", started_at=1.0)))

    assert caught.value.reason is StopReason.SALESFORCE_UNAVAILABLE
    assert http.calls == 2 * 3  # the page, and the smallest query


@pytest.mark.parametrize("content", [b"", b"5", b"null", b"<html>", DEEP, b'[{"errorCode": 5}]'])
@pytest.mark.parametrize("status", [400, 404, 418, 500, 503])
def test_an_error_body_of_any_kind_is_an_error_of_the_connector(
    status: int, content: bytes
) -> None:
    some_reader, _ = reader(always(content, status))

    with pytest.raises(ConnectorError):
        list(some_reader.read(Cursor(RecordKind.LEAD, next_watermark="x", started_at=1.0)))


@pytest.mark.parametrize("content", [b"5", b"null", b"[]", b'{"user_id": 5}', b"<html>"])
def test_a_user_that_cannot_be_read_is_an_unavailable_salesforce(content: bytes) -> None:
    with pytest.raises(RetryError):
        connect(AnsweringSession(always(content))).user_id()


@pytest.mark.parametrize("date", ["", "now", "Mon, 99 Nov 2026 10:00:00 GMT", "²"])
def test_a_clock_of_salesforce_that_cannot_be_read_is_not_used(date: str) -> None:
    http = AnsweringSession(always({}))
    http._server_clock = (date, 0.0)

    assert connect(http).server_time() is None


def test_one_unreadable_row_loses_neither_the_page_nor_the_position() -> None:
    rows = [GOOD_ROW, {**GOOD_ROW, "Id": "00Q000000000002AAA", "Email": ["b@example.com"]}, "row"]
    some_reader, _ = reader(always({"records": rows, "done": True}))

    [page] = some_reader.read(Cursor(RecordKind.LEAD, next_watermark="x", started_at=1.0))

    assert [each.id for each in page.observations] == [LEAD_ID]
    assert [(each.record_id, each.detail) for each in page.problems] == [
        ("00Q000000000002AAA", "Email is not a text"),
        ("", "Id is missing"),
    ]


def test_the_position_is_the_last_row_with_a_stamp_and_an_id() -> None:
    rows = [GOOD_ROW, {**GOOD_ROW, "Id": "00Q000000000002AAA", "IsDeleted": None}, {"Id": 5}]
    answers = [
        {"records": rows, "done": False, "nextRecordsUrl": "/services/data/v64.0/query/01g-3"},
        {"records": [], "done": True},
    ]
    some_reader, _ = reader(lambda _m, _u, _b: (200, json.dumps(answers.pop(0)).encode()))

    first, _ = some_reader.read(Cursor(RecordKind.LEAD, next_watermark="x", started_at=1.0))

    assert first.cursor.position == "2026-11-25T10:00:00.000+0000 00Q000000000002AAA"


def test_l13_stamps_are_text_in_the_order_of_their_instants() -> None:
    stamps = (
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T00:30:00.5Z",
        "2026-10-25T00:30:01Z",
        "2026-10-25T02:10:00.000+0100",
        "2026-10-24T21:10:01.25-0400",
    )
    names = ("SystemModstamp", "LastModifiedDate")
    rows = [{**GOOD_ROW, **dict.fromkeys(names, stamp)} for stamp in stamps]
    some_reader, _ = reader(always({"records": rows, "done": True}))

    [page] = some_reader.read(Cursor(RecordKind.LEAD, next_watermark="x", started_at=1.0))

    versions = [each.version for each in page.observations]
    assert versions == sorted(set(versions))
    assert versions[0] == "2026-10-25T00:30:00.000+0000"
    assert [each.modified for each in page.observations] == sorted(
        each.modified for each in page.observations
    )


def test_l15_a_position_within_a_second_keeps_its_fraction() -> None:
    position = f"2026-10-25T02:30:00.5+02:00 {LEAD_ID}"

    condition = since_condition(Cursor(RecordKind.LEAD, position=position))

    at = "2026-10-25T00:30:00.500000Z"
    equal = f"(SystemModstamp = {at} AND Id > '{LEAD_ID}')"
    assert condition == f" WHERE {equal} OR SystemModstamp > {at}"


def test_a_field_that_a_row_lacks_is_unknown_and_not_blank() -> None:
    row = {name: value for name, value in GOOD_ROW.items() if name != "Phone"}

    observation = ANY_READER._observation(RecordKind.LEAD, row, 0.0)

    assert dict(observation.values) == {"plezi_url__c": None}


@pytest.mark.parametrize("raw", [{"street": "1"}, ["1"], "half \ud800", float("inf")])
def test_a_field_that_cannot_be_read_is_unknown_and_the_others_are_read(raw: object) -> None:
    row = {**GOOD_ROW, "Phone": raw, "plezi_url__c": "u"}

    observation = ANY_READER._observation(RecordKind.LEAD, row, 0.0)

    assert dict(observation.values) == {"plezi_url__c": "u"}
    assert observation.unreadable == {"Phone"}


@pytest.mark.parametrize(
    ("account", "values"),
    [
        ({"Name": "Acme"}, {"Account.Name": "Acme"}),
        (None, {"Account.Name": None}),
        ({}, {}),
    ],
)
def test_a_field_of_a_parent_record_is_read(account: object, values: dict[str, object]) -> None:
    row = {**GOOD_ROW, "Id": "003000000000001AAA", "Account": account}

    observation = ANY_READER._observation(RecordKind.CONTACT, row, 0.0)

    assert {name: value for name, value in observation.values.items() if "." in name} == values


@pytest.mark.parametrize("account", ["Acme", 5, ["x"], {"Name": {"a": 1}}])
def test_a_field_of_a_parent_that_is_no_record_cannot_be_read(account: object) -> None:
    row = {**GOOD_ROW, "Id": "003000000000001AAA", "Account": account}

    observation = ANY_READER._observation(RecordKind.CONTACT, row, 0.0)

    assert observation.unreadable == {"Account.Name"}
    assert "Account.Name" not in observation.values


def answering_composite(rows: list[Any]) -> tuple[Reader, AnsweringSession]:
    return reader(always({"records": rows, "done": True}))


@pytest.mark.parametrize("row", [{**GOOD_ROW, "IsDeleted": None}, {**GOOD_ROW, "Email": 5}])
def test_an_unreadable_record_of_a_look_up_does_not_count_as_deleted(row: object) -> None:
    some_reader, _ = answering_composite([row])

    result = some_reader.look_up([lead()], [])

    assert (result.observations, result.deleted) == ((), frozenset())
    assert [problem.record_id for problem in result.problems] == [LEAD_ID]


def test_a_record_without_an_id_may_be_any_of_the_records_that_are_missing() -> None:
    some_reader, _ = answering_composite(["row"])

    result = some_reader.look_up([lead()], [])

    assert result.deleted == frozenset()
    assert [(each.record_id, each.email) for each in result.problems] == [
        ("", ""),
        (LEAD_ID, "ana@example.com"),
    ]


def answering_with_bin(*deleted: str) -> Reader:
    """Return a reader of an org without records, with these ids in its recycle bin."""

    def answer(_method: str, url: str, _body: Any) -> tuple[int, bytes]:
        rows = [{"Id": each} for each in deleted] if "/queryAll/" in url else []
        return 200, json.dumps({"records": rows, "done": True}).encode()

    return reader(answer)[0]


def test_a_record_of_the_recycle_bin_counts_as_deleted() -> None:
    result = answering_with_bin(LEAD_ID).look_up([lead()], [])

    assert (result.deleted, result.problems) == (frozenset({LEAD_ID}), ())


def test_a_record_that_is_nowhere_may_be_invisible_and_does_not_count_as_deleted() -> None:
    result = answering_with_bin().look_up([lead()], [])

    assert result.deleted == frozenset()
    [problem] = result.problems
    assert (problem.record_id, problem.email) == (LEAD_ID, "ana@example.com")
    assert problem.code is ProblemCode.NOT_VISIBLE
