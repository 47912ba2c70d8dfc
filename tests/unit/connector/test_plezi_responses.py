"""Responses of Plezi of any form: each unusable contact is a problem, the others are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
import requests

from connector.errors import RejectedError, RetryError, StopReason
from connector.model import Observation, ProblemCode, RecordKind, Value
from connector.plezi.api import MAX_ADVICE, _json_object, _to_error
from connector.plezi.api_dialect import PleziDialect
from connector.plezi.contact_codec import ContactCodec, UnreadableContactError
from connector.plezi.schema import KNOWN_SCHEMA, attribute_rows, list_keys, parse_schema

NAMES = ("email", "phone", "score", "tags")
GOOD = {"id": "1", "attributes": {"email": "Ana@x.fr", "phone": "1", "updated_at": "2026-03-01"}}


def codec() -> ContactCodec:
    return ContactCodec(PleziDialect())


def response(body: bytes | object, status: int = 200, **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.headers.update({name.replace("_", "-"): text for name, text in headers.items()})
    answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        (None, "'attributes' is not"),
        ("text", "'attributes' is not"),
        ([], "'attributes' is not"),
        ({"id": "2"}, "'attributes' is not"),
        ({"id": "2", "attributes": "text"}, "'attributes' is not"),
        ({"id": "2", "attributes": ["a"]}, "'attributes' is not"),
        ({"id": "2", "attributes": None}, "'attributes' is not"),
        ({"id": "2", "attributes": {}}, "'attributes' is not"),
        ({"attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": None, "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": True, "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": ["2"], "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": "", "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": "2" * 300, "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": "..", "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": "../2", "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": "\ud800", "attributes": {"email": "b@x.fr"}}, "'id' is neither"),
        ({"id": "2", "attributes": {"email": 5}}, "the e-mail is not a text"),
        ({"id": "2", "attributes": {"email": ["b@x.fr"]}}, "the e-mail is not a text"),
        ({"id": "2", "attributes": {"email": "b" * 300}}, "more than 254 characters"),
        ({"id": "2", "attributes": {"email": "b\ud800@x.fr"}}, "half of a character"),
    ],
)
def test_one_unusable_row_is_a_problem_and_the_others_are_read(row: object, detail: str) -> None:
    page = codec().decode_page([GOOD, row, GOOD], NAMES, 1.0)

    assert [observation.email for observation in page.observations] == ["ana@x.fr"] * 2
    (problem,) = page.problems
    assert problem.code is ProblemCode.UNREADABLE_RECORD
    assert problem.kind is RecordKind.PLEZI_CONTACT
    assert detail in problem.detail
    assert "b@x" not in problem.detail


def test_a_problem_names_the_record_and_the_email_where_the_row_shows_them() -> None:
    rows = [{"id": 2, "attributes": "text"}, {"id": {}, "attributes": {"email": "B@x.fr"}}]

    problems = codec().decode_page(rows, NAMES, 1.0).problems

    assert [(problem.record_id, problem.email) for problem in problems] == [
        ("2", ""),
        ("", "b@x.fr"),
    ]


def test_a_contact_without_an_email_is_no_problem() -> None:
    page = codec().decode_page([{"id": 7, "attributes": {"email": None}}], NAMES, 1.0)

    assert [each.email for each in page.observations] == [""]
    assert page.problems == ()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ([1, "b", True, 2.5], ("1", "b", "true", "2.5")),
        (None, None),
        (2.5, 2.5),
    ],
)
def test_a_value_of_each_type_is_read(raw: object, value: Value) -> None:
    row = {"id": "1", "attributes": {"email": "a@x.fr", "tags": raw}}

    assert codec().decode(row, NAMES, 1.0).values["tags"] == value


@pytest.mark.parametrize("raw", [[1, {"key": "a"}], [[]], [None], {"key": "a"}, {}])
@pytest.mark.parametrize("dialect", [PleziDialect(), PleziDialect(omits_blanks=True)])
def test_a_value_of_an_unexpected_form_is_unknown_and_the_others_are_read(
    dialect: PleziDialect, raw: object
) -> None:
    row = {"id": "1", "attributes": {"email": "a@x.fr", "tags": raw, "phone": "1"}}

    page = ContactCodec(dialect).decode_page([row], NAMES, 1.0)

    [contact] = page.observations
    assert page.problems == ()
    assert contact.unreadable == {"tags"}
    assert "tags" not in contact.values
    assert contact.values["phone"] == "1"


def test_the_page_address_in_an_unexpected_form_is_built_from_the_id() -> None:
    row = {"id": "7", "attributes": {"email": "a@x.fr", "url": {"href": "x"}}}

    contact = codec().decode(row, ["url"], 1.0)

    assert str(contact.values["url"]).endswith("7")
    assert contact.unreadable == frozenset()


@pytest.mark.parametrize(
    "stamp", [5, "x", "\ud800", "2" * 100, "0001-01-01T00:00:00+01:00", ["2026"]]
)
def test_a_contact_with_an_unusable_stamp_is_read(stamp: object) -> None:
    row = {"id": "1", "attributes": {"email": "a@x.fr", "updated_at": stamp}}

    seen = codec().decode(row, NAMES, 1.0)

    assert isinstance(seen, Observation)
    assert seen.modified == ""
    assert seen.version.isascii()


def test_a_search_that_finds_only_an_unreadable_contact_is_not_an_empty_search() -> None:
    row = {"id": 2, "attributes": "text"}

    with pytest.raises(UnreadableContactError) as raised:
        codec().decode_one([row], "ana@x.fr", NAMES, 1.0)

    assert raised.value.problem_of("", "ana@x.fr").email == "ana@x.fr"
    assert codec().decode_one([row, GOOD], "ana@x.fr", NAMES, 1.0) is not None
    assert codec().decode_one([], "ana@x.fr", NAMES, 1.0) is None


def test_a_search_is_not_disturbed_by_another_unreadable_contact() -> None:
    row = {"id": {}, "attributes": {"email": "b@x.fr"}}

    assert codec().decode_one([row], "ana@x.fr", NAMES, 1.0) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1]",
        b'"text"',
        b"null",
        b"1",
        b'{"data": ',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_an_unavailable_plezi(body: bytes) -> None:
    with pytest.raises(RetryError) as raised:
        _json_object(response(body))

    assert raised.value.reason is StopReason.PLEZI_UNAVAILABLE


def test_a_number_that_python_cannot_hold_becomes_its_text() -> None:
    digits = "9" * 5_000
    body = f'{{"a": {digits}, "b": 1e999999, "c": NaN, "d": -Infinity, "e": 1.5, "f": 12}}'

    assert _json_object(response(body.encode())) == {
        "a": digits,
        "b": "1e999999",
        "c": "NaN",
        "d": "-Infinity",
        "e": 1.5,
        "f": 12,
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": " 7 "}, 7.0),
        ({"Retry_After": "\xb2"}, 0.0),
        ({"Retry_After": "-5"}, 0.0),
        ({"Retry_After": "1.5"}, 0.0),
        ({"Retry_After": "soon"}, 0.0),
        ({"Retry_After": "9" * 5_000}, MAX_ADVICE),
        ({}, 0.0),
        ({"Retry_After": "Wed, 25 Nov 2026 10:00:30 GMT"}, 0.0),
        (
            {
                "Retry_After": "Wed, 25 Nov 2026 10:00:30 GMT",
                "Date": "Wed, 25 Nov 2026 10:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "Retry_After": "Wed, 25 Nov 2026 10:00:00 GMT",
                "Date": "Wed, 25 Nov 2026 10:00:30 GMT",
            },
            0.0,
        ),
        ({"Retry_After": "Mon, 01 Jan 0001 00:00:00 +0100", "Date": "x"}, 0.0),
    ],
)
def test_the_advice_to_wait_is_read_in_every_form(
    headers: Mapping[str, str], seconds: float
) -> None:
    error = _to_error(response({}, 503, **headers))

    assert isinstance(error, RetryError)
    assert error.after == seconds


@pytest.mark.parametrize(
    ("body", "remedy"),
    [
        ({"errors": None}, "gave no reason"),
        ({"errors": "text"}, "gave no reason"),
        ({"errors": [None, "a", 5, {"detail": 5}]}, "gave no reason"),
        ({"errors": {"detail": "no"}}, "gave no reason"),
        ({"errors": [None, {"detail": "no phone"}, {"title": "late"}]}, "no phone; late"),
        (b"<html>", "gave no reason"),
        (b"[" * 100_000, "gave no reason"),
    ],
)
def test_a_refusal_of_any_form_has_a_remedy(body: object, remedy: str) -> None:
    error = _to_error(response(body, 422))

    assert isinstance(error, RejectedError)
    assert remedy in error.remedy


@pytest.mark.parametrize("row", [None, "a", [], {}, {"attributes": None}, {"attributes": {}}])
def test_an_attribute_without_a_name_is_left_out(row: object) -> None:
    assert parse_schema([row], {}) == {"url": KNOWN_SCHEMA["url"]}


def test_members_of_an_attribute_of_an_unexpected_type_count_as_absent() -> None:
    attribute = {"name": "size", "type": ["list"], "label": 5, "options": [None, {"key": 1}, "a"]}

    field = parse_schema([{"attributes": attribute}], {})["size"]

    assert (field.label, field.options, field.kind.value) == ("size", ("1",), "unsupported")


def test_m4_an_attribute_of_an_unknown_type_is_refused_unless_the_dialect_names_one() -> None:
    rows = [{"attributes": {"name": "size", "type": "string"}}]

    refused = parse_schema(rows, {})["size"]
    known = parse_schema(rows, {}, {"string": "text"})["size"]

    assert (refused.kind.value, known.kind.value) == ("unsupported", "text")
    assert "its type is 'string'" in refused.unusable
    assert "attribute_types of PleziDialect" in refused.unusable


def test_a_known_attribute_of_an_unknown_type_has_its_own_kind() -> None:
    row = {"attributes": {"name": "phone", "type": "telephone"}}

    assert parse_schema([row], {})["phone"].kind.value == "phone"


@pytest.mark.parametrize("data", [None, "a", {}, 5])
def test_a_response_without_a_list_of_attributes_is_an_unavailable_plezi(data: object) -> None:
    with pytest.raises(RetryError):
        attribute_rows({"data": data})


@pytest.mark.parametrize("opening", ["[", '{"a": '])
def test_a_value_that_is_nested_too_deeply_does_not_hide_the_other_contacts(opening: str) -> None:
    depth = 100_000
    nested = opening * depth + "1" + {"[": "]"}.get(opening, "}") * depth
    bad = {"id": "2", "attributes": {"email": "b@x.fr", "phone": "nested", "score": "[{]}\\"}}
    body = json.dumps({"data": [GOOD, bad, GOOD]}).replace('"nested"', nested)

    page = codec().decode_page(_json_object(response(body.encode()))["data"], NAMES, 1.0)

    assert [contact.id for contact in page.observations] == ["1", "2", "1"]
    assert page.observations[1].unreadable == {"phone"}
    assert page.problems == ()


def test_a_contact_is_read_whose_deeply_nested_value_is_not_mapped() -> None:
    nested = "[" * 100_000 + "]" * 100_000
    row = {"id": "2", "attributes": {"email": "b@x.fr", "x": "nested", "score": "[{]}\\"}}
    body = json.dumps({"data": [row]}).replace('"nested"', nested)

    page = codec().decode_page(_json_object(response(body.encode()))["data"], NAMES, 1.0)

    assert page.observations[0].values["score"] == "[{]}\\"


def test_a_deeply_nested_body_that_is_cut_off_is_an_unavailable_plezi() -> None:
    with pytest.raises(RetryError):
        _json_object(response(b'{"data": ' + b"[" * 100_000))


READ_AT = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
IN_ORDER = (
    "2026-10-25T02:30:00+02:00",
    "2026-10-25T00:30:00.001Z",
    "2026-10-25T00:30:00.5+00:00",
    "2026-10-25T02:30:00.51+02:00",
    "2026-10-25T00:30:01Z",
    "2026-10-25T00:30:01.000999999+0000",
    "2026-10-25T01:30:01.001+01:00",
    "2026-10-25T02:10:00+01:00",
    "2026-10-24T21:10:00.25-04:00",
    "2026-10-25T01:10:01",
)
"""The night in which summer time ends in Europe; the sixth is of the same millisecond as the one
before it."""


def test_l13_stamps_are_text_in_the_order_of_their_instants() -> None:
    rows = [{"id": "1", "attributes": {"updated_at": stamp}} for stamp in IN_ORDER]
    seen = [codec().decode(row, (), READ_AT) for row in rows]

    versions = [each.version for each in seen]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(IN_ORDER) - 1
    assert [each.modified for each in seen] == sorted(each.modified for each in seen)
    assert versions[0] == "2026-10-25T00:30:00.000Z"
    assert [codec().stamp(row) for row in rows] == versions


@pytest.mark.parametrize("stamp", ["yesterday", "9999-12-31T23:59:59-01:00", "1" * 50, 5, None])
def test_l13_what_is_no_stamp_is_no_version(stamp: object) -> None:
    row = {"id": "1", "attributes": {"updated_at": stamp, "phone": "1"}}
    seen = codec().decode(row, (), 1.0)

    assert (seen.version, seen.modified, codec().stamp(row)) == ("", "", "")


def attribute(name: str, *keys: object) -> dict[str, object]:
    options = [{"key": key, "label": "a"} for key in keys]
    return {"attributes": {"name": name, "type": "multi_list", "options": options}}


def test_l9_the_keys_of_a_list_keep_their_type_both_ways() -> None:
    rows = [
        attribute("consents", 1, 2.0, True, "x"),
        attribute("texts", "1", "2"),
        attribute("twice", 1, "1"),
        attribute("tenant_name", 1),
    ]
    dialect = PleziDialect(attributes={"mine": "tenant_name"})
    lists = ContactCodec(dialect, list_keys(rows, dialect.attributes))
    attributes = {"consents": [2.0, True], "mine": 1, "tenant_name": 1, "phone": 5, "texts": "1"}
    row = {"id": "1", "attributes": attributes}

    seen = lists.decode(row, ("consents", "mine", "phone", "texts"), 1.0)
    sent = lists.encode({**seen.values, "twice": ("1", "?")})["data"]["attributes"]

    values = {"consents": ("2", "true"), "mine": "1", "phone": 5, "texts": "1"}
    assert seen.values == values
    expected = {"consents": [2.0, True], "tenant_name": 1, "phone": 5, "texts": "1"}
    assert json.dumps(sent) == json.dumps({**expected, "twice": [1, "?"]})
